"""Sealing: what opens, where, and with which key."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml_connector.errors import VaultError
from ml_connector.store.db import Database
from ml_connector.store.vault import Vault

from .conftest import KEY

PLACE = ("1", "links", "suppliers", "S1")


@pytest.fixture(scope="module")
def shared() -> Vault:
    return Vault.open(Database.open("sqlite://"), KEY, None)


@given(plain=st.binary(max_size=200))
def test_what_is_sealed_opens(shared: Vault, plain: bytes) -> None:
    assert shared.unseal(shared.seal(plain, *PLACE), *PLACE) == plain


@given(data=st.data())
def test_a_flipped_bit_does_not_open(shared: Vault, data: st.DataObject) -> None:
    blob = bytearray(shared.seal(b"secret", *PLACE))
    blob[data.draw(st.integers(0, len(blob) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises(VaultError):
        shared.unseal(bytes(blob), *PLACE)


@pytest.mark.parametrize(
    "place",
    [("2", *PLACE[1:]), PLACE[:3], (*PLACE, ""), ("1", "link", "ssuppliers", "S1"), ("1links", "suppliers", "S1")],
)
def test_a_moved_blob_does_not_open(shared: Vault, place: tuple[str, ...]) -> None:
    with pytest.raises(VaultError, match="altered, or moved"):
        shared.unseal(shared.seal(b"secret", *PLACE), *place)


@pytest.mark.parametrize("blob", [b"", b"short", bytes(40)])
def test_what_was_never_sealed_does_not_open(shared: Vault, blob: bytes) -> None:
    with pytest.raises(VaultError):
        shared.unseal(blob, *PLACE)


def test_rotation_keeps_the_old_readable_everywhere(db: Database, vault: Vault) -> None:
    other = Vault.open(db, KEY, None)
    before = vault.seal(b"old", *PLACE)
    vault.rotate()
    after = vault.seal(b"new", *PLACE)
    assert before[:5] != after[:5]
    assert [vault.unseal(blob, *PLACE) for blob in (before, after)] == [b"old", b"new"]
    assert other.unseal(after, *PLACE) == b"new", "a process that was running meanwhile"


@pytest.mark.usefixtures("vault")
def test_a_wrong_or_malformed_key_is_told_at_once(db: Database) -> None:
    with pytest.raises(VaultError, match="sealed with key"):
        Vault.open(db, bytes(32), None)
    with pytest.raises(VaultError, match="it needs 32"):
        Vault.open(db, b"short", None)
    with pytest.raises(VaultError, match="no key given"):
        Vault.open(db, None, None)
