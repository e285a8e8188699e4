"""OData texts: nothing ends a literal early, a keyset filter says exactly what comes after, no write lacks its ETag."""

import email
import re
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl, unquote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ml_connector.systems.http import Answer
from ml_connector.systems.ifs.odata import answers, batch, literals, query, writes

TEXT = st.text(st.characters(codec="utf-8"), max_size=20)
KEY = st.text(st.characters(codec="utf-8", min_codepoint=32), min_size=1, max_size=8)
ETAG = 'W/"Vy8iQUFBYkFJQUFZQUFEb0FIQUFIOjIwMjUwNzE2MDY0MzE0Ig=="'

CALM = settings(deadline=None)


def evaluate(text: str, row: dict[str, Any]) -> bool:
    """A filter of comparisons, and, or and brackets; written apart from what it tests."""
    tokens = re.findall(r"'(?:[^']|'')*'|[()]|[^\s()']+", text)
    python = {"eq": "==", "gt": ">", "ge": ">=", "and": "and", "or": "or", "(": "(", ")": ")"}
    code = [
        python[token] if token in python
        else repr(token[1:-1].replace("''", "'")) if token[0] == "'"
        else f"row[{token!r}]" if token in row
        else repr(token) if re.match(r"\d{4}-", token)
        else f"Decimal({token!r})"
        for token in tokens
    ]  # fmt: skip
    return bool(eval(" ".join(code), {"row": row, "Decimal": Decimal}))  # noqa: S307


@CALM
@given(TEXT)
def test_text_literal_is_read_back(text: str) -> None:
    found = re.fullmatch(r"'((?:[^']|'')*)'", literals.literal(text), re.DOTALL)
    assert found
    assert found.group(1).replace("''", "'") == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "null"),
        (True, "true"),
        (7, "7"),
        (Decimal("1E+3"), "1000"),
        (Decimal("-0.50"), "-0.5"),
        (date(2020, 1, 1), "2020-01-01"),
        (literals.Timestamp("2026-01-01T00:00:00Z"), "2026-01-01T00:00:00Z"),
    ],
)
def test_literals(value: literals.Value, text: str) -> None:
    assert literals.literal(value) == text


@pytest.mark.parametrize("value", [Decimal("NaN"), Decimal("Infinity"), datetime(2020, 1, 1)])  # noqa: DTZ001
def test_values_without_a_literal(value: Any) -> None:
    with pytest.raises(ValueError, match=r"number|text"):
        literals.literal(value)


@pytest.mark.parametrize("text", ["2026-1-1", "", "2026-01-01T00:00:00Z or 1 eq 1", "2026-13-01", "now()"])
def test_only_times_are_timestamps(text: str) -> None:
    with pytest.raises(ValueError, match=r"not a time|month"):
        literals.Timestamp(text)


@pytest.mark.parametrize(
    ("text", "seconds", "earlier"),
    [
        ("2026-03-01T00:00:01Z", 2, "2026-02-28T23:59:59Z"),
        ("2026-03-01T00:00:01.75+02:00", 1, "2026-03-01T00:00:00+02:00"),
        ("2026-03-01", 1, "2026-02-28"),
        ("0001-01-01T00:00:00Z", 9, "0001-01-01T00:00:00Z"),
    ],
)
def test_overlap_is_taken_from_the_local_time(text: str, seconds: int, earlier: str) -> None:
    assert literals.Timestamp(text).minus(seconds).text == earlier


def test_times_sort_by_instant_and_fraction() -> None:
    texts = ["2026-01-01T01:00:00+02:00", "2026-01-01T00:00:00Z", "2026-01-01T00:00:00.05Z", "2026-01-01T00:00:00.5Z"]
    assert sorted(texts, key=lambda text: literals.Timestamp(text).order()) == texts


@pytest.mark.parametrize(("kind", "member"), [("IfsApp.A.B", "X'"), ("A B", "X"), ("", "X"), ("A", "")])
def test_enum_is_made_of_names(kind: str, member: str) -> None:
    with pytest.raises(ValueError, match="enumeration"):
        literals.enum(kind, member)
    assert literals.enum("IfsApp.A.State", "Released") == "IfsApp.A.State'Released'"


@CALM
@given(st.dictionaries(st.sampled_from(["A", "B", "C"]), TEXT, min_size=1))
def test_key_stays_one_path_segment_and_is_read_back(parts: dict[str, str]) -> None:
    text = literals.key({name: literals.literal(value) for name, value in parts.items()})
    assert not set(text) & set('/?#+ &"%') - {"%"}
    assert text.isascii()
    found = re.findall(r"(\w+)='((?:[^']|'')*)'", unquote(text))
    assert {name: value.replace("''", "'") for name, value in found} == parts


@CALM
@given(TEXT)
def test_query_is_read_back_and_has_no_plus(text: str) -> None:
    made = query.Query(("A", "B"), query.equal([("A", text)]), ("A",), 5, 10).text()
    assert "+" not in made
    assert dict(parse_qsl(made, strict_parsing=True, separator="&")) == {
        "$select": "A,B",
        "$filter": "A eq '" + text.replace("'", "''") + "'",
        "$orderby": "A",
        "$top": "5",
        "$skip": "10",
    }


