"""IFS as a place where vouchers go: into the hold table over OData, or into a file that a person loads.

Rule: only what certainly did not happen is done again; everything else is looked up first.
Must not know: flows, the store, Airbase.
"""
