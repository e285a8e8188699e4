"""Whatever is done to evidence is found, in the right file and, where there are lines, at the right one."""

import random
from pathlib import Path

import pytest

from ml_connector.evidence import checking, layout
from ml_connector.evidence.findings import Finding

from .tampering import WAYS, Pack, Tampered

TIMES, PARTS = 1000, 4


@pytest.mark.parametrize("part", range(PARTS))
def test_every_tampering_is_found_and_located(pack: Path, part: int) -> None:
    there, chance = Pack(pack), random.Random(part)
    key = there.whole[layout.PUBLIC_KEY]
    for number in range(part, TIMES, PARTS):
        way = WAYS[number // PARTS % len(WAYS)]
        done = way(there, chance)
        found = checking.check(pack, key).findings
        assert _names(found, done), f"{way.__name__} {done}: {[str(one) for one in found]}"
        there.restore()
    assert checking.check(pack, key).sound


def _names(found: tuple[Finding, ...], done: Tampered) -> bool:
    """Whether a finding is of this file and, where lines are told of it, of one of these lines."""
    of_it = [one for one in found if one.file == done.file or done.file in one.what]
    near = [one for one in of_it if one.first_line <= done.last + 1 and one.last_line >= done.first - 1]
    return bool(near if done.first else of_it)
