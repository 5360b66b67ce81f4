"""Pages as HTML: templates with everything escaped, in the reader's language, and the pages that say what went wrong.

An error page says what the reader can do and nothing about the inside; causes go to the log.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import structlog
from jinja2 import Environment
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from gateway.console.guard import PAGE_HEADERS
from gateway.console.navigation import entries
from gateway.console.static_files import StaticFiles
from gateway.languages import LANGUAGES, Words
from gateway.links import LinkExpired, LinkInvalid
from gateway.people.contract import Session
from gateway.policy.demands import Language
from gateway.spool.contract import StoreUnavailable, UnknownMessage
from gateway.templates import templates_in

ROOM = Path(__file__).parent
LANGUAGE_COOKIE = "sekisho-language"  # what somebody chose on a page, until they close the browser
OUTSIDE = (
    "/d/",
    "/r/",
)  # what stands behind them is read by people outside, who know no administrator of ours

log = structlog.get_logger()


class Failure(Exception):
    """Answer with the error page of this HTTP status."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


class Pages:
    """Render templates in either language; `base_path` stands before every local address.

    `files` are the sheet and the scripts; `signing_in` tells that people with an account have pages here.
    """

    def __init__(self, zone: ZoneInfo, base_path: str, *, signing_in: bool = False) -> None:
        self.files = StaticFiles(ROOM / "static")
        self._words = {Language(language): Words(language, zone) for language in LANGUAGES}
        self._templates = {language: self._environment(words) for language, words in self._words.items()}
        self._base_path = base_path
        self._signing_in = signing_in

    def _environment(self, words: Words) -> Environment:
        environment = templates_in(ROOM / "templates", words)
        environment.globals["static"] = self.files.address
        return environment

    def words(self, language: Language) -> Words:
        return self._words[language]

    def render(
        self, template: str, language: Language, values: Mapping[str, object], status: int = 200
    ) -> Response:
        """Return the page. `kept` among the values is what the language switch keeps of its address (`kept_query`)."""
        page = self._templates[language].get_template(template)
        known = {"base": self._base_path, "language": language.value, "languages": LANGUAGES, "kept": ""}
        return HTMLResponse(page.render({**known, **values}), status_code=status)

    async def start(self, request: Request) -> Response:
        """GET /: what this is, for somebody who came without a link. No data."""
        return self.render("start.html", reader_language(request), {"signing_in": self._signing_in})

    async def failed(self, request: Request, error: Exception) -> Response:
        """Return the page for an exception; an unknown one is logged."""
        status = _status(error)
        if status == 500:
            log.error("page-failed", exc_info=error)
        headers = error.headers if isinstance(error, HTTPException) else None
        language = reader_language(request)
        values = {
            "status": status,
            "outside": request.scope["path"].startswith(OUTSIDE),
            "looking": request.method in ("GET", "HEAD"),
            **self._inside(request, language),
        }
        response = self.render("error.html", language, values, status)
        # Starlette answers unknown exceptions outside of all middleware, so the headers are put on here too.
        response.headers.update({**PAGE_HEADERS, **(headers or {})})
        return response

    def _inside(self, request: Request, language: Language) -> dict[str, object]:
        """Return the frame of whoever the gate let in (`recognised`); nothing for anybody else."""
        session = getattr(request.state, "session", None)
        if session is None:
            return {}
        found = entries(session.person, self.words(language))
        return {"person": session.person, "seal": request.state.seal, "entries": found, "here": ""}


def _status(error: Exception) -> int:
    if isinstance(error, Failure):
        return error.status
    if isinstance(error, HTTPException):
        return error.status_code
    table = {LinkExpired: 410, LinkInvalid: 404, UnknownMessage: 404, StoreUnavailable: 503}
    return next((status for kind, status in table.items() if isinstance(error, kind)), 500)


def recognised(request: Request, session: Session, seal: str) -> None:
    """Remember who asks, so that the page about an error has their language and their way on."""
    request.state.session, request.state.seal = session, seal


def reader_language(request: Request) -> Language:
    """Choose a language where no message says one.

    `?lang=`, then what was chosen on a page before, what somebody signed in said they prefer, and English for a browser that
    asks for it first.
    """
    for asked in (request.query_params.get("lang", ""), request.cookies.get(LANGUAGE_COOKIE, "")):
        if asked in LANGUAGES:
            return Language(asked)
    session = getattr(request.state, "session", None)
    if session is not None and session.person.language is not None:
        return Language(session.person.language)
    first = request.headers.get("accept-language", "").partition(",")[0].strip().lower()
    return Language.EN if first and not first.startswith(("ja", "*")) else Language.JA


def kept_query(request: Request) -> str:
    """Return what stands in an address before `lang=`: everything asked for but the language."""
    rest = [(name, value) for name, value in request.query_params.multi_items() if name != "lang"]
    return urlencode(rest) + "&" if rest else ""
