"""The Airbase end: its names, its calls, its records, and how the pipeline writes to it.

Rule: what Airbase calls a thing is settled in `profile` and `translate`; beyond them only canonical records are seen.
Must not know: IFS, the store, flows.
"""
