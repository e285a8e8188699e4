"""The ledger over real HTTP: both ways in, what persons do through the control door, answers that get lost."""

import http.client
import json
from collections.abc import Iterator
from typing import Any

import pytest

from ml_connector.sandbox import Sandbox, SandboxOptions, start
from ml_connector.sandbox.faults import Fault

EXTERNAL = "/main/ifsapplications/projection/v1/ExternalVoucherHandling.svc"
ENTRY = "/main/ifsapplications/projection/v1/VoucherEntryHandling.svc"
ACTION = "IfsApp.ExternalVoucherHandling.ExtLoadInfo_"
ROW = {"Company": "10", "LoadGroupItem": "1", "TransactionDate": "2025-08-15", "CurrencyCode": "EUR",
       "ReferenceSerie": "AIRBASE", "ReferenceNumber": "bill/1/1"}  # fmt: skip


@pytest.fixture
def box() -> Iterator[Sandbox]:
    with start(SandboxOptions(suppliers=5, orders=5, invoices=3)) as running:
        yield running
        assert running.crashes == []


class Client:
    """A client of the IFS site with one token."""

    def __init__(self, box: Sandbox) -> None:
        self.host = box.ifs_url.removeprefix("http://")
        told = box.told()["ifs"]
        form = f"grant_type=client_credentials&client_id={told['client_id']}&client_secret={told['client_secret']}"
        media = {"Content-Type": "application/x-www-form-urlencoded"}
        path = f"/auth/realms/{told['realm']}/protocol/openid-connect/token"
        self.token = json.loads(self.send("POST", path, form, media)[1])["access_token"]

    def send(self, method: str, path: str, body: str | None, headers: dict[str, str]) -> tuple[int, bytes]:
        line = http.client.HTTPConnection(self.host, timeout=60)
        try:
            line.request(method, path, body, headers)
            answer = line.getresponse()
            return answer.status, answer.read()
        finally:
            line.close()

    def ask(self, method: str, path: str, body: Any = None, match: str = "") -> tuple[int, Any]:
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        guard = {"If-Match": match} if match else {}
        status, answer = self.send(method, path, None if body is None else json.dumps(body), {**headers, **guard})
        return status, json.loads(answer or b"null")

    def batch(self, service: str, content: str) -> tuple[int, bytes]:
        media = {"Authorization": f"Bearer {self.token}", "Content-Type": "multipart/mixed; boundary=B"}
        return self.send("POST", f"{service}/$batch", content, media)

    def load(self, *transactions: dict[str, Any]) -> str:
        fields = {"Company": "10", "LoadType": "AIRBASE"}
        key = self.ask("POST", f"{EXTERNAL}/ExtLoadInfoSet", fields)[1]["LoadId"]
        for number, each in enumerate(transactions, 1):
            row = {**ROW, "LoadId": key, "RecordNo": number, **each}
            assert self.ask("POST", f"{EXTERNAL}/ExtTransactionSet", row)[0] == 201
        return f"{EXTERNAL}/ExtLoadInfoSet(Company='10',LoadId='{key}')"

    def act(self, load: str, name: str) -> tuple[int, Any]:
        return self.ask("POST", f"{load}/{ACTION}{name}", {}, self.ask("GET", load)[1]["@odata.etag"])


PAIR = ({"Account": "6110", "CodeB": "100", "CurrencyAmount": 5}, {"Account": "2440", "CurrencyAmount": -5})


def control(box: Sandbox, op: dict[str, Any]) -> tuple[int, Any]:
    line = http.client.HTTPConnection(box.control_url.removeprefix("http://"), timeout=60)
    try:
        line.request("POST", "/ifs/edit", json.dumps(op), {"X-Sandbox": "1"})
        answer = line.getresponse()
        return answer.status, json.loads(answer.read())
    finally:
        line.close()


def own(box: Sandbox) -> list[dict[str, Any]]:
    return [voucher for voucher in box.vouchers() if voucher["number"] == "bill/1/1"]


def post(path: str, body: dict[str, Any], content_id: str = "") -> str:
    named = f"Content-ID: {content_id}\r\n" if content_id else ""
    head = f"--C\r\nContent-Type: application/http\r\n{named}\r\nPOST {path} HTTP/1.1"
    return f"{head}\r\nContent-Type: application/json\r\n\r\n{json.dumps(body)}\r\n"


