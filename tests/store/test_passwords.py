"""What is kept of a password costs as much to check as it should, for nobody too."""

from argon2 import extract_parameters

from ml_connector.store import passwords


def test_nobodys_password_costs_what_everybodys_does() -> None:
    kept = passwords.kept("correct horse battery")
    assert extract_parameters(passwords.NOBODYS) == extract_parameters(kept)
    assert extract_parameters(kept).memory_cost == passwords.MEMORY_KIB >= 46 * 1024
    assert not passwords.is_stale(kept)
    assert passwords.fits(kept, "correct horse battery")
    assert not passwords.fits("", "correct horse battery")
