"""The pages, the probes and the figures over HTTP: the console's apps on the addresses that the settings name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from functools import partial
from zoneinfo import ZoneInfo

from starlette.applications import Starlette
from starlette.routing import BaseRoute

from gateway.audit.daily import DailyFigures
from gateway.audit.log import EventLog
from gateway.audit.rule_figures import RulesOfLate
from gateway.clock import utc_now
from gateway.config.settings import Settings
from gateway.console.app import create_app, create_probe_app
from gateway.console.figures import FigureSources
from gateway.console.people.doors import People
from gateway.console.probes import Check
from gateway.console.reach import Reach
from gateway.console.server import http_server
from gateway.service.auditing import auditing_of
from gateway.service.errors import listening
from gateway.service.proving import prover
from gateway.service.rooms import Rooms
from gateway.yaml_source import Problems


async def open_web(
    stack: AsyncExitStack,
    settings: Settings,
    rooms: Rooms,
    checks: Mapping[str, Check],
    extra_routes: Sequence[BaseRoute],
) -> None:
    """Serve until `stack` unwinds; metrics go to a port of their own where one is set. Raises CannotStart."""
    web = settings.web
    app = web_app(settings, rooms, checks, extra_routes)
    with listening():
        await stack.enter_async_context(http_server(app, web.listen))
        if web.metrics_listen is not None:
            await stack.enter_async_context(http_server(create_probe_app(checks), web.metrics_listen))


def web_app(
    settings: Settings, rooms: Rooms, checks: Mapping[str, Check], extra_routes: Sequence[BaseRoute]
) -> Starlette:
    """Return the application with all pages; it runs nothing of its own."""
    web, channels = settings.web, rooms.keys.channels
    return create_app(
        rooms.spool,
        rooms.links,
        utc_now,
        ZoneInfo(settings.timezone),
        settings.hostname,
        checks=checks,
        with_metrics=web.metrics_listen is None,
        extra_routes=extra_routes,
        ring=rooms.ring,
        digests=rooms.spool.digests,
        prove=prover(rooms.spool.database),
        people=People(rooms.people, settings.sign_in, rooms.provider, partial(_groups, rooms)),
        reach=Reach(channels.ways, channels.sms.allows),
        incidents=rooms.incidents,
        figures=_figures(rooms, ZoneInfo(settings.timezone)),
        events=EventLog.over(rooms.spool.database.readers),
        auditing=auditing_of(settings, rooms),
    )


def _groups(rooms: Rooms) -> Sequence[str] | None:
    try:
        return rooms.policy.current.memberships.names
    except Problems:  # there never was a good policy
        return None


def _figures(rooms: Rooms, zone: ZoneInfo) -> FigureSources:
    readers = rooms.spool.database.readers
    daily, rules = DailyFigures(readers, zone, utc_now), RulesOfLate(readers, zone, utc_now)
    return FigureSources(daily, rules, lambda: rooms.policy.current)
