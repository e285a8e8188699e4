"""What a connection can be asked beside its runs: rules, names, differences, what is open, files.

Rule: both sides are read, nothing is written; what differs is decided by the pure comparisons.
Must not know: how anything is shown.
"""

from collections.abc import Callable, Iterator
from itertools import chain
from typing import Any

import msgspec

from ml_connector import flows
from ml_connector.compare import clearing as clearing_of
from ml_connector.compare import drift as drift_of
from ml_connector.compare import invoices as invoices_of
from ml_connector.compare.clearing import ClearingAccount, ClearingRow
from ml_connector.compare.drift import Difference
from ml_connector.compare.invoices import Comparison
from ml_connector.errors import SettingsError
from ml_connector.flows.posting import words
from ml_connector.flows.posting.clearing import clearing_accounts
from ml_connector.records.spend import Document
from ml_connector.records.voucher import Voucher
from ml_connector.sync.flow import End
from ml_connector.systems.airbase.subsidiaries import subsidiaries
from ml_connector.systems.ifs import discover as discovery
from ml_connector.systems.ifs.discover import Discovery
from ml_connector.systems.ifs.invoices import invoices as ifs_invoices
from ml_connector.systems.ifs.vouchers import file as voucher_files
from ml_connector.systems.ifs.vouchers.file import Manifest
from ml_connector.wiring.joined import Joined

UNPOSTED = ("purchase_requests", "payments")  # what is looked at where nothing is posted
OPEN = ("approved", "settled", "sync_ready")  # documents that would be posted


class Rules(msgspec.Struct, frozen=True):
    """The rule book in words, and what of it IFS does not know."""

    sentences: list[str]
    unknown: list[str]


class File(msgspec.Struct, frozen=True):
    """A voucher file, and how many of its documents are in IFS by now."""

    manifest: Manifest
    arrived: int


def rules(both: Joined) -> Rules:
    """The posting rules of a connection. Raises: SettingsError, RemoteError."""
    book = _book(both)
    return Rules(words.in_words(book), words.unknown(book, both.books(), both.settings.ifs.companies))


def discover(both: Joined, watch: Callable[[int, str], None]) -> Discovery:
    """The names that this tenant uses, searched for by shape. Raises: RemoteError."""
    return discovery.discover(both.tenants.ifs, watch=watch)


def drift(both: Joined) -> list[Difference]:
    """How the charts differ, and which open documents that would stop. Raises: RemoteError."""
    return drift_of.drift(
        _all(both, End("ifs", "accounts")),
        _all(both, End("ifs", "dimensions")),
        both.settings.ifs.companies,
        _all(both, End("airbase", "accounts")),
        _all(both, End("airbase", "tags")),
        subsidiaries(both.tenants.airbase),
        _open(both),
        both.read.tables(both.settings),
        both.today,
    )


def invoices(both: Joined) -> Comparison:
    """IFS supplier invoices against Airbase bills. Raises: RemoteError."""
    bills = _all(both, End("airbase", "bills"))
    return invoices_of.compare(ifs_invoices(both.tenants.ifs), bills, both.settings.profile.mapping.subsidiaries)


def clearing(both: Joined) -> list[ClearingAccount]:
    """What is open on the clearing accounts of what this connection posted. Raises: SettingsError, StoreError."""
    book = _book(both)
    accounts = {company: clearing_accounts(book, company) for company in both.settings.ifs.companies}
    rows = chain.from_iterable(_rows(both, name) for name in book.documents)
    return clearing_of.clearing((row for row in rows if row.account in accounts.get(row.company, ())), both.today)


def files(both: Joined) -> list[File]:
    """The voucher files that were handed over, newest last. Raises: SettingsError, StoreError."""
    if both.read.landing is None or both.read.landing.kind != "file":
        raise SettingsError('vouchers of this connection do not go by file: [posting.landing] kind = "file"')
    found = voucher_files.files(both.read.landing.folder)
    linked = {name: both.store(flows.FLOWS[name]) for name in _book(both).documents}
    return [File(one, _arrived(one, linked)) for one in found]


def void(both: Joined, name: str) -> int:
    """Say that a file was not loaded and never will be; how many documents are decided anew.

    Raises: SettingsError, StoreError.
    """
    found = next((one.manifest for one in files(both) if one.manifest.name == name), None)
    if found is None or both.read.landing is None:
        raise SettingsError(f"no file {name!r} was handed over; ml-connector files {both.stored.name} lists them")
    keys = sorted(set(found.keys))
    count = sum(both.store(flows.FLOWS[flow]).let_go(keys) for flow in _book(both).documents)
    voucher_files.void(both.read.landing.folder, name)
    return count


def _arrived(manifest: Manifest, stores: dict[str, Any]) -> int:
    keys = sorted(set(manifest.keys))
    return sum(len(store.links(flow, keys)) for flow, store in stores.items())


def _rows(both: Joined, name: str) -> Iterator[ClearingRow]:
    for story, link in both.store(flows.FLOWS[name]).told():
        voucher: Voucher = link.agreed
        for row in voucher.rows:
            amounts = (row.currency, story, row.amount, row.company_amount)
            yield ClearingRow(voucher.company, row.account, *amounts, _shown(voucher) or link.key, voucher.dated_on)


def _shown(voucher: Voucher) -> str:
    """The document as its voucher's text begins: its number, and what it is."""
    return voucher.text.partition(" · ")[0]


def _open(both: Joined) -> Iterator[Document]:
    """Documents that are due and not posted."""
    for name in both.read.rules.documents if both.read.rules else UNPOSTED:
        posted = {sight.key for page in both.ends.source(End("links", name)).read_all() for sight in page.sights}
        due = (one for one in _all(both, End("airbase", name)) if one.status in OPEN)
        yield from (one for one in due if one.id not in posted)


def _all(both: Joined, end: End) -> Iterator[Any]:
    """Every readable record of a resource."""
    for page in both.ends.source(end).read_all():
        yield from (sight.record for sight in page.sights if sight.record is not None)


def _book(both: Joined) -> Any:
    if both.read.rules is None:
        raise SettingsError(f"{both.stored.name} posts nothing: its profile has no [posting] table")
    return both.read.rules
