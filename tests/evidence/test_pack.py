"""Evidence as it is made: whole, without a secret, checked by common tools."""

import subprocess
from pathlib import Path

import pytest

from ml_connector import wiring
from ml_connector.errors import SettingsError
from ml_connector.evidence import checking, layout
from ml_connector.wiring import gathering

from .conftest import DOCUMENTS, PERIOD


def test_what_was_made_is_sound(made: Path) -> None:
    verdict = checking.check(made)
    assert verdict.findings == ()
    assert (verdict.documents, verdict.trusted) == (DOCUMENTS + 1, False)
    assert verdict.entries > 40
    assert set(layout.NEEDED) <= {file.relative_to(made).as_posix() for file in made.rglob("*")}