def test_external_vouchers_from_load_to_ledger(box: Sandbox) -> None:
    client = Client(box)
    load = client.load(*PAIR)
    assert client.act(load, "Check")[1]["LoadState"] == "Checked"
    assert client.act(load, "Create")[1]["LoadState"] == "Created"
    assert [(voucher["place"], voucher["status"]) for voucher in own(box)] == [("hold", "AwaitingApproval")]
    assert control(box, {"op": "approve", "company": "10"}) == (200, {"approved": 1})
    assert control(box, {"op": "update_gl"}) == (200, {"updated": 1})
    assert [voucher["place"] for voucher in own(box)] == ["ledger"]
    shown = control(box, {"op": "vouchers"})[1]["vouchers"]
    (voucher,) = [each for each in shown if each["number"] == "bill/1/1"]
    assert [row["debit"] for row in voucher["rows"]] == ["5", "0"]


def test_a_manual_voucher_in_one_changeset(box: Sandbox) -> None:
    head = {"Company": "10", "VoucherType": "M", "VoucherDate": "2025-08-15", "UserGroup": "AC"}
    reference = {"ReferenceSerie": "AIRBASE", "ReferenceNumber": "bill/1/1"}
    rows = [
        {"Account": "6110", "CodeB": "100", "CurrencyCode": "EUR", "CurrencyDebetAmount": 5},
        {"Account": "2440", "CurrencyCode": "EUR", "CurrencyCreditAmount": 5},
    ]
    inner = post("HoldVoucherSet", {**head, **reference}, "1") + "".join(
        post("$1/HoldVoucherRows", row) for row in rows
    )
    content = f"--B\r\nContent-Type: multipart/mixed; boundary=C\r\n\r\n{inner}--C--\r\n--B--\r\n"
    status, answer = Client(box).batch(ENTRY, content)
    assert (status, answer.count(b"HTTP/1.1 201")) == (200, 3)
    assert [(voucher["status"], len(voucher["rows"])) for voucher in own(box)] == [("Confirmed", 2)]
    assert box.ledger.update_gl() == 1


@pytest.mark.parametrize(
    "fault",
    [
        Fault("status", "ifs", "POST", "*ExtLoadInfo_Create", count=1, options={"status": 504, "effect": True}),
        Fault("reset_after", "ifs", "POST", "*ExtLoadInfo_Create", count=1),
    ],
)
def test_an_answer_that_is_lost_leaves_the_vouchers(box: Sandbox, fault: Fault) -> None:
    client = Client(box)
    load = client.load(*PAIR)
    client.act(load, "Check")
    number = box.faults.add(fault)
    with pytest.raises((ConnectionError, http.client.HTTPException, json.JSONDecodeError)):  # reset, or a page
        client.act(load, "Create")
    assert box.faults.fired(number) == 1
    assert len(own(box)) == 1
    assert client.ask("GET", load)[1]["LoadState"] == "Created"
    assert client.act(load, "Create")[0] == 400


def test_a_stale_etag_makes_no_vouchers(box: Sandbox) -> None:
    client = Client(box)
    load = client.load(*PAIR)
    client.act(load, "Check")
    box.faults.add(Fault("stale_etag", "ifs", count=1))
    assert client.act(load, "Create")[0] == 412
    assert own(box) == []
    assert client.act(load, "Create")[0] == 200


def test_a_file_and_a_period_through_the_control_door(box: Sandbox) -> None:
    lines = [f"1;2025;{account};{part};;;;;;;;;EUR;;;{amount};;;{amount};;;;;;text;;;;;;;2025-08-15"
             for account, part, amount in (("6110", "100", "5"), ("2440", "", "-5"))]  # fmt: skip
    op = {"op": "load_file", "company": "10", "load_type": "AIRBASE", "data": "\n".join(lines)}
    close = {"op": "set_period", "company": "10", "year": 2025, "period": 8, "status": "Closed"}
    assert control(box, close)[0] == 200
    assert "CLOSED" in control(box, op)[1]["errors"][0]
    assert control(box, {**close, "status": "Open"})[0] == 200
    done = control(box, op)[1]
    assert (done["created"], done["errors"]) == (1, [])
    with_reference = {**op, "layout": {"reference": 26}}
    assert control(box, with_reference)[1]["created"] == 1


@pytest.mark.parametrize(
    "op",
    [
        {"op": "approve", "of": "10"},
        {"op": "approve", "keys": [["10"]]},
        {"op": "set_period", "company": "10", "year": 2025},
        {"op": "set_period", "company": "10", "year": 2025, "period": 8, "status": "Ajar"},
        {"op": "set_period", "company": "10", "year": 1999, "period": 8, "status": "Open"},
        {"op": "load_file", "company": "10"},
        {"op": "load_file", "company": "10", "load_type": "AIRBASE", "data": "x", "layout": {"nothing": 1}},
    ],
)
def test_a_wrong_act_changes_nothing(box: Sandbox, op: dict[str, Any]) -> None:
    before = box.world.digest()
    assert control(box, op)[0] == 400
    assert box.world.digest() == before
