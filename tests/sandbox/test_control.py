"""The whole sandbox with its control door, in this process and as a process of its own."""

import http.client
import json
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from ml_connector.sandbox import Sandbox, SandboxOptions, start
from ml_connector.sandbox.airbase import AirbaseOptions

VENDORS = "/v1/accounting/vendors/"


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    options = SandboxOptions(suppliers=5, orders=5, airbase=AirbaseOptions(prefilled_vendors=2, documents=6))
    with start(options) as running:
        yield running
        assert running.crashes == []


def ask(url: str, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
    line = http.client.HTTPConnection(url.removeprefix("http://"), timeout=60)
    try:
        line.request(method, path, None if body is None else json.dumps(body), headers)
        answer = line.getresponse()
        return answer.status, json.loads(answer.read() or b"null")
    finally:
        line.close()


def control(sandbox: Sandbox, method: str, path: str, body: Any = None) -> tuple[int, Any]:
    return ask(sandbox.control_url, method, path, body, **{"X-Sandbox": "1"})


def airbase(sandbox: Sandbox, path: str = VENDORS) -> tuple[int, Any]:
    return ask(sandbox.airbase_url, "GET", path, Authorization="Bearer sandbox-token")


def test_it_says_where_it_is_and_how_to_get_in(sandbox: Sandbox) -> None:
    status, told = control(sandbox, "GET", "/")
    assert status == 200
    assert (told["ifs_url"], told["airbase_url"]) == (sandbox.ifs_url, sandbox.airbase_url)
    assert told["airbase"]["token"] == "sandbox-token"
    assert told["ifs"]["client_id"]
    assert told["counts"]["ifs"]["SupplierInfoGeneralSet"] == 5
    assert told["counts"]["airbase"]["ledger_entries"] == 6


def test_airbase_starts_with_what_the_erp_has(sandbox: Sandbox) -> None:
    suppliers = [row["SupplierId"] for row in sandbox.world.rows("SupplierInfoGeneralSet")]
    vendors = [row["erp_reference_id"] for row in sandbox.airbase.rows("vendors")]
    assert vendors[:2] == suppliers[:2]
    accounts = {row["Account"] for row in sandbox.world.rows("Reference_Account")}
    for entry in sandbox.airbase.rows("ledger_entries"):
        assert entry["subsidiary"]["erp_reference_id"] in ("SUB-10", "SUB-20")
        assert {line["account"]["erp_reference_id"] for line in entry["expense_list"]} <= accounts


def test_requests_are_logged_and_forgotten(sandbox: Sandbox) -> None:
    airbase(sandbox, f"{VENDORS}?page=1")
    logged = control(sandbox, "GET", "/requests")[1]["airbase"]
    assert logged["requests"][0]["query"] == "page=1"
    assert logged["counts"] == [{"method": "GET", "path": VENDORS, "status": 200, "count": 1}]
    control(sandbox, "POST", "/requests/reset")
    assert sandbox.airbase_log.total == 0


def test_faults_are_ordered_listed_and_lifted(sandbox: Sandbox) -> None:
    order = [{"kind": "status", "site": "airbase", "options": {"status": 500}}, {"kind": "html", "site": "ifs"}]
    numbers = control(sandbox, "POST", "/faults", order)[1]["ids"]
    assert airbase(sandbox)[0] == 500
    listed = control(sandbox, "GET", "/faults")[1]["faults"]
    assert [(fault["id"], fault["fired"]) for fault in listed] == [(numbers[0], 1), (numbers[1], 0)]
    control(sandbox, "DELETE", f"/faults/{numbers[0]}")
    assert airbase(sandbox)[0] == 200
    assert control(sandbox, "DELETE", "/faults")[1] == {"faults": []}
    assert control(sandbox, "POST", "/faults", {"kind": "flood"})[0] == 400
    assert control(sandbox, "POST", "/faults", {"kind": "html", "options": {"x": 1}})[0] == 400


def test_both_sides_are_edited(sandbox: Sandbox) -> None:
    create = {"op": "create", "kind": "vendors", "fields": {"name": "By hand"}}
    before = control(sandbox, "GET", "/digests")[1]
    assert control(sandbox, "POST", "/airbase/edit", create)[1]["row"]["name"] == "By hand"
    assert control(sandbox, "GET", "/airbase/rows/vendors")[1]["rows"][-1]["name"] == "By hand"
    key = sandbox.world.rows("SupplierInfoGeneralSet")[0]["SupplierId"]
    update = {"op": "update", "set": "SupplierInfoGeneralSet", "key": [key], "values": {"Name": "Renamed"}}
    assert control(sandbox, "POST", "/ifs/edit", update)[1]["row"]["Name"] == "Renamed"
    after = control(sandbox, "GET", "/digests")[1]
    assert [after[site] != before[site] for site in ("ifs", "airbase")] == [True, True]
    assert control(sandbox, "POST", "/ifs/edit", {"op": "burn"})[0] == 400
    assert control(sandbox, "GET", "/airbase/rows/nothing")[0] == 400


def test_options_are_changed_all_or_none(sandbox: Sandbox) -> None:
    wrong = {"airbase": {"page_size_max": 1, "rate_limit": "many"}}
    assert control(sandbox, "POST", "/options", wrong)[0] == 400
    assert len(airbase(sandbox)[1]["data"]) == 4
    assert control(sandbox, "POST", "/options", {"airbase": {"page_size_max": 1, "readonly": ["tags"]}})[0] == 200
    assert len(airbase(sandbox)[1]["data"]) == 1
    assert sandbox.airbase.options.readonly == ("tags",)
    assert control(sandbox, "POST", "/options", {"airbase": {"nothing": 1}})[0] == 400
    assert control(sandbox, "POST", "/options", {"sap": {}})[0] == 400
    assert control(sandbox, "POST", "/options", {"ifs": {"page_cap": 10}})[1]["ifs"]["page_cap"] == 10


def test_a_page_in_a_browser_cannot_drive_it(sandbox: Sandbox) -> None:
    assert ask(sandbox.control_url, "POST", "/faults", {"kind": "html"})[0] == 403
    assert ask(sandbox.control_url, "DELETE", "/faults")[0] == 403
    assert ask(sandbox.control_url, "GET", "/", Host="evil.example:80")[0] == 403
    assert control(sandbox, "GET", "/nothing")[0] == 404


class Erp:
    """A client of the IFS site with one token."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.url = sandbox.ifs_url.removeprefix("http://")
        told = sandbox.told()["ifs"]
        form = f"grant_type=client_credentials&client_id={told['client_id']}&client_secret={told['client_secret']}"
        path = f"/auth/realms/{told['realm']}/protocol/openid-connect/token"
        media = {"Content-Type": "application/x-www-form-urlencoded"}
        self.token = json.loads(self.send("POST", path, form, media)[2])["access_token"]

    def send(self, method: str, path: str, body: str | None, headers: dict[str, str]) -> tuple[int, Any, bytes]:
        line = http.client.HTTPConnection(self.url, timeout=60)
        try:
            line.request(method, path, body, headers)
            answer = line.getresponse()
            return answer.status, answer.headers, answer.read()
        finally:
            line.close()

    def supplier(self, method: str = "GET", match: str = "") -> tuple[int, Any, bytes]:
        path = "/main/ifsapplications/projection/v1/SupplierHandling.svc/SupplierInfoGeneralSet(SupplierId='S000003')"
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        body = None if method == "GET" else '{"Name": "New name"}'
        return self.send(method, path, body, {**headers, "If-Match": match} if match else headers)


def test_tokens_are_revoked(sandbox: Sandbox) -> None:
    erp = Erp(sandbox)
    assert erp.supplier()[0] == 200
    assert control(sandbox, "POST", "/ifs/revoke-tokens")[0] == 200
    assert erp.supplier()[0] == 401
    assert Erp(sandbox).supplier()[0] == 200


def test_the_fault_revokes_tokens_too(sandbox: Sandbox) -> None:
    erp = Erp(sandbox)
    control(sandbox, "POST", "/faults", {"kind": "token_revoked", "site": "ifs", "count": 1})
    assert [erp.supplier()[0] for _ in range(3)] == [401, 401, 401]
    assert Erp(sandbox).supplier()[0] == 200


def test_a_stale_etag_is_412_and_changes_nothing(sandbox: Sandbox) -> None:
    erp = Erp(sandbox)
    etag = erp.supplier()[1]["ETag"] or json.loads(erp.supplier()[2])["@odata.etag"]
    before = sandbox.world.digest()
    control(sandbox, "POST", "/faults", {"kind": "stale_etag", "count": 1})
    assert erp.supplier("PATCH", etag)[0] == 412
    assert (sandbox.world.digest(), sandbox.ifs_log.writes) == (before, 0)
    assert erp.supplier("PATCH", etag)[0] in (200, 204)
    assert sandbox.ifs_log.writes == 1


def test_a_port_that_is_taken_leaves_nothing_open() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port: int = taken.getsockname()[1]
        with pytest.raises(OSError, match="in use"):
            start(SandboxOptions(suppliers=1, orders=1, control_port=port))


def test_it_runs_as_a_process_until_it_is_told_to_end() -> None:
    code = "from ml_connector.sandbox import serve, SandboxOptions; serve(SandboxOptions(suppliers=3, orders=3))"
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        told = json.loads(process.stdout.readline())
        assert ask(told["airbase_url"], "GET", VENDORS, Authorization="Token sandbox-token")[0] == 200
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
