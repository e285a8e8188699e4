"""What may stand in [alerts], and what is said of what may not."""

from datetime import time, timedelta
from pathlib import Path
from typing import Any

import pytest

from ml_connector import settings
from ml_connector.errors import SettingsError
from ml_connector.wiring import profile as profiles

CONNECTION: dict[str, Any] = {
    "ifs": {"url": "https://acme.ifs.cloud", "realm": "acme", "client_id": "mlc", "companies": ["10"]},
    "airbase": {"url": "https://api.airbase.io"},
}


def test_all_of_it() -> None:
    read = settings.profile(
        {
            "alerts": {
                "email": ["ap@example.com"],
                "webhook": "https://hooks.example.com/T1/B2",
                "dead_man": {"payments": "2h"},
                "digest_at": "07:00",
                "for_s": 60,
            }
        }
    )
    assert read.alerts.email == ("ap@example.com",)
    assert settings.span(read.alerts.dead_man["payments"]) == timedelta(hours=2)
    assert settings.clock(read.alerts.digest_at) == time(7)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"emails": []}, r"\[alerts\] has no setting 'emails'; nearest: email"),
        ({"email": ["ap"]}, "'ap' is no address"),
        ({"email": ["ap@example.com\r\nBcc: all@example.com"]}, "is no address"),
        ({"email": ["a@b.c"] * 51}, "more than 50"),
        ({"email": "ap@example.com"}, "email: expected a list, got a text"),
        ({"webhook": "http://hooks.example.com/x"}, "not encrypted"),
        ({"webhook": "ftp://127.0.0.1/x"}, "not encrypted"),
        ({"webhook": "https://user:secret@hooks.example.com/x"}, "no usable address"),
        ({"webhook": "https://:secret@hooks.example.com/x"}, "no usable address"),
        ({"webhook": "https://[bad"}, "no usable address"),
        ({"webhook": "https://hooks.example.com/a b"}, "no usable address"),
        ({"dead_man": {"payments": "soon"}}, "'soon' is no length of time"),
        ({"dead_man": {"payments": "0h"}}, "no length of time"),
        ({"digest_at": "7"}, "'7' is no time of day"),
        ({"digest_at": "24:00"}, "no time of day"),
        ({"for_s": -1}, "for_s"),
    ],
)
def test_mistakes_are_told(given: dict[str, Any], said: str) -> None:
    with pytest.raises(SettingsError, match=said) as raised:
        settings.profile({"alerts": given})
    assert "secret" not in str(raised.value)
    with pytest.raises(SettingsError):
        settings.connection(CONNECTION | {"profile": {"alerts": given}})


def test_the_flows_of_the_dead_man_are_known() -> None:
    connection = settings.connection(CONNECTION | {"profile": {"alerts": {"dead_man": {"payment": "2h"}}}})
    with pytest.raises(SettingsError, match="no flow 'payment'"):
        profiles.read(connection)


@pytest.mark.parametrize("text", ["a=" + "[" * 20_000, "a=" + "1" * 9000])
def test_a_profile_that_never_ends_is_told(text: str, tmp_path: Path) -> None:
    (tmp_path / "p.toml").write_text(text)
    with pytest.raises(SettingsError, match=r"p\.toml: not TOML"):
        settings.read_profile(tmp_path / "p.toml")
