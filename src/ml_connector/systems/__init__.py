"""The systems that are joined, one package each, over one HTTP layer.

Rule: a system is reached through `http.Wire` only.
Must not know: store, runs, settings, flows; one system never knows another.
"""
