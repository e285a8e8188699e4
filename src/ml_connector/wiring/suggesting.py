"""What a value that has no counterpart may stand for, among what the other side has.

Rule: a suggestion is a likeness of names and numbers, told as such; nothing is set by it.
Must not know: which table it is for.
"""

import re
from collections.abc import Mapping
from difflib import SequenceMatcher

import msgspec

SHOWN_MAX = 3
LIKE_FROM = 0.34
_WORD = re.compile(r"[^\W\d_]+|\d+")


class Suggestion(msgspec.Struct, frozen=True):
    """A value of the other side, what it is called there, and why it is told."""

    value: str
    name: str
    why: str


def suggestions(value: str, name: str, there: Mapping[str, str]) -> tuple[Suggestion, ...]:
    """The likeliest of what is there. Shape: `there` is from value to name."""
    scored = sorted(((_score(value, name, *one), one) for one in there.items()), key=lambda pair: (-pair[0], pair[1]))
    return tuple(_suggestion(value, name, *one) for score, one in scored[:SHOWN_MAX] if score >= LIKE_FROM)


def _suggestion(value: str, name: str, other: str, called: str) -> Suggestion:
    same = _numbers(f"{value} {name}") & _numbers(f"{other} {called}")
    return Suggestion(other, called, "same number" if same else "similar name")


def _score(value: str, name: str, other: str, called: str) -> float:
    numbers = bool(_numbers(f"{value} {name}") & _numbers(f"{other} {called}"))
    return max(_alike(name or value, called or other), 0.8 * numbers, _alike(value, other))


def _alike(left: str, right: str) -> float:
    ours, theirs = _words(left), _words(right)
    shared = len(ours & theirs) / len(ours | theirs) if ours | theirs else 0.0
    return max(shared, 0.6 * SequenceMatcher(None, left.casefold(), right.casefold()).ratio())


def _words(text: str) -> set[str]:
    return {word.removesuffix("s") for word in map(str.casefold, _WORD.findall(text)) if len(word) > 1}


def _numbers(text: str) -> set[str]:
    return {word for word in _WORD.findall(text) if word.isdigit()}
