"""IFS Cloud: reading its OData projections without loss.

Rule: names of services, sets and properties come from the profile only; a row's ETag is all we know of its version.
Must not know: Airbase, store, flows.
"""
