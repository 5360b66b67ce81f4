"""Health, readiness, metrics, and the headers that every answer carries."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from zoneinfo import ZoneInfo

import httpx
import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from gateway.console import probes
from gateway.console.app import create_app, create_probe_app
from gateway.console.probes import NotReady
from gateway.links import Links
from tests.console.conftest import ORIGIN, HandClock
from tests.memory_spool import SENDER, MemorySpool, hold


async def passes() -> None:
    return None


async def broken() -> None:
    raise RuntimeError("secret path /var/lib/x")


async def not_ready() -> None:
    raise NotReady("the policy files are broken; the last good policy is in force")


async def hangs() -> None:
    await asyncio.sleep(60)


async def get(app: Starlette, path: str) -> httpx.Response:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url=ORIGIN) as client:
        return await client.get(path)


async def test_ready_when_all_checks_pass() -> None:
    answer = await get(create_probe_app({"store": passes, "disk": passes}), "/readyz")
    assert (answer.status_code, answer.json()) == (
        200,
        {"ready": True, "checks": {"store": "ok", "disk": "ok"}},
    )


async def test_not_ready_says_which_check_and_no_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probes, "CHECK_TIMEOUT", 0.01)
    checks = {"store": broken, "disk": passes, "policy": not_ready, "next_hop": hangs}
    answer = await get(create_probe_app(checks), "/readyz")
    assert answer.status_code == 503
    assert answer.json()["checks"] == {
        "store": "failed",
        "disk": "ok",
        "policy": "the policy files are broken; the last good policy is in force",
        "next_hop": "timeout",
    }
    metrics = (await get(create_probe_app(checks), "/metrics")).text
    assert 'sekisho_ready{check="store"} 0.0' in metrics
    assert 'sekisho_ready{check="disk"} 1.0' in metrics


async def test_health_does_not_ask_the_checks() -> None:
    assert (await get(create_probe_app({"store": broken}), "/healthz")).text == "ok\n"


async def test_metrics_can_be_left_to_another_listener() -> None:
    assert (await get(create_probe_app({}, with_metrics=False), "/metrics")).status_code == 404


@pytest.mark.parametrize(
    ("path", "status"),
    [("/", 200), ("/m/x", 404), ("/nothing", 404), ("/static/style.css", 200), ("/static/../app.py", 404),
     ("/static/%2e%2e/app.py", 404), ("/healthz", 200), ("/readyz", 200)],
)  # fmt: skip
async def test_every_answer_carries_the_headers(client: httpx.AsyncClient, path: str, status: int) -> None:
    answer = await client.get(path)
    assert answer.status_code == status
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")
    assert "unsafe" not in answer.headers["content-security-policy"]
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["cache-control"] == ("public, no-cache" if path.endswith(".css") else "no-store")
    assert answer.headers["x-content-type-options"] == "nosniff"


async def test_the_held_page_carries_them_too(
    client: httpx.AsyncClient, spool: MemorySpool, links: Links
) -> None:
    hold(spool, "Q1", ["sato@example.com"])
    answer = await client.get(links.url("Q1", SENDER))
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]


@pytest.mark.parametrize(
    ("accepted", "language"), [("en-GB,ja;q=0.5", "en"), ("ja", "ja"), ("", "ja"), ("*", "ja")]
)
async def test_pages_without_a_message_speak_the_browser_s_language(
    client: httpx.AsyncClient, accepted: str, language: str
) -> None:
    answer = await client.get("/", headers={"Accept-Language": accepted})
    assert f'<html lang="{language}">' in answer.text


async def test_the_start_page_shows_no_mail(client: httpx.AsyncClient, spool: MemorySpool) -> None:
    hold(spool, "Q1", ["sato@example.com"])
    assert "example.com" not in (await client.get("/")).text


async def test_a_wrong_method_is_refused_with_a_page(client: httpx.AsyncClient) -> None:
    answer = await client.post("/")
    assert answer.status_code == 405
    assert {method.strip() for method in answer.headers["allow"].split(",")} == {"GET", "HEAD"}


async def test_more_routes_can_be_added(spool: MemorySpool, links: Links, clock: HandClock) -> None:
    async def inbox(request: object) -> PlainTextResponse:
        return PlainTextResponse("inbox")

    zone = ZoneInfo("Asia/Tokyo")
    extra = [Route("/inbox", inbox)]
    app = create_app(spool.door(), links, clock, zone, "mx.example.jp", extra_routes=extra)
    assert (await get(app, "/inbox")).text == "inbox"
    assert (await get(app, "/readyz")).status_code == 404


async def test_pages_behind_a_proxy_path(spool: MemorySpool, clock: HandClock) -> None:
    links = Links(b"x" * 32, f"{ORIGIN}/sekisho", timedelta(days=7), clock)
    app = create_app(spool.door(), links, clock, ZoneInfo("Asia/Tokyo"), "mx.example.jp")
    hold(spool, "Q1", ["sato@example.com"])
    token = links.url("Q1", SENDER).rpartition("/")[2]
    page = await get(app, f"/m/{token}")
    assert f'action="/sekisho/m/{token}/cancel"' in page.text
    assert 'href="/sekisho/static/style.' in page.text
