"""Evidence of a period, gathered from the store into a folder that stands alone.

Rule: it is made of a tie-out that is kept, and of nothing read anew, so that it is of what was signed off; the folder
appears when it is whole. No body of the journal and no secret goes into it.
Must not know: how anything is shown.
"""

import shutil
import uuid
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, date, datetime, time, timedelta
from importlib import metadata
from pathlib import Path
from tempfile import TemporaryDirectory, TemporaryFile
from typing import IO
from zoneinfo import ZoneInfo

import msgspec

from ml_connector.compare.tieout import words
from ml_connector.compare.tieout.calendar import written
from ml_connector.compare.tieout.shapes import TieOut
from ml_connector.errors import SettingsError, StoreError
from ml_connector.evidence import explained, packing, sealing, signature
from ml_connector.evidence.layout import README
from ml_connector.evidence.manifest import Manifest
from ml_connector.store import schema
from ml_connector.store.extracts import Window
from ml_connector.store.journal import Journal, Kind, Line
from ml_connector.store.signing import SigningKey, SigningKeys
from ml_connector.store.tie_outs import Kept, TieOuts
from ml_connector.wiring import replaying, versions
from ml_connector.wiring.extracting import Extract
from ml_connector.wiring.opened import Opened

WAIT_S = 1.0


class Made(msgspec.Struct, frozen=True):
    """Evidence that was made. `digest`: of its SHA256SUMS, which stands for all of it; `tie_out`: of what it is."""

    digest: str
    fingerprint: str
    period: str
    tie_out: str
    signed_by: str
    documents: int
    entries: int


def gather(opened: Opened, name: str, period: str, folder: Path, person: str, number: int = 0) -> Made:
    """Make the evidence of a period in a new folder; `number`: of this tie-out, not of the one that counts.

    Raises: SettingsError, StoreError.
    """
    if folder.exists() or folder.is_symlink():
        raise SettingsError(f"{folder} is there already; name a folder that is to be made")
    part = folder.with_name(f".{folder.name}.{uuid.uuid4().hex}.part")
    try:
        part.mkdir(mode=0o700)
        made = _filled(opened, name, period, part, person, number)
        part.rename(folder)
    except OSError as error:
        raise SettingsError(f"{folder} can't be written: {error.strerror}") from error
    finally:
        shutil.rmtree(part, ignore_errors=True)
    _tell(opened, name, made, person)
    return made


def zipped(opened: Opened, name: str, period: str, person: str, number: int = 0) -> tuple[IO[bytes], Made]:
    """The evidence of a period as an open .zip file; one is made at a time. Raises: BusyError, as `gather`."""
    with ExitStack() as unless_made, opened.database.lock("evidence", WAIT_S), TemporaryDirectory() as folder:
        out: IO[bytes] = unless_made.enter_context(TemporaryFile())
        place = Path(folder) / f"evidence-{period}"
        made = gather(opened, name, period, place, person, number)
        packing.pack(place, out)
        out.seek(0)
        unless_made.pop_all()
    return out, made


def keys(opened: Opened) -> SigningKeys:
    """The keys that sign evidence."""
    return SigningKeys(opened.database, opened.vault)


def signing_key(opened: Opened, person: str, *, renew: bool = False) -> SigningKey:
    """The key that signs; made when there is none, or when another one is wanted. Raises: StoreError."""
    return keys(opened).renew(_pair, person) if renew else keys(opened).newest(_pair, person)


def _pair() -> tuple[bytes, bytes]:
    private = signature.made()
    return private, signature.public_of(private)


def _filled(opened: Opened, name: str, period: str, part: Path, person: str, number: int) -> Made:
    owner = opened.connections.get(name).id
    tie_outs = TieOuts(opened.database, opened.vault, owner)
    kept = tie_outs.get(number) if number else _chosen(tie_outs, name, period)
    tie_out = tie_outs.content(kept.number)
    extract = Extract(opened, name, owner, part, _window(tie_out, kept, replaying.zone_of(opened, name)))
    frozen = extract.tie_out(kept, tie_outs.text(kept.number), tie_out)
    extract.population(tie_outs.told(kept.number))
    journal, installation = extract.journal(frozen), extract.installation()
    extract.tables()
    times = {name: schema.stamp(getattr(extract.window, name)) for name in ("since", "until")}
    said = _said(opened, name, tie_out, kept, person)
    said = msgspec.structs.replace(said, **times, journal=journal, installation=installation)
    of = f"Documents of: {', '.join(tie_out.flows) or 'none'}."
    told = " ".join((words.headline(tie_out), of, _sign_off(kept), *_later(tie_outs, kept)))
    digest, fingerprint = _sealed(opened, part, said, told)
    entries = journal.last - journal.first + 1
    return Made(digest, fingerprint, kept.period, kept.digest, kept.signed_by, tie_out.lines, entries)


