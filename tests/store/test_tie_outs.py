"""Tie-outs: kept with their documents, sealed; signed off once, by digest; what is signed never goes."""

import hashlib
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from sqlalchemy import delete, event, select, text, update

from ml_connector.compare.tieout.shapes import Figure, Line, TieOut, Total
from ml_connector.errors import SettingsError, StoreError, VaultError
from ml_connector.store.connections import Connections
from ml_connector.store.db import Database
from ml_connector.store.extracts import sign_off
from ml_connector.store.journal import Journal
from ml_connector.store.schema_people import tie_out_lines, tie_outs
from ml_connector.store.tie_outs import PART, SHORT, UNSIGNED_MAX, Kept, TieOuts, canonical, canonical_line
from ml_connector.store.vault import Vault

from .test_flow_store import raw_bytes

AT = datetime(2026, 10, 2, 7, 30, tzinfo=UTC)
PERIOD = "2026-09"
MANY = PART + 3


@pytest.fixture
def kept(db: Database, vault: Vault, connection_id: int) -> TieOuts:
    return TieOuts(db, vault, connection_id, lambda: AT)


def line(number: int) -> Line:
    about = ("payments", f"pay_{number}", f"Kanarienvogel {number}", "10", PERIOD, "EUR", Decimal("10.25"))
    return Line(*about, ifs_amount=Decimal("10.25"))


def found(unexplained: str = "0", period: str = PERIOD) -> TieOut:
    total = Total("10", "EUR", Figure(1, Decimal("12345678901234567.89")), unexplained=Decimal(unexplained))
    return TieOut("demo", period, AT, "Kanarienvogel", (total,))


def make(kept: TieOuts, one: TieOut | None = None, lines: Sequence[Line] = ()) -> Kept:
    made = one or found()
    draft = kept.begin(made.period, "kari")
    for each in lines:
        draft.tell(each)
    return draft.keep(made)


def test_it_is_kept_whole_and_sealed(kept: TieOuts, url: str, db: Database) -> None:
    lines = [line(number) for number in range(MANY)]
    made = make(kept, lines=lines)
    content = kept.content(made.number)
    assert msgspec.structs.replace(content, lines=0, lines_digest="") == found()
    assert (content.lines, made.ties, made.made_by, made.made_at) == (MANY, True, "kari", AT)
    assert content.lines_digest == hashlib.sha256(b"".join(canonical_line(one) for one in lines)).hexdigest()
    assert made.digest == hashlib.sha256(canonical(content)).hexdigest()
    assert list(kept.lines(made.number)) == lines
    assert list(kept.lines(made.number, PART - 1)) == lines[PART - 1 :]
    assert b"Kanarienvogel" not in raw_bytes(url, db)


def test_the_digest_covers_every_document(kept: TieOuts) -> None:
    one, other = make(kept, lines=[line(1)]), make(kept, lines=[line(2)])
    assert one.digest != other.digest
    assert make(kept, lines=[line(1)]).digest == one.digest


def test_the_latest_of_a_period_is_found(kept: TieOuts) -> None:
    assert kept.latest(PERIOD) is None
    first, second = make(kept), make(kept, found("1"))
    other = make(kept, found(period="2026-10"))
    assert kept.latest(PERIOD) == second
    assert [one.number for one in kept.listed(PERIOD)] == [second.number, first.number]
    assert kept.listed()[0] == other
    with pytest.raises(SettingsError, match="no tie-out 999"):
        kept.content(999)


def test_signing_off_freezes_it_and_is_in_the_journal(kept: TieOuts, journal: Journal) -> None:
    made = make(kept)
    signed = kept.sign(made.number, made.digest[:SHORT].upper(), "ola", " all well ")
    assert (signed.signed_by, signed.signed_at, signed.note) == ("ola", AT, "all well")
    assert kept.sign(made.number, made.digest, "ola", "again") == signed
    with pytest.raises(SettingsError, match="signed off already, by ola"):
        kept.sign(made.number, made.digest, "kari")
    (_, entry) = journal.timeline(None, f"tie-out {made.number}")
    assert entry.kind == "signed"
    told = (entry.facts["digest"], entry.facts["person"], entry.facts["period"], entry.body)
    assert told == (made.digest, "ola", PERIOD, {"note": "all well"})
    assert journal.verify().sound
    later = make(kept, found("1"))
    assert kept.signed(PERIOD) == signed
    assert kept.latest(PERIOD) == later


