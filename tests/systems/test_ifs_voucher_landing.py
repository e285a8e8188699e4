"""Vouchers into the stand-in IFS, over sockets: each landing, with what goes wrong on the way, counted there."""

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from reaching import ifs_client

from ml_connector.errors import AuthError, RemoteError, SettingsError
from ml_connector.records.voucher import Voucher, VoucherRow
from ml_connector.sandbox import Sandbox, SandboxOptions, start
from ml_connector.sandbox.faults import Fault
from ml_connector.sandbox.ifs import IfsOptions
from ml_connector.sync.plan import Found, same
from ml_connector.sync.ports import Done, Handed, Refused, Result, Unknown, Write
from ml_connector.systems.ifs.client import IfsClient
from ml_connector.systems.ifs.vouchers.landing import Landing
from ml_connector.systems.ifs.vouchers.target import VoucherTarget

DAY = date(2026, 7, 1)
LATER = date(2026, 8, 3)
ODATA = ("external", "manual")
HANDLERS = "/main/ifsapplications/projection/v1"
Connect = Callable[..., VoucherTarget]


@pytest.fixture
def box() -> Iterator[Sandbox]:
    options = SandboxOptions(suppliers=3, orders=2, ifs=IfsOptions(rate_limit=100_000))
    with start(options) as started:
        yield started
        assert started.crashes == []


@pytest.fixture
def connect(box: Sandbox) -> Iterator[Connect]:
    made: list[IfsClient] = []

    def target(kind: Any = "external", profile: dict[str, Any] | None = None, **settings_: Any) -> VoucherTarget:
        made.append(ifs_client(box, profile, attempts_max=2, total_s=5))
        return VoucherTarget(made[-1], Landing(kind, **settings_), "payments")

    yield target
    for one in made:
        one.close()


def voucher(
    amount: str = "100.00", company: str = "10", *, on: date = DAY, text: str = "Chairs", **more: Any
) -> Voucher:
    """Office supplies against the bank, in pounds: another currency than either company's."""
    number = Decimal(amount)
    rows = (
        VoucherRow("6110", "GBP", number, number * 2, (("B", "100"), ("F", "P-001")), "Four legs each", "S-1"),
        VoucherRow("1930", "GBP", -number, -number * 2, (), "From the bank"),
    )
    return Voucher(company, on, text, rows, **more)


def create(target: VoucherTarget, key: str, wanted: Voucher, on: date | None = None) -> Write:
    return Write(key, "", target.trim(wanted), effective_on=on)


def correct(target: VoucherTarget, key: str, wanted: Voucher, on: date | None = None) -> Write:
    there = target.find([key])[0]
    return Write(key, there.target_id, target.trim(wanted), there.record, on)


def send_until_settled(target: VoucherTarget, writes: Sequence[Write]) -> dict[str, Result]:
    """As the pipeline does: what got no trustworthy answer is looked up before it is sent again."""
    settled: dict[str, Result] = {}
    left = list(writes)
    for _ in range(6):
        if not left:
            return settled
        settled |= {one.key: one for one in target.send(left) if not isinstance(one, Unknown)}
        left = [write for write in left if write.key not in settled]
        for write in left:
            there = [one for one in target.find([write.key]) if same(one.record, write.after)]
            if there:
                settled[write.key] = Done(write.key, there[0].target_id)
        left = [write for write in left if write.key not in settled]
    raise AssertionError(f"never settled: {[write.key for write in left]}")


def ours(box: Sandbox) -> list[dict[str, Any]]:
    return [one for one in box.ledger.vouchers() if one["serie"] == "AIRBASE"]


def references(box: Sandbox) -> Counter[str]:
    return Counter(one["number"] for one in ours(box))


def net(box: Sandbox, key: str) -> dict[str, Decimal]:
    """What all vouchers of a document come to, account by account."""
    found: dict[str, Decimal] = defaultdict(Decimal)
    for one in ours(box):
        if re.fullmatch(re.escape(key) + r"(/R?\d+)?", one["number"]):
            for row in one["rows"]:
                found[row["account"]] += row["currency_debit"] - row["currency_credit"]
    return {account: amount for account, amount in found.items() if amount}


def loads(box: Sandbox) -> list[dict[str, Any]]:
    return list(box.world.rows("ExtLoadInfoSet"))


# Round trips


