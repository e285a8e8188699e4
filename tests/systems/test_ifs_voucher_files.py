"""Vouchers by file: what is in the folder, what a crash leaves of it, and what the stand-in IFS makes of it."""

import hashlib
import os
import zlib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import uuid4

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from reaching import ifs_client

from ml_connector.errors import ConnectorError, StoreError
from ml_connector.records.voucher import Voucher, VoucherRow
from ml_connector.sandbox import Sandbox, SandboxOptions, start
from ml_connector.sandbox.faults import Fault
from ml_connector.sandbox.ifs import IfsOptions
from ml_connector.sync.plan import Found
from ml_connector.sync.ports import Handed, Refused, Write
from ml_connector.systems.ifs.client import IfsClient
from ml_connector.systems.ifs.vouchers import stdvou
from ml_connector.systems.ifs.vouchers.compose import Posting
from ml_connector.systems.ifs.vouchers.file import files
from ml_connector.systems.ifs.vouchers.landing import Landing
from ml_connector.systems.ifs.vouchers.lookup import Lookup
from ml_connector.systems.ifs.vouchers.references import Reference
from ml_connector.systems.ifs.vouchers.target import VoucherTarget

DAY = date(2026, 7, 1)
NOON = datetime(2026, 7, 2, 12, tzinfo=UTC)
WITH_REFERENCE = {"serie": 40, "reference": 41, "party": 42}
Connect = Callable[..., VoucherTarget]


@pytest.fixture(scope="module")
def shared() -> Iterator[Sandbox]:
    with start(SandboxOptions(suppliers=3, orders=2, ifs=IfsOptions(rate_limit=100_000))) as started:
        yield started
        assert started.crashes == []


@pytest.fixture
def box(shared: Sandbox) -> Iterator[Sandbox]:
    yield shared
    shared.faults.clear()


@pytest.fixture
def key(request: pytest.FixtureRequest) -> str:
    """A document that no other test has."""
    return f"F-{zlib.crc32(request.node.name.encode())}"


@pytest.fixture
def connect(box: Sandbox, tmp_path: Path) -> Iterator[Connect]:
    made: list[IfsClient] = []

    def target(flow: str = "payments", **more: Any) -> VoucherTarget:
        made.append(ifs_client(box, attempts_max=2))
        return VoucherTarget(made[-1], Landing("file", folder=str(tmp_path), **more), flow, lambda: NOON)

    yield target
    for one in made:
        one.close()


def voucher(amount: str = "100.00", company: str = "10", text: str = "Chairs; and\nmore") -> Voucher:
    number = Decimal(amount)
    rows = (
        VoucherRow("6110", "GBP", number, number * 2, (("B", "100"), ("F", "P-001")), "Four; legs", "S-1"),
        VoucherRow("1930", "GBP", -number, -number * 2, (), "From the bank"),
    )
    return Voucher(company, DAY, text, rows)


def create(target: VoucherTarget, key: str, wanted: Voucher, on: date | None = None) -> Write:
    return Write(key, "", target.trim(wanted), effective_on=on)


def shown(folder: Path) -> list[Path]:
    return sorted(path for path in folder.glob("*.txt") if not path.name.startswith("."))


def take(box: Sandbox, folder: Path, **layout: int) -> None:
    """What a person does: load each file, and put it away."""
    for path in shown(folder):
        outcome = box.ledger.load_file(path.name.split("-")[2], "AIRBASE", path.read_bytes(), dict(layout))
        assert outcome["errors"] == []
        path.rename(path.with_suffix(".loaded"))


def net(box: Sandbox, key: str) -> dict[str, Decimal]:
    """What all vouchers of a document come to, by the texts that they begin with."""
    found: dict[str, Decimal] = defaultdict(Decimal)
    for one in box.ledger.vouchers():
        if (one["text"] or "").partition(" ")[0].partition("/")[0] == key:
            for row in one["rows"]:
                found[row["account"]] += row["currency_debit"] - row["currency_credit"]
    return {account: amount for account, amount in found.items() if amount}


def count(box: Sandbox, key: str) -> Counter[str]:
    texts = [(one["text"] or "").partition(" ")[0] for one in box.ledger.vouchers()]
    return Counter(text for text in texts if text.partition("/")[0] == key)


def test_a_file_a_company_with_its_manifest(connect: Connect, tmp_path: Path) -> None:
    target = connect()
    writes = [create(target, f"M-{n}", voucher(str(n), "20" if n == 3 else "10")) for n in (1, 2, 3)]
    results = target.send(writes)
    assert [type(one) for one in results] == [Handed] * 3
    first, second = files(tmp_path)
    assert {path.name for path in shown(tmp_path)} == {first.name, second.name}
    ten = first if first.company == "10" else second
    assert ten.name.startswith("mlc-payments-10-20260702T120000-")
    assert (ten.vouchers, ten.rows, ten.references) == (2, 4, ("M-1", "M-2"))
    [total] = ten.totals
    assert (total.currency, total.debit, total.credit) == ("GBP", Decimal(3), Decimal(3))
    [one, *_] = results
    assert isinstance(one, Handed)
    assert one.held.cause == "handed_over"
    assert ten.name in one.held.sentence
    assert "External Voucher Assistant" in one.held.remedy
    assert str(one.held.stake) == "GBP 1.00"
    assert not list(tmp_path.glob(".*.tmp"))


