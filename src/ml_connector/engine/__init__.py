"""The engine: what makes work go on by itself.

Rule: it knows when and by whom, never what; only ids, digests and counts pass through it.
Must not know: records, flows, systems, the store.
"""