@pytest.mark.parametrize("kind", ODATA)
def test_what_is_sent_is_found_again_as_it_was(box: Sandbox, connect: Connect, kind: str) -> None:
    target = connect(kind)
    writes = [create(target, f"A-{n}", voucher(f"{n}.10", "20" if n % 2 else "10")) for n in range(1, 8)]
    results = target.send(writes)
    assert [type(one) for one in results] == [Done] * 7
    found = {one.key: one for one in target.find([write.key for write in writes])}
    for write, result in zip(writes, results, strict=True):
        assert isinstance(result, Done)
        assert found[write.key] == Found(write.key, result.target_id, write.after)
    box.ledger.approve()
    box.ledger.update_gl()
    assert {one.key: one for one in target.find([write.key for write in writes])} == found
    assert {one.key: one for page in target.walk() for one in page} == found
    assert target.find(["A-9", "A"]) == ()


def test_the_voucher_says_who_made_it_and_when_it_was(box: Sandbox, connect: Connect) -> None:
    target = connect()
    [result] = target.send([create(target, "A-1", voucher(rate_note="GBP 2 airbase 2026-07-01"), LATER)])
    [one] = ours(box)
    assert isinstance(result, Done)
    assert result.target_id == f"10/X/2026/{one['no']}"
    assert (one["date"], one["group"], one["status"]) == (LATER, "AC", "AwaitingApproval")
    assert one["text"] == "Chairs · Four legs each · GBP 2 airbase 2026-07-01 (dated 2026-07-01)"
    assert target.find(["A-1"])[0].record.dated_on == DAY


_ODD = st.text(st.characters(codec="utf-8"), max_size=230)
_AMOUNTS = st.decimals("0.000000001", "999999999999999999999", places=9)
_PARTS = st.sampled_from(
    [(), (("B", "100"),), (("B", "200"), ("D", "NORTH")), (("B", "100"), ("C", "C1"), ("F", "P-002"))]
)


@st.composite
def vouchers(draw: st.DrawFn) -> Voucher:
    """A voucher that the ledger takes, with texts that nobody would write."""
    rows: list[VoucherRow] = []
    for amount in draw(st.lists(_AMOUNTS, min_size=1, max_size=4)):
        own = draw(_AMOUNTS)
        sign = draw(st.sampled_from([1, -1]))
        parts, party = draw(_PARTS), draw(st.sampled_from(["", "S-1"]))
        rows.append(VoucherRow("3740", "GBP", sign * amount, sign * own, parts, draw(_ODD), party))
        rows.append(VoucherRow("1930", "GBP", -sign * amount, -sign * own, (), draw(_ODD)))
    day = draw(st.dates(date(2026, 2, 1), date(2026, 11, 30)))
    return Voucher(
        draw(st.sampled_from(["10", "20"])),
        day,
        draw(_ODD),
        tuple(rows),
        rate_note=draw(st.sampled_from(["", "GBP 2"])),
    )


@pytest.mark.parametrize("kind", [*ODATA, "file"])
def test_any_voucher_comes_back_as_it_was_trimmed(box: Sandbox, connect: Connect, kind: str, tmp_path: Path) -> None:
    target = connect(kind, folder=str(tmp_path) if kind == "file" else "")
    number = iter(range(10_000))
    loaded: set[str] = set()

    @settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(wanted=vouchers(), shift=st.sampled_from([None, DAY, LATER]))
    def check(wanted: Voucher, shift: date | None) -> None:
        write = create(target, f"K-{next(number)}", wanted, shift)
        [result] = target.send([write])
        if kind == "file":
            assert isinstance(result, Handed)
            load_files(box, tmp_path, loaded)
        else:
            assert isinstance(result, Done), result
        [found] = target.find([write.key])
        assert same(found.record, write.after)
        assert same(target.trim(found.record), write.after)

    check()


def load_files(box: Sandbox, folder: Path, loaded: set[str], **layout: int) -> None:
    """What a person does with the files that are new."""
    for path in sorted(folder.glob("*.txt")):
        if path.name not in loaded:
            company = path.name.split("-")[2]
            outcome = box.ledger.load_file(company, "AIRBASE", path.read_bytes(), dict(layout))
            assert outcome["errors"] == [], outcome
            loaded.add(path.name)


# What stands


