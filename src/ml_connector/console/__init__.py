"""What `serve` answers over HTTP: the API, webhooks, health, figures.

Rule: it asks and orders; what is done is done by a worker.
Must not know: SQL.
"""
