"""Files of vouchers in a folder, for a person or a batch job to load.

Rule: a file is handed over once its manifest is on the disk: from then on its vouchers are never written again, and a
file that a crash kept hidden is shown by the next run. A hidden file without a manifest never was handed over.
Must not know: what stands in IFS.
"""

import hashlib
import os
import re
import secrets
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import msgspec

from ml_connector.errors import StoreError
from ml_connector.records import money
from ml_connector.records.voucher import VoucherRow
from ml_connector.systems.ifs.vouchers import stdvou
from ml_connector.systems.ifs.vouchers.compose import Posting
from ml_connector.systems.ifs.vouchers.landing import Landing
from ml_connector.systems.ifs.vouchers.parcels import Delivery, Filed, Lost, Parcel

HANDED = ".handed"
_ODD = re.compile(r"[^A-Za-z0-9]+")


class Total(msgspec.Struct, frozen=True):
    """Both sides of a file in one currency."""

    currency: str
    debit: Decimal
    credit: Decimal


class Manifest(msgspec.Struct, frozen=True):
    """What is in a file: `references` are those of its vouchers, `keys` the documents that they are of.

    Units: made_at is an instant in UTC, ISO 8601.
    """

    name: str
    company: str
    load_type: str
    made_at: str
    vouchers: int
    rows: int
    totals: tuple[Total, ...]
    sha256: str
    keys: tuple[str, ...]
    references: tuple[str, ...]


def files(folder: str | Path) -> list[Manifest]:
    """The files that were handed over, oldest first. Raises: StoreError when a manifest can't be read."""
    found = [_manifest(path) for path in Path(folder, HANDED).glob("*.json") if not path.name.startswith(".")]
    return sorted(found, key=lambda one: (one.made_at, one.name))


def void(folder: str | Path, name: str) -> None:
    """Forget that a file was handed over. Raises: StoreError."""
    try:
        Path(folder, HANDED, f"{name}.json").unlink(missing_ok=True)
    except OSError as error:
        raise _unusable(Path(folder), error) from None


class Folder:
    """The files of one flow."""

    def __init__(self, landing: Landing, flow: str, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._landing = landing
        self._folder = Path(landing.folder)
        self._prefix = f"mlc-{_ODD.sub('_', flow)}-"
        self._now = now
        self._known: dict[str, Manifest] = {}

    def prepare(self) -> bool:
        """Finish what a crash left: show files that were handed over, drop those that were not.

        Raises: StoreError.
        """
        try:
            (self._folder / HANDED).mkdir(exist_ok=True)
            for hidden in self._folder.glob(f".{self._prefix}*.tmp"):
                self._finish(hidden)
        except OSError as error:
            raise _unusable(self._folder, error) from None
        return False

    def handed(self) -> dict[str, dict[str, str]]:
        """The file of each reference that was handed over, by document key. Raises: StoreError."""
        self.prepare()
        for path in (self._folder / HANDED).glob(f"{self._prefix}*.json"):
            if path.name not in self._known:
                self._known[path.name] = _manifest(path)
        found: dict[str, dict[str, str]] = {}
        for one in self._known.values():
            for key, reference in zip(one.keys, one.references, strict=True):
                found.setdefault(key, {})[reference] = one.name
        return found

    def deliver(self, parcels: Sequence[Parcel]) -> dict[str, Delivery]:
        """Write a file a company; one delivery each, by key. Raises: StoreError when nothing was handed over."""
        groups: dict[str, list[Parcel]] = {}
        for parcel in parcels:
            groups.setdefault(parcel.company, []).append(parcel)
        found: dict[str, Delivery] = {}
        for company, group in groups.items():
            found |= self._delivered(company, group, first=not found)
        return found

    def _delivered(self, company: str, parcels: Sequence[Parcel], *, first: bool) -> dict[str, Delivery]:
        postings = [posting for parcel in parcels for posting in parcel.postings]
        manifest, data = self._made(company, postings)
        try:
            self._write(manifest, data)
        except OSError as error:
            if first and not self._manifest_path(manifest.name).exists():
                raise _unusable(self._folder, error) from None
            reason = f"the file could not be written: {error.strerror}"
            return {parcel.key: Lost(reason) for parcel in parcels}
        return {parcel.key: Filed(manifest.name) for parcel in parcels}

    def _made(self, company: str, postings: Sequence[Posting]) -> tuple[Manifest, bytes]:
        made_at = self._now().astimezone(UTC)
        stamp = made_at.strftime("%Y%m%dT%H%M%S")
        data = stdvou.text(postings, self._landing).encode()
        manifest = Manifest(
            f"{self._prefix}{_ODD.sub('_', company)}-{stamp}-{secrets.token_hex(3)}.txt",
            company,
            self._landing.load_type,
            made_at.isoformat(timespec="seconds"),
            len(postings),
            sum(len(posting.voucher.rows) for posting in postings),
            tuple(totals(row for posting in postings for row in posting.voucher.rows)),
            hashlib.sha256(data).hexdigest(),
            tuple(posting.reference.key for posting in postings),
            tuple(posting.reference.text for posting in postings),
        )
        return manifest, data

    def _write(self, manifest: Manifest, data: bytes) -> None:
        hidden = self._folder / f".{manifest.name}.tmp"
        _synced(hidden, data)
        _sync_folder(self._folder)
        path = self._manifest_path(manifest.name)
        unfinished = path.with_name(f".{path.name}.tmp")
        _synced(unfinished, msgspec.json.format(msgspec.json.encode(manifest)))
        unfinished.replace(path)
        _sync_folder(path.parent)
        hidden.replace(self._folder / manifest.name)
        _sync_folder(self._folder)

    def _finish(self, hidden: Path) -> None:
        name = hidden.name.removeprefix(".").removesuffix(".tmp")
        if self._manifest_path(name).exists():
            hidden.replace(self._folder / name)
        else:
            hidden.unlink()
            with suppress(FileNotFoundError):
                self._manifest_path(name).with_name(f".{name}.json.tmp").unlink()
        _sync_folder(self._folder)

    def _manifest_path(self, name: str) -> Path:
        return self._folder / HANDED / f"{name}.json"


def totals(rows: Iterable[VoucherRow]) -> Iterator[Total]:
    """Both sides of these rows, currency by currency."""
    amounts: dict[str, list[Decimal]] = {}
    for row in rows:
        amounts.setdefault(row.currency, []).append(row.amount)
    for currency, each in sorted(amounts.items()):
        debit = money.total(amount for amount in each if amount > 0)
        credit = money.total(amount.copy_negate() for amount in each if amount < 0)
        yield Total(currency, debit, credit)


def _manifest(path: Path) -> Manifest:
    try:
        return msgspec.json.decode(path.read_bytes(), type=Manifest)
    except (OSError, msgspec.MsgspecError) as error:
        raise StoreError(f"the list of vouchers in {path} can't be read: {type(error).__name__}") from None


def _synced(path: Path, data: bytes) -> None:
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    number = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


def _unusable(folder: Path, error: OSError) -> StoreError:
    return StoreError(f"the folder {folder} for voucher files can't be used: {error.strerror or type(error).__name__}")