@pytest.mark.parametrize("kind", ODATA)
@pytest.mark.parametrize("in_ledger", [False, True])
def test_a_correction_leaves_what_is_wanted(box: Sandbox, connect: Connect, kind: str, in_ledger: bool) -> None:
    target = connect(kind)
    target.send([create(target, "A-1", voucher("100"))])
    if in_ledger:
        box.ledger.approve()
        box.ledger.update_gl()
    write = correct(target, "A-1", voucher("120", text="Chairs, corrected"), LATER)
    [result] = target.send([write])
    assert isinstance(result, Done), result
    assert target.find(["A-1"]) == (Found("A-1", result.target_id, write.after),)
    assert net(box, "A-1") == {"6110": Decimal(120), "1930": Decimal(-120)}
    wanted = {"A-1", "A-1/R1", "A-1/2"} if in_ledger else {"A-1"}
    assert references(box) == Counter(wanted)
    assert target.send([write]) == (result,)  # once more changes nothing
    assert references(box) == Counter(wanted)
    assert (result.target_id == write.target_id) is not in_ledger


@pytest.mark.parametrize("kind", ODATA)
def test_version_follows_version(box: Sandbox, connect: Connect, kind: str) -> None:
    target = connect(kind)
    target.send([create(target, "A-1", voucher("100"))])
    for amount in ("200", "300"):
        box.ledger.approve()
        box.ledger.update_gl()
        target.send([correct(target, "A-1", voucher(amount))])
    assert references(box) == Counter(["A-1", "A-1/R1", "A-1/2", "A-1/R2", "A-1/3"])
    assert net(box, "A-1") == {"6110": Decimal(300), "1930": Decimal(-300)}
    [withdrawn] = target.send([correct(target, "A-1", Voucher("10", DAY, ""))])
    assert isinstance(withdrawn, Done)
    assert net(box, "A-1") == {}
    assert target.find(["A-1"])[0].record.rows == ()
    target.send([correct(target, "A-1", voucher("400"))])
    assert references(box)["A-1/4"] == 1
    assert net(box, "A-1") == {"6110": Decimal(400), "1930": Decimal(-400)}


@pytest.mark.parametrize("kind", ODATA)
def test_a_withdrawal_reverses_even_in_the_hold_table(box: Sandbox, connect: Connect, kind: str) -> None:
    target = connect(kind)
    target.send([create(target, "A-1", voucher())])
    write = correct(target, "A-1", Voucher("10", DAY, "gone"), LATER)
    for _ in range(2):
        [result] = target.send([write])
        assert result == Done("A-1", write.target_id)
    assert references(box) == Counter(["A-1", "A-1/R1"])
    reversal = next(one for one in ours(box) if one["number"] == "A-1/R1")
    assert reversal["text"] == "Reversal of Chairs · Four legs each"
    assert reversal["date"] == date(2026, 7, 1)  # its own day, as that is open


@pytest.mark.parametrize("kind", ODATA)
def test_a_correction_moves_to_another_company_or_year(box: Sandbox, connect: Connect, kind: str) -> None:
    target = connect(kind)
    target.send([create(target, "A-1", voucher()), create(target, "A-2", voucher())])
    [moved] = target.send([correct(target, "A-1", voucher(company="20"))])
    [later] = target.send([correct(target, "A-2", voucher("50"), date(2027, 1, 4))])
    assert isinstance(moved, Done)
    assert isinstance(later, Done)
    assert moved.target_id.startswith("20/")
    assert "/2027/" in later.target_id
    assert references(box) == Counter(["A-1", "A-1/R1", "A-1/2", "A-2", "A-2/R1", "A-2/2"])
    assert target.find(["A-1"])[0].record == target.trim(voucher(company="20"))


def test_a_missing_half_of_a_correction_is_all_that_is_sent(box: Sandbox, connect: Connect) -> None:
    """The repost went into one company, the reversal in the other was lost: what stands is both, until it is mended."""
    target = connect("manual")
    target.send([create(target, "A-1", voucher())])
    there = target.find(["A-1"])[0]
    box.faults.add(Fault("status", method="POST", path="*VoucherEntryHandling*batch", after=1, options={"status": 503}))
    write = correct(target, "A-1", voucher(company="20"))
    [result] = target.send([write])
    assert isinstance(result, Unknown)
    assert references(box) == Counter(["A-1", "A-1/R1"])
    assert not same(target.find(["A-1"])[0].record, there.record)
    box.faults.clear()
    assert isinstance(target.send([write])[0], Done)
    assert references(box) == Counter(["A-1", "A-1/R1", "A-1/2"])


