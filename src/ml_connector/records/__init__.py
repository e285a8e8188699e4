"""What moves between the systems, as frozen values.

Rule: a record is a value; it holds no system's field names.
Must not know: HTTP, SQL, clocks, flows.
"""