def _sealed(opened: Opened, part: Path, said: Manifest, told: str) -> tuple[str, str]:
    """Explain and sign what was filled in; the digest of it, and the fingerprint of the key."""
    key = signing_key(opened, said.made_by)
    fingerprint = signature.fingerprint(key.public)
    (part / README).write_text(explained.readme(said, told, fingerprint), encoding="utf-8")
    private = keys(opened).private(key)
    return sealing.seal(part, said, key.public, lambda content: signature.signed(private, content)), fingerprint


def _chosen(tie_outs: TieOuts, name: str, period: str) -> Kept:
    """The tie-out that was signed off last, else the latest. Raises: StoreError when one that was signed is gone."""
    called = written(period) or period
    if gone := tie_outs.gone(called):
        raise StoreError(
            f"tie-out {gone[0]}, which the journal says was signed off, is gone; restore the latest backup"
        )
    kept = tie_outs.signed(called) or tie_outs.latest(called)
    if kept is None:
        raise SettingsError(f"{period} has no tie-out yet; make it first: ml-connector tie-out {name} {period}")
    return kept


def _window(tie_out: TieOut, kept: Kept, zone: ZoneInfo) -> Window:
    """From the period's first day to its end or, if that is later, to when the tie-out was made or signed off."""
    if not (tie_out.from_on and tie_out.until_on):
        raise SettingsError(f"tie-out {kept.number} does not tell the days of its period; make another one")
    first, last = (date.fromisoformat(day) for day in (tie_out.from_on, tie_out.until_on))
    since, end = (datetime.combine(day, time(), zone).astimezone(UTC) for day in (first, last + timedelta(days=1)))
    frozen_at = kept.signed_at or kept.made_at
    return Window(since, min(datetime.now(UTC), max(end, frozen_at)))


def _said(opened: Opened, name: str, tie_out: TieOut, kept: Kept, person: str) -> Manifest:
    present = versions.present(opened, name)
    return Manifest(
        connection=name,
        period=tie_out.period,
        from_on=tie_out.from_on,
        until_on=tie_out.until_on,
        made_at=schema.stamp(datetime.now(UTC)),
        made_by=person,
        program=metadata.version("ml-connector"),
        ifs=present.ifs.url,
        airbase=present.airbase.url,
        companies=present.ifs.companies,
        tie_out=kept.digest,
    )


def _sign_off(kept: Kept) -> str:
    if kept.signed_at is None:
        return "Its tie-out was not signed off."
    said = f" and noted: “{' '.join(kept.note.split())}”" if kept.note else ""
    return f"Its tie-out was signed off by {kept.signed_by} at {schema.stamp(kept.signed_at)}{said}."


def _later(tie_outs: TieOuts, kept: Kept) -> Iterator[str]:
    """That there is a later tie-out of the period, which may say something else."""
    later = tie_outs.latest(kept.period)
    if later and later.number > kept.number:
        signed = "is signed off" if later.signed_at else "is not signed off"
        verdict = "ties" if later.ties else "differs"
        yield f"A later one, made {schema.stamp(later.made_at)} by {later.made_by}, {verdict} and {signed}."


def _tell(opened: Opened, name: str, made: Made, person: str) -> None:
    """Have the connection's journal know of the evidence, so that what is shown later can be looked up."""
    facts = {"event": "made", "period": made.period, "sums": made.digest, "tie_out": made.tie_out, "person": person}
    journal = Journal(opened.database, opened.vault, opened.connections.get(name).id)
    with opened.database.write() as connection:
        journal.append(connection, [Line(Kind.EVIDENCE, facts)])
