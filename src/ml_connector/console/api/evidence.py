"""Evidence over HTTP: made of a tie-out, and the keys that it is signed with.

Rule: evidence goes to who administers only; public keys to everybody who may read.
Must not know: what is in it.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import IO, Any

from fastapi import APIRouter, Depends, Response
from fastapi.responses import StreamingResponse
from pydantic import Field

from ml_connector.console.api.shapes import Connected, Shown
from ml_connector.console.api.tie_outs import Numbered, Period
from ml_connector.console.auth import Guarded, Reader, administering
from ml_connector.console.refusals import documented
from ml_connector.console.site import Here, Site
from ml_connector.evidence import signature
from ml_connector.store.signing import SigningKey
from ml_connector.wiring import gathering

routes = APIRouter(tags=["evidence"], route_class=Guarded)
ZIP = "application/zip"
PIECE = 65_536
PACKED: dict[int | str, dict[str, Any]] = {200: {"content": {ZIP: {"schema": {"type": "string", "format": "binary"}}}}}
ANSWERS = documented(403) | PACKED


class KeyShown(Shown):
    """A public key that evidence is signed with."""

    made_at: datetime
    fingerprint: str = Field(description="SHA-256 of its 32 bytes; to be compared by another way.")
    pem: str
    signs: bool = Field(description="Whether evidence that is made now is signed with it.")


class KeysShown(Shown):
    """The keys there ever were, the newest first; none before evidence was first made."""

    keys: list[KeyShown]


@routes.post(
    "/connections/{name}/tie-outs/{period}/{number}/evidence",
    dependencies=[Depends(administering)],
    responses=ANSWERS,
    response_class=StreamingResponse,
)
def make_evidence(connection: Connected, here: Here, period: Period, one: Numbered, who: Reader) -> Response:
    """The evidence of a tie-out as a .zip: documents, totals, changes, journals, signature."""
    return packed(here, connection.name, period, one.number, who.person)


@routes.get("/evidence/keys")
def list_keys(here: Here) -> KeysShown:
    """The public keys that evidence is checked with."""
    return KeysShown(keys=[_key(one, not number) for number, one in enumerate(gathering.keys(here.opened).listed())])


def packed(here: Site, name: str, period: str, number: int, person: str) -> Response:
    """Evidence as it is sent. Raises: SettingsError, StoreError."""
    file, _ = gathering.zipped(here.opened, name, period, person, number)
    told = {"content-disposition": f'attachment; filename="evidence-{period}.zip"', "cache-control": "no-store"}
    return StreamingResponse(_pieces(file), media_type=ZIP, headers=told)


def _pieces(file: IO[bytes]) -> Iterator[bytes]:
    with file:
        while piece := file.read(PIECE):
            yield piece


def _key(one: SigningKey, signs: bool) -> KeyShown:
    pem = signature.pem(one.public).decode()
    return KeyShown(made_at=one.made_at, fingerprint=signature.fingerprint(one.public), pem=pem, signs=signs)
