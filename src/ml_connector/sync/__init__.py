"""How anything moves: flows, detection, plans, gates, changes. Pure.

Rule: no I/O, no clock, no library but the standard one and the record codec.
Must not know: IFS, Airbase, SQL, or which flows there are.
"""