ROW = st.tuples(st.sampled_from(["a", "A'", "b b", "é"]), st.sampled_from(["1", "10", "2"]), st.integers(0, 3))


@CALM
@given(st.lists(ROW, max_size=20), ROW)
def test_after_says_exactly_what_comes_after(rows: list[tuple[str, str, int]], last: tuple[str, str, int]) -> None:
    columns = ("A", "B", "C")
    text = query.after(list(zip(columns, last, strict=True)))
    for row in rows:
        assert evaluate(text, dict(zip(columns, row, strict=True))) == (row > last)


@CALM
@given(st.lists(st.tuples(KEY, KEY), unique=True, max_size=30), st.integers(1, 9), st.integers(10, 400))
def test_chunks_keep_every_key_and_both_bounds(keys: list[tuple[str, str]], most: int, size: int) -> None:
    parts = list(query.chunks(("A", "B"), list(keys), count_max=most, bytes_max=size))
    assert [key for part in parts for key in part] == keys
    for part in parts:
        assert 0 < len(part) <= most
        text = query.one_of(("A", "B"), list(part))
        assert len(part) == 1 or len(literals.encode(text)) <= size
        assert [key for key in keys if evaluate(text, {"A": key[0], "B": key[1]})] == part


def test_name_is_a_name() -> None:
    for bad in ("A eq 1", "", "A,B", "1A", "A'"):
        with pytest.raises(ValueError, match="property"):
            query.Query((bad,)).text()


@pytest.mark.parametrize("text", ["", "*", 'W/"*"', '""', 'W/""', 'W/"a\r\nX: y"', "abc", '"a", "b"', "W/*"])
def test_no_etag_but_a_real_one(text: str) -> None:
    with pytest.raises(ValueError, match="ETag"):
        writes.ETag(text)
    for method in ("PATCH", "DELETE"):
        with pytest.raises(ValueError, match="ETag"):
            writes.Request(method, "/x", {"if-match": text} if text else {})
    with pytest.raises(ValueError, match="ETag"):
        writes.ETag.of({"@odata.etag": text} if text else {})


def test_no_change_without_an_etag() -> None:
    for made in (
        lambda: writes.Update("/x(K='1')", "*", {}),  # pyright: ignore[reportArgumentType]
        lambda: writes.Delete("/x(K='1')", None),  # pyright: ignore[reportArgumentType]
        lambda: writes.Act("/x(K='1')", "IfsApp.X.Release", ""),  # pyright: ignore[reportArgumentType]
    ):
        with pytest.raises(TypeError, match="ETag"):
            made()
    with pytest.raises(ValueError, match="method"):
        writes.Request("PUT", "/x", {"If-Match": ETAG})
    with pytest.raises(ValueError, match="twice"):
        writes.Request("PATCH", "/x", {"If-Match": ETAG, "if-match": "*"})


def test_writes_carry_the_etag_and_exact_numbers() -> None:
    tag = writes.ETag.of({"@odata.etag": ETAG})
    update = writes.Update("/x(K='1')", tag, {"Price": Decimal("1.10"), "N": None}).request()
    assert (update.method, update.headers["If-Match"], update.body) == ("PATCH", ETAG, b'{"Price":"1.10","N":null}')
    assert writes.Delete("/x", tag).request().headers == {"If-Match": ETAG}
    act = writes.Act("/x(K='1')", "IfsApp.P.Release", tag).request()
    assert (act.method, act.path, act.headers["If-Match"]) == ("POST", "/x(K='1')/IfsApp.P.Release", ETAG)
    assert writes.Insert("/x", {"A": 1}).request().method == "POST"
    with pytest.raises(ValueError, match="float"):
        writes.Insert("/x", {"A": [{"B": 1.1}]}).request()


BODY = st.binary(max_size=60) | st.just(b"--batch_x\r\n\r\n--changeset_")


def _change(body: bytes, number: int) -> writes.Request:
    return writes.Request("POST", f"/s/X{number}", {"Content-Type": "application/json"}, body)


CHANGE = st.builds(_change, BODY, st.integers(0, 9))


@CALM
@given(st.lists(st.lists(CHANGE, min_size=1, max_size=3), min_size=1, max_size=4))
def test_batch_is_read_by_another_reader(changesets: list[list[writes.Request]]) -> None:
    packed = batch.pack(changesets)
    groups = batch._parts(packed.content_type, packed.body)  # pyright: ignore[reportPrivateUsage]
    assert len(groups) == len(changesets)
    for (headers, content), changes in zip(groups, changesets, strict=True):
        parts = batch._parts(headers["content-type"], content)  # pyright: ignore[reportPrivateUsage]
        for (_, inner), change in zip(parts, changes, strict=True):
            assert inner.startswith(f"POST {change.path} HTTP/1.1\r\n".encode())
            assert inner.partition(b"\r\n\r\n")[2] == change.body
    message = email.message_from_bytes(b"Content-Type: " + packed.content_type.encode() + b"\r\n\r\n" + packed.body)
    assert message.is_multipart()
    if all(b"\r" not in change.body and b"\n" not in change.body for changes in changesets for change in changes):
        outer: list[Any] = list(message.get_payload())  # pyright: ignore[reportArgumentType]
        assert [len(part.get_payload()) for part in outer] == [len(changes) for changes in changesets]