@pytest.mark.parametrize("wanted", [voucher("2"), Voucher("10", DAY, "")])
def test_what_is_not_to_be_seen_is_not_posted_again(box: Sandbox, connect: Connect, wanted: Voucher) -> None:
    target = connect()
    [result] = target.send([Write("A-1", "10/X/2026/7", target.trim(wanted))])
    assert isinstance(result, Refused)
    assert result.held.cause == "gone_from_target"
    assert ours(box) == []


def test_a_field_that_vouchers_are_found_by_can_not_be_left_out(connect: Connect) -> None:
    with pytest.raises(SettingsError, match=r"hold_vouchers\.fields\.reference_serie can't be left out"):
        connect(profile={"hold_vouchers": {"fields": {"reference_serie": ""}}})


def test_other_names_of_a_tenant(connect: Connect, box: Sandbox) -> None:
    own_order = {"paging": "skip"}
    profile = {"load_rows": {"fields": {"party": ""}}, "hold_rows": own_order, "voucher_rows": own_order}
    target = connect(profile=profile)
    write = create(target, "A-1", voucher())
    target.send([write])
    box.ledger.approve()
    box.ledger.update_gl()
    [found] = target.find(["A-1"])
    assert found.record.rows[1] == write.after.rows[1]
    assert [one for page in target.walk() for one in page] == [found]


def test_two_vouchers_under_one_reference_are_both_found(box: Sandbox, connect: Connect) -> None:
    target = connect()
    write = create(target, "A-1", voucher())
    target.send([write])
    connect("manual").send([write])  # knows nothing of the first, as if somebody had entered it again
    found = target.find(["A-1"])
    assert len({one.target_id for one in found}) == 1  # looked up before the first send, so it was not sent
    other = connect("manual")
    other.send([create(other, "A-9", voucher())])
    other.send([write])
    assert len({one.target_id for one in target.find(["A-1"])}) == 2
    [result] = target.send([Write("A-1", found[0].target_id, target.trim(voucher("7")))])
    assert isinstance(result, Refused)
    assert result.held.cause == "doubled_in_target"


# What goes wrong


_EXT = f"{HANDLERS}/ExternalVoucherHandling.svc"
_HOLD = f"{HANDLERS}/VoucherEntryHandling.svc"
_STEPS = {
    "open": ("external", "POST", f"{_EXT}/ExtLoadInfoSet"),
    "fill": ("external", "POST", f"{_EXT}/$batch"),
    "check": ("external", "POST", "*ExtLoadInfo_Check"),
    "create": ("external", "POST", "*ExtLoadInfo_Create"),
    "read back": ("external", "GET", f"{_HOLD}/HoldVoucherSet"),
    "look": ("external", "GET", f"{_EXT}/ExtLoadInfoSet"),
    "enter": ("manual", "POST", f"{_HOLD}/$batch"),
}
_TROUBLES: dict[str, dict[str, Any]] = {
    "lost answer": {"kind": "reset_after"},
    "never arrived": {"kind": "reset_before"},
    "500 after effect": {"kind": "status", "options": {"status": 500, "effect": True}},
    "504 without effect": {"kind": "status", "options": {"status": 504}},
    "throttled": {"kind": "status", "options": {"status": 429, "retry_after": 0}},
    "cut off": {"kind": "truncated", "options": {"stop_at": 20}},
    "not what it should be": {"kind": "html"},
    "stale": {"kind": "stale_etag"},
}


