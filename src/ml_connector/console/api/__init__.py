"""The API, version 1: what the command line shows and orders, for programs.

Rule: one file a noun; `routes` is all of them. Nothing is imported here, as views share the API's shapes.
Must not know: SQL.
"""