def test_what_is_older_than_one_that_is_signed_is_not_signed(kept: TieOuts, db: Database) -> None:
    """What counts is what was signed last, and that is the latest."""
    first, second, third = make(kept), make(kept, found("0")), make(kept)
    other = make(kept, found(period="2026-10"))
    kept.sign(second.number, second.digest, "ola")
    with pytest.raises(SettingsError, match=f"number {second.number}, a later tie-out of {PERIOD}, is signed off"):
        kept.sign(first.number, first.digest, "kari")
    kept.sign(third.number, third.digest, "kari")
    kept.sign(other.number, other.digest, "kari")
    assert kept.signed(PERIOD) == kept.get(third.number)


def test_of_two_that_are_signed_the_one_that_was_signed_last_counts(
    db: Database, vault: Vault, connection_id: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A store may have them from before."""
    days = iter(AT + timedelta(days=day) for day in range(100))
    kept = TieOuts(db, vault, connection_id, lambda: next(days))
    first, second = make(kept), make(kept)
    kept.sign(second.number, second.digest, "ola")
    with monkeypatch.context() as patch:
        patch.setattr(TieOuts, "_signed_later", lambda *_: 0)  # pyright: ignore[reportUnknownArgumentType, reportUnknownLambdaType]
        kept.sign(first.number, first.digest, "kari")
    assert kept.signed(PERIOD) == kept.get(first.number)


def test_what_was_not_looked_at_is_not_signed(kept: TieOuts) -> None:
    made = make(kept, found("1.50"))
    for digest in ("", made.digest[: SHORT - 1], "0" * SHORT):
        with pytest.raises(SettingsError, match="not the digest"):
            kept.sign(made.number, digest, "ola", "note")
    with pytest.raises(SettingsError, match="say in a note why"):
        kept.sign(made.number, made.digest, "ola", "  ")
    assert kept.sign(made.number, made.digest, "ola", "a known fee").note == "a known fee"


def test_what_is_signed_stays_whatever_is_made_later(kept: TieOuts, db: Database) -> None:
    first = make(kept, lines=[line(1)])
    kept.sign(first.number, first.digest, "ola")
    made = [make(kept, lines=[line(2)]) for _ in range(UNSIGNED_MAX + 3)]
    numbers = [one.number for one in kept.listed(PERIOD)]
    assert numbers == [*(one.number for one in reversed(made[3:])), first.number]
    assert list(kept.lines(first.number)) == [line(1)]
    with db.read() as connection:
        assert set(connection.execute(select(tie_out_lines.c.tie_out_id)).scalars()) == set(numbers)


@pytest.mark.parametrize(
    "altered",
    [{"signed_by": "eve"}, {"note": "all well"}, {"signed_at": None}, {"signed_at": "2026-01-02T03:04:05.000000Z"}],
)
def test_a_sign_off_that_the_journal_tells_otherwise_is_shown_nowhere(
    kept: TieOuts, db: Database, altered: dict[str, str | None]
) -> None:
    made = make(kept, lines=[line(1)])
    kept.sign(made.number, made.digest, "ola")
    make(kept)
    with db.write() as connection:
        connection.execute(update(tie_outs).where(tie_outs.c.id == made.number).values(altered))
    for look in (lambda: kept.get(made.number), kept.listed, lambda: list(kept.lines(made.number))):
        with pytest.raises(StoreError, match=f"signed off tie-out {made.number}.*journal"):
            look()


def test_that_one_was_made_is_told_for_ever(kept: TieOuts, db: Database, vault: Vault, connection_id: int) -> None:
    made = [make(kept) for _ in range(UNSIGNED_MAX + 2)]
    told = Journal(db, vault, connection_id).timeline(None, f"tie-out {made[0].number}")
    facts = {"event": "tie-out made", "tie_out": made[0].number, "period": PERIOD, "digest": made[0].digest}
    assert [entry.facts for entry in told] == [facts | {"ties": True, "person": "kari"}]


def waits(db: Database) -> bool:
    """Whether somebody waits for a row; those who write to a file wait before they look at any."""
    with db.read() as connection:
        return db.file is not None or bool(connection.execute(text("SELECT 1 FROM pg_locks WHERE NOT granted")).first())


def until(said: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not said():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_what_is_signed_at_the_moment_it_would_go_stays(kept: TieOuts, db: Database) -> None:
    oldest = make(kept, lines=[line(1)])
    for _ in range(UNSIGNED_MAX - 1):
        make(kept)
    last = kept.begin(PERIOD, "kari")
    with ThreadPoolExecutor(1) as pool:
        with db.write() as connection:
            signed = {"signed_at": "2026-10-02T07:30:00.000000Z", "signed_by": "ola"}
            connection.execute(update(tie_outs).where(tie_outs.c.id == oldest.number).values(signed))
            kept_too = pool.submit(last.keep, found())
            until(lambda: waits(db))
        kept_too.result(60)
    with db.read() as connection:
        assert oldest.number in connection.execute(select(tie_outs.c.id)).scalars().all()
        there = connection.execute(select(tie_out_lines.c.part).where(tie_out_lines.c.tie_out_id == oldest.number))
        assert len(there.all()) == 1


def test_what_was_left_unfinished_is_not_shown_and_goes(kept: TieOuts, db: Database) -> None:
    left = kept.begin(PERIOD, "kari")
    for number in range(MANY):
        left.tell(line(number))
    assert kept.listed() == []
    with pytest.raises(SettingsError):
        list(kept.lines(left.number))
    made = make(kept, lines=[line(1)])
    dropped = kept.begin(PERIOD, "kari")
    dropped.drop()
    assert [one.number for one in kept.listed()] == [made.number]
    with db.read() as connection:
        assert list(connection.execute(select(tie_outs.c.id)).scalars()) == [made.number]


def test_what_was_altered_or_moved_is_not_told(kept: TieOuts, db: Database, vault: Vault) -> None:
    one, other = make(kept, lines=[line(1)]), make(kept, found("1"), lines=[line(2)])
    elsewhere = TieOuts(db, vault, Connections(db, vault).save("other", {}, {}).id)
    assert elsewhere.listed() == []
    with db.write() as connection:
        connection.execute(update(tie_outs).where(tie_outs.c.id == one.number).values(digest="f" * 64))
        moved = select(tie_out_lines.c.sealed).where(tie_out_lines.c.tie_out_id == one.number).scalar_subquery()
        theirs = update(tie_out_lines).where(tie_out_lines.c.tie_out_id == other.number)
        connection.execute(theirs.values(sealed=moved))
    with pytest.raises(StoreError, match="not as it was made"):
        kept.content(one.number)
    with pytest.raises(VaultError):
        list(kept.lines(other.number))


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_sign_offs_are_found_in_a_long_journal_by_its_index(kept: TieOuts, db: Database, connection_id: int) -> None:
    asked: list[tuple[str, Any]] = []

    def note(_c: Any, _u: Any, statement: str, values: Any, *_: Any) -> None:
        asked.append((statement, values))

    event.listen(db.engine, "before_cursor_execute", note)
    assert kept.gone(PERIOD) == []
    assert sign_off(db, connection_id, "0" * 64) == 0
    event.remove(db.engine, "before_cursor_execute", note)
    with db.read() as connection:
        plans = [
            row.detail
            for statement, values in asked
            if " journal" in statement
            for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)
        ]
    assert [one for one in plans if "journal_by_key (connection_id=? AND key>? AND key<?)" not in one] == []
    assert len(plans) == 2


def test_documents_that_are_gone_are_missed(kept: TieOuts, db: Database) -> None:
    made = make(kept, lines=[line(number) for number in range(MANY)])
    with db.write() as connection:
        connection.execute(delete(tie_out_lines).where(tie_out_lines.c.part == 1))
    with pytest.raises(StoreError, match="has lost 3 of its documents"):
        list(kept.lines(made.number))