@pytest.mark.parametrize("trouble", _TROUBLES)
@pytest.mark.parametrize("step", _STEPS)
@pytest.mark.parametrize("times", [1, 2])
def test_trouble_anywhere_doubles_and_loses_nothing(
    box: Sandbox, connect: Connect, step: str, trouble: str, times: int
) -> None:
    kind, method, path = _STEPS[step]
    fault = Fault(**_TROUBLES[trouble], method=method, path=path, count=times, after=times - 1)
    target = connect(kind)
    target.send([create(target, "B-0", voucher())])
    box.faults.add(fault)
    writes = [create(target, f"B-{n}", voucher(str(n), "20" if n > 3 else "10")) for n in range(1, 6)]
    settled: dict[str, Result] = {}
    for _ in range(4):
        try:
            settled = send_until_settled(target, writes)
            break
        except RemoteError:
            assert references(box).keys() <= {"B-0", *(write.key for write in writes)}
            target = connect(kind)  # the next run
            writes = [write for write in writes if not target.find([write.key])]
    assert references(box) == Counter({f"B-{n}": 1 for n in range(6)})
    assert all(isinstance(one, Done) for one in settled.values())
    assert {one["LoadState"] for one in loads(box)} <= {"Created"} or kind == "manual"


@pytest.mark.parametrize("kind", ODATA)
@pytest.mark.parametrize("trouble", _TROUBLES)
@pytest.mark.parametrize("in_ledger", [False, True])
def test_trouble_in_a_correction(box: Sandbox, connect: Connect, kind: str, trouble: str, in_ledger: bool) -> None:
    target = connect(kind)
    target.send([create(target, "B-1", voucher())])
    if in_ledger:
        box.ledger.approve()
        box.ledger.update_gl()
    write = correct(target, "B-1", voucher("70"))
    for path in ("*ExtLoadInfo_Create", "*batch", f"{_HOLD}/HoldVoucherSet"):
        box.faults.add(Fault(**_TROUBLES[trouble], path=path, count=1))
    settled: dict[str, Result] = {}
    for _ in range(4):
        try:
            settled = send_until_settled(target, [write])
            break
        except RemoteError:
            target = connect(kind)
    assert isinstance(settled["B-1"], Done)
    assert references(box) == Counter(["B-1", "B-1/R1", "B-1/2"] if in_ledger else ["B-1"])
    assert net(box, "B-1") == {"6110": Decimal(70), "1930": Decimal(-70)}


@pytest.mark.parametrize("step", ["check", "create"])
def test_a_lost_answer_about_a_load_is_learnt_from_its_state(box: Sandbox, connect: Connect, step: str) -> None:
    box.faults.add(Fault("reset_after", path=_STEPS[step][2], count=1))
    target = connect()
    assert [type(one) for one in target.send([create(target, "B-1", voucher())])] == [Done]
    assert len(loads(box)) == 1


def test_a_creation_that_takes_longer_than_we_wait_can_not_happen_later(box: Sandbox, connect: Connect) -> None:
    """The load is deleted before the next is sent, and with it the chance that its creation still comes."""
    box.faults.add(Fault("status", path="*ExtLoadInfo_Create", count=1, options={"status": 504}))
    box.faults.add(Fault("status", method="DELETE", count=1, options={"status": 503}))
    target = connect()
    write = create(target, "B-1", voucher())
    assert isinstance(target.send([write])[0], Unknown)
    [left] = loads(box)
    assert isinstance(send_until_settled(target, [write])["B-1"], Done)
    [made] = loads(box)
    assert (left["LoadState"], made["LoadState"]) == ("Checked", "Created")
    assert left["FileName"] != made["FileName"]
    assert references(box) == Counter(["B-1"])


def test_nothing_delivered_is_raised(box: Sandbox, connect: Connect) -> None:
    target = connect()
    box.faults.add(Fault("status", path="*batch", options={"status": 403}))
    with pytest.raises(AuthError):
        target.send([create(target, "B-1", voucher())])
    assert ours(box) == []
    assert loads(box) == []


def test_a_load_that_a_crash_left_is_deleted_before_another_is_sent(box: Sandbox, connect: Connect) -> None:
    box.faults.add(Fault("status", path="*ExtLoadInfo_Create", options={"status": 503}))
    box.faults.add(Fault("status", method="DELETE", options={"status": 503}))
    first = connect()
    assert [type(one) for one in first.send([create(first, "B-1", voucher())])] == [Unknown]
    assert [one["LoadState"] for one in loads(box)] == ["Checked"]
    box.faults.clear()
    second = connect()
    assert [type(one) for one in second.send([create(second, "B-2", voucher())])] == [Done]
    assert [one["LoadState"] for one in loads(box)] == ["Created"]
    assert references(box) == Counter(["B-2"])


