"""A NUL in an address or a form: PostgreSQL keeps none in a text; what asks for it finds nothing, and breaks nothing."""

from __future__ import annotations

from datetime import timedelta
from zoneinfo import ZoneInfo

import httpx
import pytest

from gateway.audit.auditing import Auditing
from gateway.console.app import create_app
from gateway.incidents.door import Duty, Incidents
from gateway.links import Links
from gateway.spool.sql import SqlSpool
from tests.incidents.cases import LATER, OFFICER
from tests.incidents.pages import ORIGIN, SECRET, form_of, send, signed_in
from tests.spool.conftest import STORES

pytestmark = pytest.mark.parametrize(
    "where", STORES[1:], indirect=True
)  # SQLite keeps a NUL like any other character
ADDRESSES = {
    "/incidents/%00": 404,
    "/incidents/A%00B/draft.docx": 404,
    "/incidents?after=1-%00": 400,
    "/log/%00": 404,
    "/log?actor=%00&subject=a%00b": 200,
    "/log?after=1.2.%00": 200,
    "/held/%00": 404,
    "/held?words=%00": 200,
    "/m/%00": 404,
}


async def test_a_nul_finds_nothing(spool: SqlSpool) -> None:
    app = create_app(
        spool,
        Links(SECRET, ORIGIN, timedelta(days=7), lambda: LATER),
        lambda: LATER,
        ZoneInfo("Asia/Tokyo"),
        "mx.sports.example.jp",
        sessions=signed_in(),
        incidents=Incidents(spool.database, Duty()),
        auditing=Auditing(spool.database, lambda: LATER),
    )
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url=ORIGIN, cookies={"sekisho": OFFICER}) as admin:
        answers = {path: (await admin.get(path)).status_code for path in ADDRESSES}
        assert answers == ADDRESSES
        page = await admin.get("/log/export")
        said = {**form_of(page, "/log/export"), "form": "csv", "actor": "\0"}
        assert (await send(admin, "/log/export", {**said})).status_code == 200
