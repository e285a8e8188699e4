"""What is kept of a password costs as much to check as it should, for nobody too."""

import pytest

from ml_connector.store import passwords


def test_nobodys_password_costs_what_everybodys_does() -> None:
    kept = passwords.kept("correct horse battery")
    assert passwords.MEMORY_KIB >= 46 * 1024
    assert [len(part) for part in passwords.NOBODYS.split("$")] == [len(part) for part in kept.split("$")]
    assert not passwords.is_stale(passwords.NOBODYS)
    assert not passwords.is_stale(kept)
    assert passwords.fits(kept, "correct horse battery")
    assert not passwords.fits("", "correct horse battery")


def test_what_an_earlier_version_kept_still_fits() -> None:
    kept = "$argon2id$v=19$m=64,t=1,p=1$E218eosZaVxts6TPQQTIVw$mfRRyy70PxvQjY9TH+THNcw4tzu9dbMZjg3aLi+mRKw"
    assert passwords.fits(kept, "correct horse battery")
    assert passwords.is_stale(kept)
    assert not passwords.fits(kept, "correct horse batterz")


@pytest.mark.parametrize("kept", ["x", "$argon2id$v=19$", "$2b$12$abcdefghijklmnopqrstuv"])
def test_what_is_no_password_fits_none(kept: str) -> None:
    assert not passwords.fits(kept, "correct horse battery")
    assert passwords.is_stale(kept)
