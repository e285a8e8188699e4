"""The console's own scripts, styles and pictures.

Rule: read once when the process starts; an address carries the digest of what lies there, so that it may be kept for
ever; nothing but these files is served.
Must not know: any page.
"""

import hashlib
from pathlib import Path

from fastapi import APIRouter, Response

from ml_connector.console.refusals import absent

KINDS = {
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
    ".txt": "text/plain",
    ".woff2": "font/woff2",
}
FILES = {file.name: file.read_bytes() for file in Path(__file__).parent.iterdir() if file.suffix in KINDS}
DIGESTS = {name: hashlib.sha256(content).hexdigest()[:12] for name, content in FILES.items()}
KEPT = "public, max-age=31536000, immutable"

routes = APIRouter(include_in_schema=False)


def address(name: str) -> str:
    """Where a file is found."""
    return f"/static/{name}?v={DIGESTS[name]}"


@routes.get("/static/{name}")
def get_file(name: str) -> Response:
    """A file."""
    if name not in FILES:
        raise absent("there is no such file")
    return Response(FILES[name], media_type=KINDS[Path(name).suffix], headers={"cache-control": KEPT})
