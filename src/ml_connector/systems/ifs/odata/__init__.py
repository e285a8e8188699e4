"""OData as IFS speaks it: texts in, texts out.

Rule: no input or output; what goes into a URL is escaped here and nowhere else.
Must not know: sockets, profiles, records.
"""