def _answer(groups: list[list[tuple[int, bytes]]], *, single_errors: bool) -> tuple[str, bytes]:
    """A batch answer as Olingo writes it."""
    out = b""
    for number, group in enumerate(groups):
        replies = [
            b"Content-Type: application/http\r\nContent-ID: x\r\n\r\n"
            b"HTTP/1.1 %d X\r\nContent-Length: %d\r\nETag: e\r\n\r\n" % (status, len(body)) + body
            for status, body in group
        ]
        if single_errors and len(group) == 1 and group[0][0] >= 400:
            out += b"--b\r\n" + replies[0] + b"\r\n"
            continue
        mark = b"--c%d" % number
        inner = b"".join(mark + b"\r\n" + reply + b"\r\n" for reply in replies) + mark + b"--\r\n"
        out += b"--b\r\nContent-Type: multipart/mixed; boundary=c%d\r\n\r\n" % number + inner + b"\r\n"
    return 'multipart/mixed; boundary="b"', out + b"--b--\r\n"


REPLIES = st.lists(
    st.lists(st.tuples(st.sampled_from([200, 201, 400]), st.binary(max_size=40)), min_size=1, max_size=3),
    min_size=1,
    max_size=4,
).filter(lambda groups: not any(b"--" in body for group in groups for _, body in group))


@CALM
@given(REPLIES, st.booleans())
def test_batch_answer_gives_each_change_its_own(groups: list[list[tuple[int, bytes]]], single_errors: bool) -> None:
    kind, body = _answer(groups, single_errors=single_errors)
    unpacked = batch.unpack(kind, body, [len(group) for group in groups])
    assert [[(reply.status, reply.body) for reply in group] for group in unpacked] == groups
    assert unpacked[0][0].headers["etag"] == "e"


def test_one_error_answers_a_whole_changeset() -> None:
    kind, body = _answer([[(400, b"no")]], single_errors=True)
    assert [reply.status for reply in batch.unpack(kind, body, [3])[0]] == [400, 400, 400]


@pytest.mark.parametrize("cut", [4, 10, 40])
def test_cut_batch_answer_is_refused(cut: int) -> None:
    kind, body = _answer([[(200, b"{}"), (200, b"{}")]], single_errors=False)
    with pytest.raises(ValueError, match="cut off"):
        batch.unpack(kind, body[:-cut], [2])


def test_batch_answer_of_another_size_is_refused() -> None:
    kind, body = _answer([[(200, b"{}"), (200, b"{}")]], single_errors=False)
    for sizes in ([1], [3], [2, 1], []):
        with pytest.raises(ValueError, match="answers"):
            batch.unpack(kind, body, sizes)
    with pytest.raises(ValueError, match="boundary"):
        batch.unpack("application/json", body, [2])


@pytest.mark.parametrize("bad", [[], [[]], [[writes.Request("GET", "/x", {})]]])
def test_no_empty_batch_and_no_reads_in_it(bad: Any) -> None:
    with pytest.raises(ValueError, match="changeset"):
        batch.pack(bad)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b'{"error":{"code":"A","message":"m","details":[{"code":"B","message":"d"}]}}', ("B", "d")),
        (b'{"error":{"code":"A","message":"m","details":[{"code":"B","message":null},{"message":"e"}]}}', ("A", "e")),
        (b'{"error":{"code":"MI_METADATA_NOTFOUND","message":"Metadata not found."}}',
         ("MI_METADATA_NOTFOUND", "Metadata not found.")),
        (b'{"error":{"code":null,"details":null}}', ("", "")),
        (b'{"error":"x"}', ("", "")),
        (b"<html>", ("", "")),
        (b"\xff", ("", "")),
    ],
)  # fmt: skip
def test_what_an_error_says(body: bytes, expected: tuple[str, str]) -> None:
    assert answers.explain(Answer(400, {}, body, 0.0)) == expected


@pytest.mark.parametrize("body", [b"{}", b'{"value":{}}', b'{"value":[1]}', b'{"value":[', b"[]", b'{"error":{}}'])
def test_only_a_page_is_a_page(body: bytes) -> None:
    with pytest.raises(ValueError, match="page"):
        answers.page(body)


def test_numbers_in_a_page_are_exact() -> None:
    page = answers.page(b'{"@odata.nextLink":"x","value":[{"A":1.10,"B":12345678901234567890123,"C":"1.5"}]}')
    assert page.rows == [{"A": Decimal("1.10"), "B": 12345678901234567890123, "C": "1.5"}]
    assert page.next_link == "x"
