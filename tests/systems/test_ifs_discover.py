"""Names that a tenant has changed are found by shape; what is not certain is not proposed as if it were."""

import random
import threading
import tomllib
from collections.abc import Generator, Mapping
from contextlib import closing, contextmanager
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

import pytest
from reaching import ifs_client

from ml_connector.errors import UnreachableError
from ml_connector.sandbox import SandboxOptions, start
from ml_connector.sandbox.faults import Fault
from ml_connector.sandbox.ifs import IfsOptions
from ml_connector.systems.ifs.books import read_books
from ml_connector.systems.ifs.client import IfsClient
from ml_connector.systems.ifs.csdl import part_problems
from ml_connector.systems.ifs.discover import READS_MAX, Discovery, as_toml, discover
from ml_connector.systems.ifs.fit import Confidence, Kind, Offer, Want, assigned
from ml_connector.systems.ifs.likeness import likeness
from ml_connector.systems.ifs.loading import load
from ml_connector.systems.ifs.source import IfsSource
from ml_connector.systems.ifs.standard import DEFAULT

HOP = ("connection", "transfer-encoding", "content-length", "host")


@contextmanager
def renamed(origin: str, names: Mapping[str, str], hidden: tuple[str, ...] = ()) -> Generator[str]:
    """Serve `origin` with these names (usual to new), without the services in `hidden`; gives the address."""
    place = urlsplit(origin).netloc

    class Door(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = 1 << 16
        disable_nagle_algorithm = True

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            """Stay quiet."""

        def _pass(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", "0")))
            if any(f"/{service}.svc" in self.path for service in (*hidden, *(name for name in names))):
                return self._answer(404, {"content-type": "application/json"}, b"{}")
            headers = {name: value for name, value in self.headers.items() if name.lower() not in HOP}
            inner = HTTPConnection(place, timeout=30)
            try:
                inner.request(self.command, _usual(self.path, names), _usual(body.decode(), names).encode(), headers)
                answer = inner.getresponse()
                told = _new(answer.read().decode(), names).encode()
            finally:
                inner.close()
            kept = {name: value for name, value in answer.getheaders() if name.lower() not in (*HOP, "date", "server")}
            return self._answer(answer.status, kept, told)

        def _answer(self, status: int, headers: dict[str, str], body: bytes) -> None:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = do_PATCH = do_DELETE = _pass  # noqa: N815

    server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _new(text: str, names: Mapping[str, str]) -> str:
    for usual in sorted(names, key=len, reverse=True):
        text = text.replace(usual, names[usual])
    return text


def _usual(text: str, names: Mapping[str, str]) -> str:
    for usual in sorted(names, key=lambda name: -len(names[name])):
        text = text.replace(names[usual], usual)
    return text


@contextmanager
def tenant(
    *properties: str, names: Mapping[str, str] | None = None, hidden: tuple[str, ...] = (), **options: Any
) -> Generator[IfsClient]:
    """A tenant that calls these properties ("Service.Property=New"), services and sets otherwise, or lacks some."""
    ifs = IfsOptions(renamed=properties, **options)
    with start(SandboxOptions(suppliers=20, orders=10, ifs=ifs)) as sandbox:
        with renamed(sandbox.ifs_url, names or {}, hidden) as url, closing(ifs_client(sandbox, url=url)) as client:
            yield client
        assert sandbox.crashes == []


def names_of(found: Discovery, part: str) -> dict[str, str]:
    return {name.where: name.found for name in found.parts[part].changed}


def problems(client: IfsClient, overrides: dict[str, Any]) -> list[str]:
    """What the tenant's own $metadata has against a profile."""
    parts = load(overrides).parts
    metadata = {
        part.service: client.metadata(part) for part in {part.service: part for part in parts.values()}.values()
    }
    return [sentence for name, part in parts.items() for sentence in part_problems(name, part, metadata[part.service])]


def test_a_tenant_with_the_usual_names_needs_nothing() -> None:
    with tenant() as client:
        begun = client.wire.requests
        found = discover(client)
        assert found.overrides(guesses=True) == {}
        assert all(part.there and not part.missing for part in found.parts.values())
        services = {part.service for part in DEFAULT.parts.values()}
        assert found.read == len(services)
        assert client.wire.requests - begun <= len(services) + 3  # those, the token, the catalogue in two pages
        assert tomllib.loads(as_toml(found)) == {}


# Each property by other names that tenants might give it; the first must be found, the second may remain a guess.
PROPERTIES = {
    "SupplierHandling.Name": ("SupplierName", "Title"),
    "SupplierHandling.AssociationNo": ("TaxId", "OrgNumber"),
    "SupplierHandling.Country": ("CountryCode", "CountryId"),
    "IdentityInvoiceInfoEntity.PayTermId": ("PaymentTermId", "PaymentTerms"),
    "IdentityInvoiceInfoEntity.DefCurrency": ("CurrencyCode", "Currency"),
    "IdentityInvoiceInfoEntity.Identity": ("SupplierId", "VendorNo"),
    "PurchaseOrderHandling.VendorNo": ("SupplierId", "SupplierNo"),
    "PurchaseOrderHandling.Objstate": ("OrderState", "Zeta"),
    "PurchaseOrderHandling.OrderNo": ("PurchaseOrderNo", "OrderId"),
    "PurchaseOrderLineEntity.BuyQtyDue": ("Quantity", "BuyQuantity"),
    "PurchaseOrderLineEntity.BuyUnitPrice": ("UnitPrice", "Unit_Price"),
    "PaymentTermsHandling.PayTermId": ("PaymentTerm", "TermId"),
    "AccountingPeriodsHandling.PeriodStatus": ("Status", "Omega"),
    "AccountingPeriodsHandling.DateFrom": ("FromDate", "StartDate"),
    "AccountingPeriodsHandling.AccountingYear": ("Accounting_Year", "FiscalAccountingYear"),
    "VoucherRowsAnalysis.ValidUntil": ("ValidTo", "Valid_Until"),
    "VoucherRowsAnalysis.LogicalAccountType": ("AccountType", "Delta"),
    "VoucherRowsAnalysis.ReferenceNumber": ("ReferenceNo", "RefNo"),
    "VoucherRowsAnalysis.AutomaticAllot": ("AutoAllot", "Automatic_Allot"),
    "VoucherEntryHandling.ReferenceNumber": ("ReferenceNo", "RefNumber"),
    "VoucherEntryHandling.VoucherStatus": ("State", "Gamma"),
    "VoucherEntryHandling.UserGroup": ("User_Group", "VoucherUserGroup"),
    "ExternalVoucherHandling.LoadGroupItem": ("GroupItem", "LoadItem"),
    "ExternalVoucherHandling.CurrencyAmount": ("CurrAmount", "Currency_Amount"),
    "ManSuppInvoiceEntity.InvoiceNo": ("InvoiceNumber", "SuppInvoiceNo"),
    "ManSuppInvoiceEntity.PoRefNumber": ("PoReference", "OrderReference"),
    "ManSuppInvoiceEntity.Cf_Airbase_Status": ("CfAirbaseStatus", "Cf_Airbase_State"),
    "PaymentAddressEntity.BankCountry": ("BankCountryCode", "Bank_Country"),
}
PLACES = {
    "SupplierHandling": "VendorHandling",
    "SupplierInfoGeneralSet": "VendorInfoSet",
    "PurchaseOrderHandling": "PurchOrdersHandling",
    "PurchaseOrderSet": "PurchOrders",
    "VoucherRowsAnalysis": "GenLedVoucherRowsQuery",
    "VoucherEntryHandling": "ManualVoucherEntry",
    "HoldVoucherSet": "VouchersInHold",
    "ExternalVoucherHandling": "ExtVoucherLoads",
    "ExtLoadInfoSet": "LoadInfos",
    "AccountingPeriodsHandling": "PeriodsOfAccounting",
    "ManSuppInvoiceEntity": "SupplierInvoiceEntity",
    "ManSuppInvoiceSet": "SupplierInvoiceSet",
}


def shuffled(seed: int, count: int) -> dict[str, str]:
    pick = random.Random(seed)
    chosen = pick.sample(sorted(PROPERTIES), count)
    return {usual: pick.choice(PROPERTIES[usual]) for usual in chosen}


@pytest.mark.parametrize("seed", range(6))
def test_renamed_properties_are_found(seed: int) -> None:
    given = shuffled(seed, 14)
    with tenant(*(f"{usual}={new}" for usual, new in given.items())) as client:
        found = discover(client)
        assert problems(client, found.overrides(guesses=True)) == []
        for usual, new in given.items():
            service, _, column = usual.partition(".")
            told = [name for name in all_names(found, service) if name.usual == column]
            assert told, usual
            assert {name.found for name in told} == {new}, usual
            assert {name.confidence for name in told} != {Confidence.SURE} or same(column, new)


def all_names(found: Discovery, service: str) -> list[Any]:
    parts = [name for name, part in DEFAULT.parts.items() if part.service == service]
    return [name for part in parts for name in found.parts[part].names if name.where not in ("service", "set")]


def same(left: str, right: str) -> bool:
    return left.replace("_", "").lower() == right.replace("_", "").lower()


@pytest.mark.parametrize("seed", range(4))
def test_renamed_services_and_sets_are_found_together_with_their_properties(seed: int) -> None:
    pick = random.Random(100 + seed)
    places = {usual: PLACES[usual] for usual in pick.sample(sorted(PLACES), 7)}
    given = shuffled(seed, 6)
    with tenant(*(f"{usual}={new}" for usual, new in given.items()), names=places) as client:
        found = discover(client)
        assert problems(client, found.overrides(guesses=True)) == []
        for part, usual in DEFAULT.parts.items():
            names = names_of(found, part)
            assert names.get("service", usual.service) == places.get(usual.service, usual.service), part
            assert names.get("set", usual.set) == places.get(usual.set, usual.set), part
        assert found.read < 40


def test_the_proposal_works_when_it_is_taken() -> None:
    places = {"SupplierHandling": "VendorHandling", "VoucherRowsAnalysis": "GenLedVoucherRowsQuery",
              "IdentityInvoiceInfoEntity": "SupplierInvoiceInfoEntity"}  # fmt: skip
    changed = ("SupplierHandling.Name=SupplierName", "AccountingPeriodsHandling.PeriodStatus=Status")
    with tenant(*changed, names=places) as client:
        taken = tomllib.loads(as_toml(discover(client)))["ifs"]
        mine = IfsClient(client.wire, load(taken), client.companies)
        found = [sight.record for page in IfsSource(mine, "suppliers").read_all() for sight in page.sights]
        assert len(found) == 20
        assert all(record.name for record in found)
        assert any(record.terms for record in found)
        assert len(read_books(mine).periods) == 2


def test_a_name_that_nothing_tells_is_not_proposed() -> None:
    """Two texts of one length are left over: either may be either."""
    changed = ("SupplierInfoAddressEntity.Address1=Alpha", "SupplierInfoAddressEntity.City=Beta")
    with tenant(*changed) as client:
        found = discover(client)
        assert found.overrides(guesses=True) == {}
        assert {usual for _, usual in found.parts["supplier_addresses"].missing} == {"Address1", "City"}
        text = as_toml(found)
        assert '# city = ""  # not found: City' in text
        assert tomllib.loads(text)["ifs"]["supplier_addresses"] == {"fields": {}}


def test_a_guess_is_a_comment_until_a_person_takes_it() -> None:
    with tenant("SupplierHandling.AssociationNo=Alpha") as client:
        found = discover(client)
        (guess,) = found.parts["suppliers"].changed
        assert (guess.where, guess.found, guess.confidence) == ("fields.tax_id", "Alpha", "guess")
        assert found.overrides() == {}
        assert found.overrides(guesses=True) == {"suppliers": {"fields": {"tax_id": "Alpha"}}}
        assert '# tax_id = "Alpha"  # guess: usually AssociationNo' in as_toml(found)


def test_what_may_not_be_read_is_said_and_not_looked_for_elsewhere() -> None:
    with tenant(refuse_services=("VoucherEntryHandling",)) as client:
        found = discover(client)
        assert found.denied == ("VoucherEntryHandling",)
        assert not found.parts["hold_vouchers"].there
        assert found.read == len({part.service for part in DEFAULT.parts.values()})
        text = as_toml(found)
        assert "may not read: VoucherEntryHandling" in text
        assert "# [ifs.hold_vouchers]: no set like it was found" in text


def test_the_search_is_bounded_and_can_be_watched() -> None:
    seen: list[tuple[int, str]] = []
    with tenant(names={"SupplierHandling": "Xyzzy", "SupplierInfoGeneralSet": "Plugh"}) as client:
        found = discover(client, reads_max=5, watch=lambda read, service: seen.append((read, service)))
        assert found.read == len(seen) == 5
        assert seen[0] == (0, "SupplierHandling")
        assert not found.parts["suppliers"].there
        wider = discover(client)
        assert names_of(wider, "suppliers") == {"service": "Xyzzy", "set": "Plugh"}
        assert wider.parts["suppliers"].names[0].confidence == "likely"


def test_a_large_catalogue_is_not_read_to_its_end() -> None:
    pick = random.Random(7)
    likely = [f"{pick.choice(WORDS)}{pick.choice(WORDS)}{number}Handling" for number in range(600)]
    with start(SandboxOptions(suppliers=5, orders=5)) as sandbox:
        for name in likely:
            sandbox.world.insert("Projections", {"ProjectionName": name})
        door = renamed(sandbox.ifs_url, {"SupplierHandling": "VendorMasterHandling"}, ("SitesHandling",))
        with door as url, closing(ifs_client(sandbox, url=url)) as client:
            found = discover(client)
        assert found.read == READS_MAX
        assert names_of(found, "suppliers") == {"service": "VendorMasterHandling"}
        assert [name for name, part in found.parts.items() if not part.there] == ["sites"]


WORDS = ("Customer", "Order", "Supplier", "Site", "Work", "Account", "Payment", "Shop", "Voucher", "Period")


def test_a_tenant_whose_catalogue_may_not_be_read() -> None:
    with tenant("SupplierHandling.Name=SupplierName", refuse_services=("AllProjections",)) as client:
        assert names_of(discover(client), "suppliers") == {"fields.name": "SupplierName"}


@pytest.mark.parametrize("service", sorted({part.service for part in DEFAULT.parts.values()}))
def test_what_a_tenant_does_not_have_is_not_made_up(service: str) -> None:
    with tenant(hidden=(service,)) as client:
        found = discover(client)
        lacking = {name for name, part in DEFAULT.parts.items() if part.service == service}
        assert {name for name, part in found.parts.items() if not part.there} == lacking
        assert found.overrides(guesses=True) == {}


def test_a_service_that_fails_is_passed_over_and_said() -> None:
    broken = "/main/ifsapplications/projection/v1/SitesHandling.svc"
    with start(SandboxOptions(suppliers=5, orders=5)) as sandbox, closing(ifs_client(sandbox)) as client:
        sandbox.faults.add(Fault("status", site="ifs", path=broken, options={"status": 500}))
        found = discover(client)
        assert found.failed == ("SitesHandling",)
        assert "# These gave no answer: SitesHandling" in as_toml(found)
        assert [name for name, part in found.parts.items() if not part.there] == ["sites"]
        sandbox.faults.add(Fault("status", site="ifs", path="/main", options={"status": 500}))
        with pytest.raises(UnreachableError):
            discover(client)


def test_renamed_actions_are_guessed_by_what_they_do() -> None:
    names = {"ManSuppInvoice_Release": "SuppInvoice_Release", "ExtLoadInfo_Check": "LoadInfo_Check",
             "HoldVoucherRows": "VoucherRowsInHold"}  # fmt: skip
    with tenant(names=names) as client:
        found = discover(client)
        assert names_of(found, "supplier_invoices") == {"actions.release": "SuppInvoice_Release"}
        assert names_of(found, "loads") == {"actions.check": "LoadInfo_Check"}
        assert names_of(found, "hold_vouchers") == {"actions.rows": "VoucherRowsInHold"}
        assert found.overrides() == {}
        assert problems(client, found.overrides(guesses=True)) == []


def test_the_fixed_filter_goes_with_its_service() -> None:
    with tenant(names={"IdentityInvoiceInfoEntity": "SupplierInvoiceInfoEntity", "PartyType": "PartyKind"}) as client:
        found = discover(client).overrides()["supplier_terms"]
        assert found["where"] == "PartyKind eq IfsApp.SupplierInvoiceInfoEntity.PartyKind'Supplier'"


@pytest.mark.parametrize(
    ("left", "right", "least", "most"),
    [
        ("Name", "Name", 1.0, 1.0),
        ("PayTermId", "Pay_Term_ID", 0.9, 0.99),
        ("VendorNo", "SupplierId", 0.9, 0.96),
        ("CodeB", "CodeC", 0.0, 0.4),
        ("Address1", "Address2", 0.0, 0.4),
        ("Country", "Amount", 0.0, 0.6),
        ("ValidFrom", "ValidUntil", 0.0, 0.6),
    ],
)
def test_names_are_compared_by_their_words(left: str, right: str, least: float, most: float) -> None:
    assert least <= likeness(left, right) <= most
    assert likeness(left, right) == pytest.approx(likeness(right, left), abs=0.2)


@pytest.mark.parametrize(
    "places",
    [
        {"PaymentAddressEntity": "ZzzEntity", "PaymentAddressSet": "Qqq"},
        {"CompanyHandling": "Zzz", "CompanySet": "Qqq"},
        {"VoucherEntryHandling": "Zzz", "HoldVoucherSet": "Qqq", "HoldVoucherRowSet": "Rrr"},
    ],
)
def test_a_set_of_another_part_does_not_end_the_search(places: dict[str, str]) -> None:
    with tenant(names=places) as client:
        found = discover(client)
        for name, part in DEFAULT.parts.items():
            if part.service in places:
                assert names_of(found, name) == {"service": places[part.service], "set": places[part.set]}


def test_among_two_alike_none_is_chosen() -> None:
    want = Want("PayTermId", Kind.TEXT)
    one, other = Offer("PaymentTerm", Kind.TEXT), Offer("PaymentTerms", Kind.TEXT)
    assert assigned([want], [one])["PayTermId"].name == "PaymentTerm"
    assert assigned([want], [one, other]) == {}
    assert assigned([want], [one, other, Offer("PayTermId", Kind.TEXT)])["PayTermId"].confidence == "sure"


def test_values_tell_a_property_whatever_its_name() -> None:
    want = Want("PeriodStatus", Kind.ENUM, members=frozenset({"Open", "Closed"}))
    offers = [
        Offer("Alpha", Kind.ENUM, members=frozenset({"Open", "Closed", "Finally"})),
        Offer("PeriodState", Kind.ENUM, members=frozenset({"Yes", "No"})),
    ]
    assert assigned([want], offers)["PeriodStatus"].name == "Alpha"


def test_a_name_known_for_something_else_is_not_taken() -> None:
    want, offer = Want("Text", Kind.TEXT, length=200), Offer("UpdateError", Kind.TEXT, 200)
    assert assigned([want], [offer])["Text"].confidence == "guess"
    assert assigned([want], [offer], frozenset({"UpdateError"})) == {}
