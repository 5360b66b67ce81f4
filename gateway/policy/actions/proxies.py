"""Proxies: who may approve as well while an approver is away. They add to the approvers and never replace them.

They count for the group they stand in only, so a file that somebody adds cannot name a proxy for another file's approver.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Self
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, WithJsonSchema, model_validator

from gateway.policy.demands import EVER, NEVER, Approver
from gateway.policy.parts import Part, told
from gateway.policy.people import read_address
from gateway.yaml_source import Hinted


def _day(text: str) -> str:
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        raise Hinted(f"not a day: {text!r}", "write it as 2026-08-01") from None


Day = Annotated[
    str, AfterValidator(_day), WithJsonSchema({"type": "string", "pattern": r"^\d{4}-\d\d-\d\d$"})
]
Person = Annotated[str, AfterValidator(read_address)]


class Proxy(Part):
    """Somebody who may approve in addition to `for`, on some days."""

    for_: Person = told("不在の承認者", "the approver who is away", ..., "for")
    by: Person = told("代理の人", "who may approve as well", ...)
    from_: Day = told("初日(2026-08-01 の形)。必須", "the first day, as 2026-08-01; required", ..., "from")
    until: Day = told("最終日。必須", "the last day; required", ...)

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.until < self.from_:
            raise Hinted(f"ends on {self.until}, before it begins on {self.from_}", "exchange the two")
        return self


def with_proxies(approvers: Iterable[str], proxies: Iterable[Proxy], zone: ZoneInfo) -> tuple[Approver, ...]:
    """Return a group's approvers and the proxies of those, in order; days begin and end in the organisation's zone."""
    own = frozenset(approvers)
    acting = {_acting(proxy, zone) for proxy in proxies if proxy.for_ in own}
    return tuple(sorted({Approver(address) for address in own} | acting))


def _acting(proxy: Proxy, zone: ZoneInfo) -> Approver:
    try:
        since = _begin(date.fromisoformat(proxy.from_), zone)
    except OverflowError:
        since = EVER
    try:
        until = _begin(date.fromisoformat(proxy.until) + timedelta(days=1), zone)
    except OverflowError:  # 9999-12-31, as people write "for good"
        until = NEVER
    return Approver(proxy.by, since, until)


def _begin(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), zone).astimezone(UTC)
