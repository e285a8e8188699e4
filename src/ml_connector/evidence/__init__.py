"""Evidence of a period as a folder that stands alone: its form, its signature, how it is checked.

Rule: it is checked with nothing but the folder and, where one has it, the public key.
Must not know: stores, settings, systems.
"""