def test_a_load_that_is_hidden_after_its_creation_is_not_taken_for_deleted(box: Sandbox, connect: Connect) -> None:
    box.faults.add(Fault("reset_after", path="*ExtLoadInfo_Create", count=1))
    box.faults.add(Fault("status", method="GET", path="*ExtLoadInfoSet", after=3, options={"status": 404}))
    target = connect()
    assert isinstance(target.send([create(target, "B-1", voucher())])[0], Unknown)
    assert references(box) == Counter(["B-1"])


def test_vouchers_that_somebody_made_of_a_left_load_are_not_sent_again(box: Sandbox, connect: Connect) -> None:
    box.faults.add(Fault("status", path="*ExtLoadInfo_Create", count=1, options={"status": 500, "effect": True}))
    box.faults.add(Fault("status", method="GET", path="*ExtLoadInfoSet", after=3, options={"status": 503}))
    first = connect()
    write = create(first, "B-1", voucher())
    assert [type(one) for one in first.send([write])] == [Unknown]
    box.faults.clear()
    for target in (first, connect()):
        [result] = target.send([write])
        assert isinstance(result, Unknown)
        assert "already" in result.reason
    assert references(box) == Counter(["B-1"])


def test_doubt_stays_until_somebody_looked(box: Sandbox, connect: Connect) -> None:
    target = connect("manual")
    box.faults.add(Fault("reset_after", path="*batch", count=1))
    write = create(target, "B-1", voucher())
    assert isinstance(target.send([write])[0], Unknown)
    box.faults.add(Fault("status", method="GET", path="*HoldVoucherSet", options={"status": 403}))
    with pytest.raises(AuthError):
        target.send([write])
    box.faults.clear()
    assert isinstance(target.send([write])[0], Unknown)
    assert references(box) == Counter(["B-1"])


def test_a_load_that_can_not_be_deleted_stops_the_sending(box: Sandbox, connect: Connect) -> None:
    box.faults.add(Fault("status", path="*ExtLoadInfo_Create", options={"status": 503}))
    box.faults.add(Fault("status", method="DELETE", options={"status": 403}))
    target = connect()
    target.send([create(target, "B-1", voucher())])
    with pytest.raises(AuthError):
        target.send([create(target, "B-1", voucher())])


# What IFS refuses


def bad_account(amount: str = "5") -> Voucher:
    number = Decimal(amount)
    rows = (VoucherRow("9999", "GBP", number, number, (), "?"), VoucherRow("1930", "GBP", -number, -number))
    return Voucher("10", DAY, "Nowhere", rows)


@pytest.mark.parametrize("kind", ODATA)
def test_one_bad_voucher_stops_only_itself(box: Sandbox, connect: Connect, kind: str) -> None:
    target = connect(kind)
    wanted = {"C-1": voucher(), "C-2": bad_account(), "C-3": voucher("3"), "C-4": voucher(company="20")}
    results = target.send([create(target, key, one) for key, one in wanted.items()])
    assert [type(one) for one in results] == [Done, Refused, Done, Done]
    refused = results[1]
    assert isinstance(refused, Refused)
    assert refused.held.cause == "refused_by_ifs"
    assert "9999 does not exist" in refused.held.sentence
    assert str(refused.held.stake) == "GBP 5.00"
    assert references(box) == Counter(["C-1", "C-3", "C-4"])
    assert {one["LoadState"] for one in loads(box)} <= {"Created"}


@pytest.mark.parametrize("kind", ODATA)
def test_a_value_that_does_not_fit_its_field_stops_only_its_voucher(box: Sandbox, connect: Connect, kind: str) -> None:
    target = connect(kind)
    long = VoucherRow("6" * 30, "GBP", Decimal(1), Decimal(1))
    broken = Voucher("10", DAY, "Long", (long, VoucherRow("1930", "GBP", Decimal(-1), Decimal(-1))))
    results = target.send([create(target, "C-1", voucher()), create(target, "C-2", broken)])
    assert [type(one) for one in results] == [Done, Refused]
    assert references(box) == Counter(["C-1"])


@pytest.mark.parametrize("kind", ODATA)
def test_a_correction_that_is_refused_leaves_what_stood(box: Sandbox, connect: Connect, kind: str) -> None:
    target = connect(kind)
    target.send([create(target, "C-1", voucher())])
    before = ours(box)
    [result] = target.send([correct(target, "C-1", bad_account())])
    assert isinstance(result, Refused)
    assert ours(box) == before
    box.ledger.approve()
    box.ledger.update_gl()
    [result] = target.send([correct(target, "C-1", bad_account())])
    assert isinstance(result, Refused)
    assert references(box) == Counter(["C-1"])


