"""Whose rows: one flow of one connection, its clock, and the seal of its bodies.

Rule: every sealed body is bound to connection, table, flow and key.
Must not know: what the tables are for.
"""

import zlib
from collections.abc import Callable
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Table, and_

from ml_connector.errors import StoreError
from ml_connector.records import codec
from ml_connector.store import schema
from ml_connector.store.vault import Vault

# What is smaller is packed with little memory: to get what zlib likes may take ten times as long as the packing.
SMALL_MAX = 4096
Clock = Callable[[], datetime]


class Scope(msgspec.Struct, frozen=True):
    """One flow of one connection."""

    vault: Vault
    connection_id: int
    flow: str
    source_kind: type[Any]
    target_kind: type[Any]
    clock: Clock

    def now(self) -> str:
        """This instant as stored."""
        return schema.stamp(self.clock())

    def owned(self) -> dict[str, Any]:
        """The columns that every row of this scope has."""
        return {"connection_id": self.connection_id, "flow": self.flow}

    def mine(self, table: Table) -> ColumnElement[bool]:
        """The condition for rows of this scope."""
        return and_(table.c.connection_id == self.connection_id, table.c.flow == self.flow)

    def seal(self, table: Table, key: str, record: Any) -> bytes:
        """A record as it may lie in the database."""
        return self.vault.seal(pack(codec.encode(record)), *self.place(table, key))

    def unseal(self, table: Table, key: str, sealed: bytes, kind: type[Any]) -> Any:
        """The record that was sealed."""
        return decoded(unpack(self.vault.unseal(sealed, *self.place(table, key))), kind)

    def place(self, table: Table, key: str) -> tuple[str, str, str, str]:
        """What a seal is bound to."""
        return str(self.connection_id), table.name, self.flow, key


def decoded(data: bytes | msgspec.Raw, kind: type[Any]) -> Any:
    """The record from its bytes, None for null.

    Raises: StoreError when an older or newer program wrote it in another shape.
    """
    if bytes(data) == b"null":
        return None
    try:
        return codec.decode(bytes(data), kind)
    except ValueError as error:
        raise StoreError(f"a stored {kind.__name__} has another shape than this program's; {_where(error)}") from None


def _where(error: ValueError) -> str:
    # The message of a decoding error may quote the record; only the path is safe.
    _, found, path = str(error).partition(" - at `")
    return f"at {path.rstrip('`')}" if found else "it can't be decoded"


class Packed(msgspec.Struct, frozen=True):
    """A body that was packed before."""

    body: bytes


def pack(plain: bytes) -> bytes:
    """A body made smaller before it is sealed; JSON comes to a third."""
    if len(plain) > SMALL_MAX:
        return zlib.compress(plain, 1)
    packer = zlib.compressobj(1, zlib.DEFLATED, wbits=12, memLevel=5)
    return packer.compress(plain) + packer.flush()


def unpack(packed: bytes) -> bytes:
    """The body that `pack` was given."""
    return zlib.decompress(packed)


def clean(text: str) -> str:
    """Text that both databases take: sentences may quote what a system sent."""
    return text.replace("\0", "\ufffd").encode("utf-8", "replace").decode()
