"""The pages of tie-outs: made in the background, read like a reconciliation, signed off by who may, taken along."""

import csv
import io
import re
import zipfile
from collections.abc import Generator
from decimal import Decimal
from typing import Any

import httpx2
import msgspec
import pytest
import rig as rigs
import tied
from rig import NAME, Rig, generous, rig, sqlite_url
from serving import API, answering, looking
from tied import PERIOD

from ml_connector import wiring
from ml_connector.compare.tieout.shapes import Kind, TieOut
from ml_connector.compare.tieout.tables import Sheet
from ml_connector.console import workbook
from ml_connector.console.views import tie_out as views
from ml_connector.store.api_tokens import ApiTokens, Right
from ml_connector.store.rights import Role
from ml_connector.store.tie_outs import Kept

PLACE = f"/c/{NAME}/tie-out"
BIG = Decimal("123456789012345678.905")


class Console:
    """A console, in which people look at tie-outs."""

    def __init__(self, joined: Rig, url: str) -> None:
        self.joined, self.url = joined, url
        self.token = ApiTokens(joined.store.database).create("program", Right.OPERATE, "kari")

    def keep(self, found: TieOut, many: int = 2, person: str = "kari") -> Kept:
        return tied.kept(self.joined.store, NAME, found, many, person)

    def ask(self, path: str, *roles: Role, name: str = "ola", **form: str) -> httpx2.Response:
        with looking(self.url, self.joined.store, *(roles or (Role.VIEWER,)), name=f"{name}-{'-'.join(roles)}") as one:
            return one.post(path, data=form) if form else one.get(path)

    def told(self, path: str, method: str = "GET", **query: Any) -> httpx2.Response:
        headers = {"Authorization": f"Bearer {self.token}"}
        return httpx2.request(method, f"{self.url}{API}{path}", headers=headers, params=query, trust_env=False)


@pytest.fixture(scope="module")
def console(tmp_path_factory: pytest.TempPathFactory) -> Generator[Console]:
    folder = tmp_path_factory.mktemp("tied")
    with rig(sqlite_url(folder), generous(suppliers=2, orders=0)) as joined, answering(joined.store) as url:
        yield Console(joined, url)


def strict(joined: Rig, *, two_persons: bool) -> None:
    changed = rigs.connection(joined.box, two_persons=two_persons)
    wiring.connect(joined.store, NAME, changed, wiring.Secrets("", ""))


def test_one_that_ties_says_so_first_and_adds_up(console: Console) -> None:
    made = console.keep(tied.tie_out(2))
    page = console.ask(f"{PLACE}/{PERIOD}/{made.number}").text
    assert "Period 2026-09 ties out: 2 documents, EUR 20.50 on both sides. 1 document waits" in page
    assert "Read: Payments." in page
    assert made.digest in page
    told = console.told(f"/connections/{NAME}/tie-outs/{PERIOD}/{made.number}").json()
    (total,) = told["totals"]
    rows = {row["name"]: (row["count"], row["amount"]) for row in total["rows"]}
    assert rows["Documents in Airbase"] == rows["Should be in IFS"] == rows["In IFS for this period"] == (2, "20.50")
    assert rows["Difference"] == (0, "0.00")
    assert (told["ties"], total["even"], told["counts"]) == (True, True, {"differences": 0, "timing": 1, "waiting": 1})


def test_differences_come_with_reason_remedy_and_way_there(console: Console) -> None:
    gone = msgspec.structs.replace(tied.missing(7), url="https://airbase.example/7", ifs_url="javascript:pwn()")
    made = console.keep(tied.tie_out(2, gone))
    page = console.ask(f"{PLACE}/{PERIOD}/{made.number}").text
    assert "1 difference in period 2026-09, EUR 10.25 unexplained." in page
    for said in (
        "missing in IFS",
        "the reason",
        "the remedy",
        'href="https://airbase.example/7"',
        "records/payments/pay_7",
    ):
        assert said in page
    assert "javascript:" not in page


def test_every_document_is_told_page_by_page_and_in_the_table(console: Console) -> None:
    made = console.keep(tied.tie_out(7), 7)
    path = f"/connections/{NAME}/tie-outs/{PERIOD}/{made.number}/documents"
    seen, cursor = list[str](), ""
    while cursor is not None:
        part = console.told(path, limit=3, cursor=cursor).json()
        seen += [one["key"] for one in part["items"]]
        cursor = part["next"]
    assert seen == [f"pay_{number}" for number in range(7)]
    table = console.ask(f"{PLACE}/{PERIOD}/{made.number}/documents.csv")
    rows = list(csv.DictReader(io.StringIO(table.text)))
    assert [row["Document"] for row in rows] == seen
    assert {(row["Amount"], row["State"], row["Place"]) for row in rows} == {("10.25", "posted", "ledger")}