def test_the_columns_are_those_of_the_template() -> None:
    wanted = voucher()
    landing = Landing("file", folder="x", layout=WITH_REFERENCE)
    [line, _] = stdvou.text([Posting(Reference("A"), wanted, DAY)], landing).splitlines()
    cells = line.split(";")
    filled = {number: cell for number, cell in enumerate(cells) if cell}
    assert filled == {
        0: "A",
        1: "2026",
        2: "6110",
        3: "100",
        7: "P-001",
        12: "GBP",
        15: "100",
        18: "200",
        24: "Chairs and more",
        31: "2026-07-01",
        40: "AIRBASE",
        41: "A",
        42: "S-1",
    }


@given(
    st.text(max_size=60), st.text(max_size=60), st.text(max_size=10), st.text(max_size=10), st.sampled_from(";,|^~\t")
)
def test_no_value_shifts_a_column(text: str, row_text: str, account: str, part: str, separator: str) -> None:
    row = VoucherRow(account, "GBP", Decimal("1.5"), Decimal("1.5"), (("B", part),), row_text, part)
    landing = Landing("file", folder="x", separator=separator, layout={"party": 33})
    written = stdvou.text([Posting(Reference("A"), Voucher("10", DAY, text, (row, row)), DAY)], landing)
    lines = written.split("\n")
    assert len(lines) == 3
    assert not lines[2]
    for line in written.splitlines():
        cells = line.split(separator)
        assert len(cells) == 34
        assert (cells[12], cells[15], cells[31]) == ("GBP", "1.5", "2026-07-01")


@pytest.mark.parametrize("layout", [{}, WITH_REFERENCE])
def test_pending_until_it_is_there(
    box: Sandbox, connect: Connect, tmp_path: Path, key: str, layout: dict[str, int]
) -> None:
    target = connect(layout=layout)
    write = create(target, key, voucher(), date(2026, 8, 3))
    target.send([write])
    [file] = files(tmp_path)
    assert target.find([key]) == (Found(key, file.name, None, pending=True),)
    assert [one for page in target.walk() for one in page if one.key == key] == [*target.find([key])]
    again = connect(layout=layout)
    [result] = again.send([write])
    assert isinstance(result, Handed)
    assert len(files(tmp_path)) == 1
    take(box, tmp_path, **layout)
    [found] = target.find([key])
    assert (found.record, found.pending) == (write.after, False)
    assert [one for page in target.walk() for one in page if one.key == key] == [found]
    box.ledger.approve()
    box.ledger.update_gl()
    assert again.find([key]) == (found,)


@pytest.mark.parametrize("layout", [{}, WITH_REFERENCE])
@pytest.mark.parametrize("length", [len("F-0"), 36])
def test_a_key_with_which_another_begins_is_another(
    box: Sandbox, connect: Connect, tmp_path: Path, key: str, layout: dict[str, int], length: int
) -> None:
    """Long keys are asked for by what texts begin with, and what came of others is left out."""
    target, one = connect(layout=layout), key.ljust(length, "0")
    writes = [create(target, one, voucher("1.00")), create(target, f"{one}0", voucher("2.00"))]
    target.send(writes)
    take(box, tmp_path, **layout)
    for settle in (lambda: None, box.ledger.approve, box.ledger.update_gl):
        settle()
        assert [(found.key, found.record) for found in target.find([one])] == [(one, writes[0].after)]
        assert {found.key for found in target.find([one, f"{one}0"])} == {one, f"{one}0"}
        with closing(ifs_client(box)) as client:
            seen = Lookup(client, Landing("file", folder=str(tmp_path), layout=layout)).posted([one])
        assert seen.keys() == {one}, "else a tie-out would count what is another's"


def test_many_documents_are_asked_for_in_few_requests(box: Sandbox, connect: Connect) -> None:
    box.ifs_log.reset()
    target = connect()
    assert target.find([str(uuid4()) for _ in range(100)]) == ()
    asked = [entry for entry in box.ifs_log.entries("GET") if "Voucher" in entry.path]
    assert len(asked) == 8, "by reference and by text, 50 at a time, in the hold table and in the ledger"


@pytest.mark.parametrize("in_ledger", [False, True])
def test_a_correction_is_a_reversal_and_a_repost_in_a_file(
    box: Sandbox, connect: Connect, tmp_path: Path, key: str, in_ledger: bool
) -> None:
    target = connect()
    target.send([create(target, key, voucher())])
    take(box, tmp_path)
    if in_ledger:
        box.ledger.approve()
        box.ledger.update_gl()
    [there] = target.find([key])
    write = Write(key, there.target_id, target.trim(voucher("70")), there.record)
    for _ in range(3):
        [result] = target.send([write])
        assert isinstance(result, Handed)
    assert len(shown(tmp_path)) == 1
    [pending] = target.find([key])
    assert pending.pending
    take(box, tmp_path)
    [found] = target.find([key])
    assert (found.record, found.pending) == (write.after, False)
    assert count(box, key) == Counter([key, f"{key}/R1", f"{key}/2"])
    assert net(box, key) == {"6110": Decimal(70), "1930": Decimal(-70)}
    target.send([Write(key, found.target_id, target.trim(Voucher("10", DAY, "")), found.record)])
    take(box, tmp_path)
    assert net(box, key) == {}


