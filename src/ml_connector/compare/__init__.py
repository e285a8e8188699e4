"""Both sides put beside each other: what differs, what is matched, what is still open. Pure.

Rule: it says what it sees, the same whatever the order it was given in, and changes nothing.
Must not know: how anything is read or shown.
"""
