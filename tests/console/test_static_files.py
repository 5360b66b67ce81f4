"""The sheet and the scripts: kept for a year at an address that names their content, compressed, and nothing else is."""

from __future__ import annotations

import gzip
import hashlib
import re

import httpx
import pytest

from gateway.console.pages import ROOM
from gateway.console.static_files import StaticFiles

SHEET = (ROOM / "static" / "style.css").read_bytes()
FILES = StaticFiles(ROOM / "static")
RAW_MOST, PACKED_MOST = 24_000, 7_000  # octets of the sheet: what a phone in a basement loads in a moment
PLAIN = {"accept-encoding": "identity"}


async def test_a_page_names_the_content_of_the_sheet(client: httpx.AsyncClient) -> None:
    found = re.search(
        r'<link rel="stylesheet" href="(/static/style\.([0-9a-f]+)\.css)">', (await client.get("/")).text
    )
    assert found
    assert hashlib.sha256(SHEET).hexdigest().startswith(found[2])
    answer = await client.get(found[1], headers=PLAIN)
    assert answer.content == SHEET
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"


async def test_the_plain_name_is_asked_for_again(client: httpx.AsyncClient) -> None:
    answer = await client.get("/static/style.css", headers=PLAIN)
    assert answer.headers["cache-control"] == "public, no-cache"
    again = await client.get("/static/style.css", headers={**PLAIN, "if-none-match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == answer.headers["etag"]


@pytest.mark.parametrize(
    ("accepted", "packed"),
    [
        ("gzip", True),
        ("br, gzip;q=0.5", True),
        ("identity", False),
        ("gzip;q=0", False),
        ("gzip; q=0.0", False),
        ("", False),
    ],
)
async def test_it_is_compressed_for_whom_reads_that(
    client: httpx.AsyncClient, accepted: str, packed: bool
) -> None:
    answer = await client.get(FILES.address("style.css"), headers={"accept-encoding": accepted})
    assert ("content-encoding" in answer.headers) is packed
    assert answer.content == SHEET  # httpx unpacks it
    assert answer.headers["vary"] == "accept-encoding"
    assert answer.headers["content-type"] == "text/css; charset=utf-8"


async def test_both_forms_have_an_etag_of_their_own(client: httpx.AsyncClient) -> None:
    address = FILES.address("style.css")
    tags = {
        (await client.get(address, headers={"accept-encoding": each})).headers["etag"]
        for each in ("gzip", "identity")
    }
    assert len(tags) == 2


async def test_pages_are_not_compressed(client: httpx.AsyncClient) -> None:
    """A page holds secrets beside what a stranger wrote: its length would tell of them (BREACH)."""
    assert "content-encoding" not in (await client.get("/", headers={"accept-encoding": "gzip, br"})).headers


@pytest.mark.parametrize("name", ["style.0000000000000000.css", "nothing.css", "app.py", "..%2fapp.py", ""])
async def test_what_is_not_there_is_not_found(client: httpx.AsyncClient, name: str) -> None:
    answer = await client.get(f"/static/{name}")
    assert answer.status_code == 404
    assert answer.headers["cache-control"] == "no-store"


def test_the_sheet_is_small() -> None:
    assert len(SHEET) <= RAW_MOST
    assert len(gzip.compress(SHEET, 9)) <= PACKED_MOST
