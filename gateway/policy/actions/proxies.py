"""Proxies: who may approve as well while an approver is away. They add to the approvers and never replace them.

They count for the group they stand in only, so a file that somebody adds cannot name a proxy for another file's approver.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Annotated, Self

from pydantic import AfterValidator, Field, WithJsonSchema, model_validator

from gateway.policy.demands import Approver
from gateway.policy.people import read_address
from gateway.policy.values import Part, told
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

    for_: Person = Field(alias="for", description="the approver who is away\n不在の承認者")
    by: Person = told("代理の人", "who may approve as well", ...)
    from_: Day = Field(
        alias="from", description="the first day, as 2026-08-01; required\n初日(2026-08-01 の形)。必須"
    )
    until: Day = told("最終日。必須", "the last day; required", ...)

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.until < self.from_:
            raise Hinted(f"ends on {self.until}, before it begins on {self.from_}", "exchange the two")
        return self


def with_proxies(approvers: Iterable[str], proxies: Iterable[Proxy]) -> tuple[Approver, ...]:
    """Return a group's approvers and the proxies of those, in order."""
    own = frozenset(approvers)
    acting = {Approver(proxy.by, proxy.from_, proxy.until) for proxy in proxies if proxy.for_ in own}
    return tuple(sorted({Approver(address) for address in own} | acting))
