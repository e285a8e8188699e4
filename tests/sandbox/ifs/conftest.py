"""A client of the IFS site that knows nothing but HTTP."""

import json
import re
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from urllib.parse import quote

import pytest

from ml_connector.sandbox.ifs import IfsOptions, IfsSite
from ml_connector.sandbox.web import Request, Response
from ml_connector.sandbox.world import World, seeded

MAIN = "/main/ifsapplications/projection/v1/"
ENTITY = "/int/ifsapplications/entity/v1/"
SHORT = {
    "suppliers": f"{MAIN}SupplierHandling.svc/SupplierInfoGeneralSet",
    "addresses": f"{ENTITY}SupplierInfoAddressEntity.svc/SupplierInfoAddressSet",
    "identities": f"{ENTITY}IdentityInvoiceInfoEntity.svc/IdentityInvoiceInfoSet",
    "orders": f"{MAIN}PurchaseOrderHandling.svc/PurchaseOrderSet",
    "lines": f"{ENTITY}PurchaseOrderLineEntity.svc/PurchaseOrderLineSet",
    "voucher_rows": f"{MAIN}VoucherRowsAnalysis.svc/VoucherRowSet",
    "sites": f"{MAIN}SitesHandling.svc/SiteSet",
    "companies": f"{MAIN}CompanyHandling.svc/CompanySet",
    "hold": f"{MAIN}VoucherEntryHandling.svc/HoldVoucherSet",
    "hold_rows": f"{MAIN}VoucherEntryHandling.svc/HoldVoucherRowSet",
    "loads": f"{MAIN}ExternalVoucherHandling.svc/ExtLoadInfoSet",
    "transactions": f"{MAIN}ExternalVoucherHandling.svc/ExtTransactionSet",
    "load_types": f"{MAIN}ExternalVoucherHandling.svc/ExtLoadTypeSet",
    "periods": f"{MAIN}AccountingPeriodsHandling.svc/AccountingPeriodSet",
    "invoices": f"{ENTITY}ManSuppInvoiceEntity.svc/ManSuppInvoiceSet",
    "payment_addresses": f"{ENTITY}PaymentAddressEntity.svc/PaymentAddressSet",
    "catalogue": f"{MAIN}AllProjections.svc/Projections",
}


class Change(NamedTuple):
    """One request of a changeset."""

    method: str
    path: str
    body: dict[str, Any] | None = None
    if_match: str = ""
    content_id: str = ""

    def part(self) -> str:
        named = f"Content-ID: {self.content_id}\r\n" if self.content_id else ""
        guard = f"If-Match: {self.if_match}\r\n" if self.if_match else ""
        head = f"{self.method} {self.path} HTTP/1.1\r\nContent-Type: application/json\r\n{guard}"
        content = "" if self.body is None else json.dumps(self.body)
        return f"Content-Type: application/http\r\n{named}\r\n{head}\r\n{content}"


def changeset(changes: list[Change]) -> str:
    inner = "".join(f"--C\r\n{change.part()}\r\n" for change in changes) + "--C--"
    return f"Content-Type: multipart/mixed; boundary=C\r\n\r\n{inner}"


def json_within(answer: bytes) -> dict[str, Any]:
    body = answer.partition(b"\r\n\r\n")[2].partition(b"\r\n--")[0]
    return json.loads(body) if body.strip() else {}


@dataclass
class Tenant:
    """One site, and a client that is logged in to it."""

    world: World
    options: IfsOptions = field(default_factory=IfsOptions)

    def __post_init__(self) -> None:
        self.site = IfsSite(self.world, self.options)
        self.token: str = json.loads(self.log_in().body)["access_token"]

    def log_in(self, realm: str = "acme-prod", **form: str) -> Response:
        fields = {"grant_type": "client_credentials", "client_id": "mlc", "client_secret": "sandbox-secret", **form}
        body = "&".join(f"{name}={quote(value)}" for name, value in fields.items()).encode()
        path = f"/auth/realms/{realm}/protocol/openid-connect/token"
        return self.raw("POST", path, body=body, headers={"Content-Type": "application/x-www-form-urlencoded"})

    def raw(
        self, method: str, path: str, query: str = "", headers: dict[str, str] | None = None, body: bytes = b""
    ) -> Response:
        lower = {name.lower(): value for name, value in (headers or {}).items()}
        return self.site.answer(Request(method, path, query, lower, body, "127.0.0.1:8080"))

    def ask(
        self, method: str, where: str, headers: dict[str, str] | None = None, body: Any = None, **options: object
    ) -> Response:
        short, bracket, rest = where.partition("(")
        path = quote(SHORT.get(short, short) + bracket + rest, safe="/(),='$")
        query = "&".join(f"${name}={quote(str(value))}" for name, value in options.items())
        sent = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json", **(headers or {})}
        content = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        return self.raw(method, path, query, sent, content)

    def batch(self, service: str, *changesets: list[Any], prefer: str = "") -> list[tuple[int, dict[str, Any]]]:
        """Send changesets; the statuses and bodies of the answers, in order."""
        content = (
            "".join(f"--B\r\n{changeset([Change(*each) for each in changes])}\r\n" for changes in changesets)
            + "--B--\r\n"
        )
        headers = {"Content-Type": "multipart/mixed; boundary=B", "Prefer": prefer}
        answer = self.ask("POST", f"{MAIN}{service}.svc/$batch", headers, content.encode())
        assert answer.status == 200, answer
        answers = re.split(rb"HTTP/1\.1 (?=\d{3} )", answer.body)[1:]
        return [(int(each[:3]), json_within(each)) for each in answers]

    def get(self, where: str, headers: dict[str, str] | None = None, **options: object) -> dict[str, Any]:
        answer = self.ask("GET", where, headers, **options)
        assert answer.status == 200, answer
        return json.loads(answer.body)

    def refused(self, where: str, status: int, **options: Any) -> dict[str, Any]:
        answer = self.ask("GET", where, **options)
        assert answer.status == status, answer
        return json.loads(answer.body)["error"]


@pytest.fixture
def world() -> World:
    return seeded(suppliers=60, orders=30, seed=7)


@pytest.fixture
def tenant(world: World) -> Tenant:
    return Tenant(world)
