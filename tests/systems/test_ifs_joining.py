"""Parts put together: whatever the pages are cut like, each record comes once, in order, with all of its rows."""

from collections.abc import Iterator

from hypothesis import given, settings
from hypothesis import strategies as st

from ml_connector.sync.detect import Row
from ml_connector.systems.ifs.joining import joined
from ml_connector.systems.ifs.rows import Seen

PARTS = ("heads", "lines", "notes")
ROWS = st.sets(st.tuples(st.sampled_from("ABCDE"), st.sampled_from("123456")), max_size=12)


def paged(part: str, rows: set[tuple[str, str]], size: int) -> Iterator[list[Seen]]:
    seen = [Seen(at, Row(part, "\x1f".join(at), "x"), {}) for at in sorted(rows)]
    return (seen[start : start + size] for start in range(0, len(seen), size))


@given(st.tuples(ROWS, ROWS, ROWS), st.lists(st.integers(1, 5), min_size=3, max_size=3))
@settings(deadline=None)
def test_each_record_comes_once_with_all_of_its_rows(world: tuple[set[tuple[str, str]], ...], sizes: list[int]) -> None:
    streams = {part: paged(part, rows, size) for part, rows, size in zip(PARTS, world, sizes, strict=True)}
    found = [one for stretch in joined(streams, 1) for one in stretch]
    assert [at for at, _ in found] == sorted({(key,) for rows in world for key, _ in rows})
    for (key,), groups in found:
        told = {part: [seen.at for seen in groups.get(part, [])] for part in PARTS}
        wanted = zip(PARTS, world, strict=True)
        assert told == {part: sorted(at for at in rows if at[0] == key) for part, rows in wanted}
