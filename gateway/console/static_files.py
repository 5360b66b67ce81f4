"""The sheet and the scripts: read once at start, served from memory, at an address that names what they hold.

A page asks for `/static/style.<digest>.css`: that content never changes, so a browser keeps it for a year and asks no more.
The plain name works too and is asked for again each time (ETag). These files hold no secret and nothing of the reader's, so
they alone are compressed (docs/decisions/0095-what-is-compressed-and-kept.md).
"""

from __future__ import annotations

import gzip
import hashlib
from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from gateway.values import dataclass

KINDS = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8"}
DIGITS = 16  # of the digest in an address; 64 bits: nobody but us writes these files
KEPT = (
    "public, max-age=31536000, immutable"  # a year, the most that HTTP promises anything for (RFC 9111 1.2.2)
)
ASKED = "public, no-cache"  # kept, and asked for again


@dataclass(frozen=True, slots=True)
class _File:
    content: bytes
    packed: bytes
    kind: str
    digest: str


class StaticFiles:
    """The files of one folder; a route gives `name`. Nothing is looked up on disk, whatever a request asks for."""

    def __init__(self, folder: Path) -> None:
        self._files = {path.name: _read(path) for path in sorted(folder.iterdir()) if path.suffix in KINDS}
        self._lasting = {_lasting(name, file.digest): file for name, file in self._files.items()}

    def address(self, name: str) -> str:
        """Return the path of a file as pages name it; raises KeyError for one that is not there."""
        return f"/static/{_lasting(name, self._files[name].digest)}"

    async def serve(self, request: Request) -> Response:
        """GET /static/{name}"""
        name = request.path_params["name"]
        kept = self._lasting.get(name)
        file = kept or self._files.get(name)
        if file is None:
            raise HTTPException(404)
        packed = _takes_gzip(request.headers.get("accept-encoding", ""))
        headers = {
            "cache-control": KEPT if kept else ASKED,
            "etag": f'"{file.digest}{"-gzip" if packed else ""}"',
            "vary": "accept-encoding",
        }
        if headers["etag"] in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=headers)
        if packed:
            headers["content-encoding"] = "gzip"
        return Response(file.packed if packed else file.content, headers=headers, media_type=file.kind)


def _read(path: Path) -> _File:
    content = path.read_bytes()
    digest = hashlib.sha256(content).hexdigest()[:DIGITS]
    return _File(content, gzip.compress(content, 9, mtime=0), KINDS[path.suffix], digest)


def _lasting(name: str, digest: str) -> str:
    stem, dot, ending = name.rpartition(".")
    return f"{stem}.{digest}{dot}{ending}"


def _takes_gzip(accepted: str) -> bool:
    """Tell whether a client says that it reads gzip (RFC 9110 12.5.3); what it refuses by q=0 it does not get."""
    for each in accepted.lower().split(","):
        coding, _, weight = each.partition(";")
        if coding.strip() == "gzip":
            return weight.replace(" ", "") not in ("q=0", "q=0.0", "q=0.00", "q=0.000")
    return False
