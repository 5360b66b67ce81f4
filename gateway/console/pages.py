"""Pages as HTML: templates with everything escaped, in the reader's language, and the pages that say what went wrong.

An error page says what the reader can do and nothing about the inside; causes go to the log.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from zoneinfo import ZoneInfo

import structlog
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from gateway.console.guard import PAGE_HEADERS
from gateway.languages import LANGUAGES, Words
from gateway.links import LinkExpired, LinkInvalid
from gateway.policy.demands import Language
from gateway.spool.contract import StoreUnavailable, UnknownMessage
from gateway.templates import templates_in

ROOM = Path(__file__).parent
OUTSIDE = "/d/"  # what stands behind it is read by people outside, who know no administrator of ours

log = structlog.get_logger()


class Failure(Exception):
    """Answer with the error page of this HTTP status."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


class Pages:
    """Render templates in either language; `base_path` stands before every local address."""

    def __init__(self, zone: ZoneInfo, base_path: str) -> None:
        self._words = {Language(language): Words(language, zone) for language in LANGUAGES}
        self._templates = {
            language: templates_in(ROOM / "templates", words) for language, words in self._words.items()
        }
        self._base_path = base_path

    def words(self, language: Language) -> Words:
        return self._words[language]

    def render(
        self, template: str, language: Language, values: Mapping[str, object], status: int = 200
    ) -> Response:
        """Return the page."""
        page = self._templates[language].get_template(template)
        known = {"base": self._base_path, "language": language.value, "languages": LANGUAGES}
        return HTMLResponse(page.render({**known, **values}), status_code=status)

    async def start(self, request: Request) -> Response:
        """GET /: what this is, for somebody who came without a link. No data."""
        return self.render("start.html", reader_language(request), {})

    async def failed(self, request: Request, error: Exception) -> Response:
        """Return the page for an exception; an unknown one is logged."""
        status = _status(error)
        if status == 500:
            log.error("page-failed", exc_info=error)
        headers = error.headers if isinstance(error, HTTPException) else None
        values = {"status": status, "outside": request.scope["path"].startswith(OUTSIDE)}
        response = self.render("error.html", reader_language(request), values, status)
        # Starlette answers unknown exceptions outside of all middleware, so the headers are put on here too.
        response.headers.update({**PAGE_HEADERS, **(headers or {})})
        return response


def _status(error: Exception) -> int:
    if isinstance(error, Failure):
        return error.status
    if isinstance(error, HTTPException):
        return error.status_code
    table = {LinkExpired: 410, LinkInvalid: 404, UnknownMessage: 404, StoreUnavailable: 503}
    return next((status for kind, status in table.items() if isinstance(error, kind)), 500)


def reader_language(request: Request) -> Language:
    """Choose a language where no message says one: `?lang=`, then English for a browser that asks for it
    first."""
    asked = request.query_params.get("lang", "")
    if asked in LANGUAGES:
        return Language(asked)
    first = request.headers.get("accept-language", "").partition(",")[0].strip().lower()
    return Language.EN if first and not first.startswith(("ja", "*")) else Language.JA