def test_what_can_not_be_sent_is_refused_before(box: Sandbox, connect: Connect) -> None:
    target = connect(rows_max=2)
    number = Decimal(3)
    rows = tuple(VoucherRow("1930", "GBP", sign * number, sign * number) for sign in (1, -1, 1, -1))
    writes = [
        create(target, "x" * 51, voucher()),
        create(target, "two words", voucher()),
        create(target, "D/R1", voucher()),
        create(target, "C-2", Voucher("10", DAY, "many", rows)),
        create(target, "C-3", Voucher("10", DAY, "odd", rows[:1])),
    ]
    results = target.send(writes)
    causes = [one.held.cause for one in results if isinstance(one, Refused)]
    assert causes == ["unusable_reference"] * 3 + ["too_many_rows", "unbalanced"]
    assert loads(box) == []


def test_an_unknown_load_type_holds_its_vouchers(box: Sandbox, connect: Connect) -> None:
    target = connect(load_type="NONE")
    [result] = target.send([create(target, "C-1", voucher())])
    assert isinstance(result, Refused)
    assert "NONE does not exist" in result.held.sentence


def test_a_manual_voucher_is_no_larger_than_a_batch(box: Sandbox, connect: Connect) -> None:
    manual, external = connect("manual"), connect()
    rows = tuple(VoucherRow("1930", "GBP", sign, sign) for sign in (Decimal(1), Decimal(-1)) for _ in range(150))
    large = Voucher("10", DAY, "large", rows)
    results = manual.send([create(manual, "C-1", large), create(manual, "C-2", voucher())])
    assert [type(one) for one in results] == [Refused, Done]
    assert [type(one) for one in external.send([create(external, "C-1", large)])] == [Done]
    # too large to be amended in one changeset: reversed and posted again
    [result] = external.send([correct(external, "C-1", voucher())])
    assert isinstance(result, Done)
    assert references(box) == Counter(["C-1", "C-1/R1", "C-1/2", "C-2"])


def test_a_voucher_that_left_the_hold_table_meanwhile_is_reversed(box: Sandbox, connect: Connect) -> None:
    target = connect("manual")
    target.send([create(target, "C-1", voucher())])
    write = correct(target, "C-1", voucher("9"))
    box.ledger.approve()
    box.faults.add(Fault("stale_etag", path="*batch", count=1))
    amender: Any = target._sender._amender  # pyright: ignore[reportPrivateUsage]
    deliver = amender.deliver

    def late(amendments: Any) -> Any:
        box.ledger.update_gl()
        return deliver(amendments)

    amender.deliver = late
    [result] = target.send([write])
    assert isinstance(result, Done)
    assert references(box) == Counter(["C-1", "C-1/R1", "C-1/2"])


def test_a_voucher_that_moves_while_it_is_looked_for_is_found_once(
    box: Sandbox, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = connect()
    [done] = target.send([create(target, "C-1", voucher())])
    assert isinstance(done, Done)
    box.ledger.approve()
    pages = IfsClient.pages

    def late(self: IfsClient, name: str, *given_: Any, **more: Any) -> Any:
        if name == "voucher_rows":
            box.ledger.update_gl()
        return pages(self, name, *given_, **more)

    monkeypatch.setattr(IfsClient, "pages", late)
    [found] = target.find(["C-1"])
    assert found.target_id == done.target_id


@pytest.mark.parametrize("other", [b"C-2", b""])
def test_an_answer_that_names_another_voucher_is_not_believed(
    box: Sandbox, connect: Connect, monkeypatch: pytest.MonkeyPatch, other: bytes
) -> None:
    batch = IfsClient.batch

    def garbled(self: IfsClient, *given_: Any) -> Any:
        return [
            [msgspec.structs.replace(reply, body=reply.body.replace(b"C-1", other)) for reply in replies]
            for replies in batch(self, *given_)
        ]

    monkeypatch.setattr(IfsClient, "batch", garbled)
    target = connect("manual")
    assert isinstance(target.send([create(target, "C-1", voucher())])[0], Unknown)
    assert references(box) == Counter(["C-1"])
