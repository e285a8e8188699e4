"""The database behind the IFS site of the sandbox."""

from ml_connector.sandbox.world.edits import edit
from ml_connector.sandbox.world.rows import By, Key, Row
from ml_connector.sandbox.world.seed import seeded
from ml_connector.sandbox.world.tables import Kind, Link, Property, Table
from ml_connector.sandbox.world.world import STAMP, KeyLike, World

__all__ = ["STAMP", "By", "Key", "KeyLike", "Kind", "Link", "Property", "Row", "Table", "World", "edit", "seeded"]
