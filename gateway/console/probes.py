"""Health, readiness and metrics for those who run the gateway: small answers, no data of any mail.

`/healthz` says that the process answers; `/readyz` says whether it could do its job now, check by check,
each bounded in time.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping

import structlog
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from gateway import metrics

Check = Callable[[], Awaitable[None]]
CHECK_TIMEOUT = 3.0  # seconds; orchestrators ask every few seconds and give up after about five
_EXPOSITION = "text/plain; version=0.0.4; charset=utf-8"

log = structlog.get_logger()


class NotReady(Exception):
    """A check's public words on why it does not pass; any other exception is shown as `failed` only."""


def probe_routes(checks: Mapping[str, Check], *, with_metrics: bool = True) -> list[BaseRoute]:
    """Return the routes of health, readiness and, where wanted, metrics."""

    async def ready(request: Request) -> Response:
        results = await run_checks(checks)
        passed = all(result == "ok" for result in results.values())
        return JSONResponse({"ready": passed, "checks": results}, status_code=200 if passed else 503)

    routes: list[BaseRoute] = [Route("/healthz", _alive), Route("/readyz", ready)]
    return [*routes, Route("/metrics", _exposition)] if with_metrics else routes


async def run_checks(checks: Mapping[str, Check]) -> dict[str, str]:
    """Run all checks at once and return `ok` or what is wrong, by name."""
    results = await asyncio.gather(*(_run(name, check) for name, check in checks.items()))
    return dict(zip(checks, results, strict=True))


async def _run(name: str, check: Check) -> str:
    result = "ok"
    try:
        await asyncio.wait_for(check(), CHECK_TIMEOUT)
    except TimeoutError:
        result = "timeout"
    except NotReady as reason:
        result = str(reason)
    except Exception:
        log.exception("readiness-check-failed", check=name)
        result = "failed"
    metrics.READY.labels(name).set(result == "ok")
    return result


async def _alive(request: Request) -> Response:
    return PlainTextResponse("ok\n")


async def _exposition(request: Request) -> Response:
    # A thread: a registry is rendered in one go, and with many series that is longer than a page should wait.
    return Response(await asyncio.to_thread(metrics.render), media_type=_EXPOSITION)