def test_a_correction_to_another_company_is_in_two_files_at_once(
    box: Sandbox, connect: Connect, tmp_path: Path, key: str
) -> None:
    target = connect()
    target.send([create(target, key, voucher())])
    take(box, tmp_path)
    [there] = target.find([key])
    write = Write(key, there.target_id, target.trim(voucher(company="20")), there.record)
    assert isinstance(target.send([write])[0], Handed)
    assert sorted(path.name.split("-")[2] for path in shown(tmp_path)) == ["10", "20"]
    take(box, tmp_path)
    [found] = target.find([key])
    assert found.record == write.after


class Crashed(Exception):
    """The machine went off."""


_STEPS = 7  # an fsync or a rename each


@pytest.mark.parametrize("after", range(_STEPS + 1))
def test_a_crash_anywhere_hands_over_once(
    box: Sandbox, connect: Connect, tmp_path: Path, key: str, after: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = connect()
    left = [after]

    def crash_or(act: Callable[..., Any]) -> Callable[..., Any]:
        def acted(*given_: Any) -> Any:
            if left[0] == 0:
                raise Crashed
            left[0] -= 1
            return act(*given_)

        return acted

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", crash_or(os.fsync))
        patch.setattr(Path, "replace", crash_or(Path.replace))
        try:
            target.send([create(target, key, voucher())])
        except Crashed:
            pass
        else:
            assert after == _STEPS
    # The next run: looked up, and sent only when it is nowhere.
    target = connect()
    if not target.find([key]):
        target.send([create(target, key, voucher())])
    assert [one.keys for one in files(tmp_path)] == [(key,)]
    assert [path.name for path in shown(tmp_path)] == [one.name for one in files(tmp_path)]
    assert not list(tmp_path.glob("**/.*.tmp"))
    take(box, tmp_path)
    assert count(box, key) == Counter([key])


def test_a_full_disk_is_said_and_hands_over_nothing(
    connect: Connect, tmp_path: Path, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = connect()
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", _full)
        with pytest.raises(StoreError, match="No space"):
            target.send([create(target, key, voucher())])
    assert target.find([key]) == ()
    assert files(tmp_path) == []


def _full(_number: int) -> None:
    raise OSError(28, "No space left on device")


def test_a_manifest_that_can_not_be_read_stops_everything(connect: Connect, tmp_path: Path, key: str) -> None:
    target = connect()
    target.send([create(target, key, voucher())])
    [path] = (tmp_path / ".handed").glob("*.json")
    path.write_text("{")
    with pytest.raises(ConnectorError, match="can't be read"):
        connect().find([key])


def test_flows_do_not_touch_each_others_files(connect: Connect, tmp_path: Path) -> None:
    one, other = connect(), connect("ledger_entries")
    hidden = tmp_path / ".mlc-ledger_entries-10-x.txt.tmp"
    hidden.parent.mkdir(exist_ok=True)
    hidden.write_text("being written")
    one.find(["Z-1"])
    assert hidden.exists()
    other.find(["Z-1"])
    assert not hidden.exists()


def test_what_can_not_be_in_a_file_is_refused(connect: Connect, tmp_path: Path) -> None:
    target = connect()
    [result] = target.send([create(target, "two words", voucher())])
    assert isinstance(result, Refused)
    assert files(tmp_path) == []


def test_ifs_out_of_reach_hands_over_nothing(box: Sandbox, connect: Connect, tmp_path: Path, key: str) -> None:
    target = connect()
    target.send([create(target, key, voucher())])
    box.faults.add(Fault("status", method="GET", options={"status": 503}))
    with pytest.raises(ConnectorError):
        connect().send([create(target, key, voucher())])
    assert len(files(tmp_path)) == 1


def test_the_manifest_names_what_the_file_holds(connect: Connect, tmp_path: Path, key: str) -> None:
    target = connect()
    target.send([create(target, key, voucher())])
    [one] = files(tmp_path)
    told = msgspec.json.decode((tmp_path / ".handed" / f"{one.name}.json").read_bytes())
    assert told["sha256"] == hashlib.sha256((tmp_path / one.name).read_bytes()).hexdigest()


def test_a_tenant_without_a_hold_table_to_be_seen(box: Sandbox, connect: Connect, tmp_path: Path, key: str) -> None:
    """It waits as handed over until it is in the ledger, which is all that can be seen."""
    box.faults.add(Fault("status", path="*VoucherEntryHandling*", options={"status": 403}))
    target = connect()
    write = create(target, key, voucher())
    target.send([write])
    take(box, tmp_path)
    [found] = target.find([key])
    assert found.pending
    box.ledger.approve()
    box.ledger.update_gl()
    [found] = target.find([key])
    assert (found.record, found.pending) == (write.after, False)
