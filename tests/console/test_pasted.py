"""What is pasted comes with what stood around it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml_connector.console import pasted

INNER = st.text("abcXYZ019-_./+=", min_size=1, max_size=30)
AROUND = st.text(" \t\n\r\u00a0\u200b\ufeff", max_size=5)


@given(INNER, AROUND, AROUND, st.sampled_from(["", *pasted.QUOTES]))
def test_a_value_is_what_stands_between(value: str, before: str, after: str, quotes: str) -> None:
    left, right = (quotes[0], quotes[1]) if quotes else ("", "")
    assert pasted.plain(f"{before}{left}{value}{right}{after}") == value


@given(st.text(max_size=60))
def test_nothing_that_can_not_be_seen_is_left(text: str) -> None:
    found = pasted.plain(text)
    assert found == found.strip()
    assert pasted.plain(found) == found
    assert not set(found) & set("\r\n\0\u200b\ufeff\u202e")


@pytest.mark.parametrize(
    ("text", "token"),
    [
        ("abc", ("abc", "")),
        ("Bearer abc\n", ("abc", "bearer")),
        (' "Token abc" ', ("abc", "token")),
        ("Authorization: Bearer abc", ("abc", "bearer")),
        ("bearerabc", ("bearerabc", "")),
        ("Bearer  “abc”", ("abc", "bearer")),
    ],
)
def test_a_token_says_how_it_is_sent(text: str, token: tuple[str, str]) -> None:
    assert pasted.token(text) == token


@pytest.mark.parametrize(
    ("text", "origin"),
    [
        ("https://Company.IFS.cloud/main/ifsapplications/web/?x#y", "https://company.ifs.cloud"),
        (" company.ifs.cloud ", "https://company.ifs.cloud"),
        ("http://127.0.0.1:8080/", "http://127.0.0.1:8080"),
        ("https://a@b.c/", "https://a@b.c"),
        ("https://[", "https://["),
        ("", ""),
    ],
)
def test_an_address_is_that_of_the_system(text: str, origin: str) -> None:
    assert pasted.origin(text) == origin


def test_lists_and_pairs() -> None:
    assert pasted.listed(" 10, 20\n'30' ;10") == ("10", "20", "30")
    assert pasted.pairs("10 = SUB-10\n20=>SUB-20, 30: X ;; 40 → Y") == {
        "10": "SUB-10",
        "20": "SUB-20",
        "30": "X",
        "40": "Y",
    }
    for wrong in ("10", "= x", "10 ="):
        with pytest.raises(ValueError, match=wrong.strip()):
            pasted.pairs(wrong)
