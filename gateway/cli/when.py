"""A point in time as people write it on the command line: `30d` (so long ago), `2026-11-01`, `2026-11-01T09:00`."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import click

from gateway.clock import utc_now
from gateway.units import parse_duration

_FORMS = ("%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%S%z")
_DATES = click.DateTime(_FORMS)


class When(click.ParamType[datetime]):
    """A span before now, or a time; local time unless an offset is given. Gives an aware datetime in UTC."""

    name = "time"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        if isinstance(value, datetime):
            return value.astimezone(UTC)
        try:
            return utc_now() - _bounded(parse_duration(value))
        except (ValueError, OverflowError):
            found: datetime = _DATES.convert(value, param, ctx)
            return found.astimezone(UTC)


def _bounded(span: timedelta) -> timedelta:
    if span > timedelta(days=36_500):
        raise ValueError("longer than a hundred years")
    return span


WHEN = When()
