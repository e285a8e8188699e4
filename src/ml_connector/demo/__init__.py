"""The main job on made-up systems: a stand-in IFS Cloud, a stand-in Airbase, what moves between them, and the console.

Rule: it shows what the product does with the product's own code; every figure is read off, none is written here.
Must not know: the inside of either stand-in.
"""