def test_the_workbook_has_numbers_and_no_formulas(console: Console) -> None:
    big = msgspec.structs.replace(tied.missing(7), amount=BIG, reason="=1+1", number='=HYPERLINK("x")')
    made = console.keep(tied.tie_out(2, big))
    answer = console.ask(f"{PLACE}/{PERIOD}/{made.number}/tie-out.xlsx")
    with zipfile.ZipFile(io.BytesIO(answer.content)) as book:
        parts = {name: book.read(name).decode() for name in book.namelist() if name.endswith((".xml", ".rels"))}
    sheets = {name: text for name, text in parts.items() if "worksheets/" in name}
    assert len(sheets) == 7
    assert not any("<f>" in text or "hyperlink" in text.lower().replace("=hyperlink", "") for text in sheets.values())
    documents = next(text for text in sheets.values() if text.count("<row") == 4 and "pay_0" in text)
    assert "<v>10.25</v>" in documents
    assert f"<t>{BIG}</t>" in documents
    assert "=1+1" in documents
    assert not any("vba" in name.lower() for name in parts)


def test_what_is_more_than_a_sheet_holds_goes_to_another(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workbook, "ROWS_MAX", 3)
    file = io.BytesIO()
    workbook.write(file, [Sheet("Documents", ("Number",), [(number,) for number in range(5)])])
    with zipfile.ZipFile(file) as book:
        names = re.findall('<sheet name="([^"]+)"', book.read("xl/workbook.xml").decode())
        cells = [re.findall(r"<v>(\d+)</v>", book.read(f"xl/worksheets/sheet{at}.xml").decode()) for at in (1, 2, 3)]
    assert names == ["Documents", "Documents 2", "Documents 3"]
    assert cells == [["0", "1"], ["2", "3"], ["4"]]


def test_who_may_signs_off_what_they_looked_at(console: Console) -> None:
    made = console.keep(tied.tie_out(2))
    place = f"{PLACE}/{PERIOD}/{made.number}"
    form = {"digest": made.short, "note": "all well"}
    assert "do not let you sign off" in console.ask(place, Role.CLERK).text
    assert console.ask(f"{place}/sign", Role.CLERK, **form).status_code == 403
    assert console.ask(f"{place}/sign", Role.APPROVER, digest="0" * 12).status_code == 422
    assert made.short in console.ask(place, Role.APPROVER).text
    assert console.ask(f"{place}/sign", Role.APPROVER, **form).status_code == 303
    later = console.keep(tied.tie_out(2, tied.missing(7)))
    page = console.ask(f"{PLACE}/{PERIOD}").text
    for said in ("It is frozen", made.digest, "all well", "ola-approver", "A later one was made", f'/{later.number}"'):
        assert said in page
    assert f"number {made.number}</a>, which is signed off" in console.ask(f"{PLACE}/{PERIOD}/{later.number}").text
    assert console.told(f"/connections/{NAME}/tie-outs/{PERIOD}").json()["number"] == made.number


def test_an_outdated_one_says_so_before_it_is_signed_off(console: Console) -> None:
    made, later = console.keep(tied.tie_out(2)), console.keep(tied.tie_out(2, tied.missing(7)))
    page = console.ask(f"{PLACE}/{PERIOD}/{made.number}", Role.APPROVER).text
    assert "To confirm, type" in page
    assert f"number {later.number}</a>, which differs and is not signed off." in page


def test_where_two_are_asked_for_nobody_signs_off_their_own(console: Console) -> None:
    strict(console.joined, two_persons=True)
    try:
        made = console.keep(tied.tie_out(2), person="ola-approver")
        place = f"{PLACE}/{PERIOD}/{made.number}"
        assert "You made it; somebody else has to sign it off." in console.ask(place, Role.APPROVER).text
        answer = console.ask(f"{place}/sign", Role.APPROVER, digest=made.short)
        assert (answer.status_code, "somebody else" in answer.text) == (422, True)
        answer = console.ask(f"{place}/sign", Role.APPROVER, name="per", digest=made.short)
        assert answer.status_code == 422
        assert "Master data is out of line (the mirror: 1 different)" in answer.text
        signing = {"digest": made.short, "note": "known"}
        assert console.ask(f"{place}/sign", Role.APPROVER, name="per", **signing).status_code == 303
    finally:
        strict(console.joined, two_persons=False)


def test_master_data_is_missing_where_it_goes_to() -> None:
    """It goes to Airbase, documents go to IFS."""
    lines = tuple(tied.line(number, difference=kind) for number, kind in enumerate((Kind.MISSING, Kind.EXTRA)))
    found = tied.tie_out(1, *lines)
    mirrors = (msgspec.structs.replace(found.mirrors[0], differences=lines),)
    told = views.told(msgspec.structs.replace(found, mirrors=mirrors))
    assert [one.difference_said for one in told["mirrors"][0].differences] == ["missing in Airbase", "no longer in IFS"]
    assert told["differences"][0].difference_said == "missing in IFS"


def test_what_is_not_there_is_said(console: Console) -> None:
    assert "was not tied out yet" in console.ask(f"{PLACE}/1999-01").text
    assert console.told(f"/connections/{NAME}/tie-outs/1999-01").status_code == 404
    made = console.keep(tied.tie_out(2))
    assert console.ask(f"{PLACE}/2026-10/{made.number}").status_code == 404
    assert console.ask(f"{PLACE}/2026-1x").status_code == 422
