"""`hold`: leave not before some time, and who may shorten that.

Whatever is written becomes a window from the time of acceptance: what grows with conditions, what waits for an office to open.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Literal, Self

from pydantic import model_validator

from gateway.policy import clock_values, values
from gateway.policy.actions.ask import Ask, Whom
from gateway.policy.calendars import next_clock, next_open, until
from gateway.policy.conditions.condition import Condition, build
from gateway.policy.conditions.context import Context
from gateway.policy.demands import NO_TIME, Demands
from gateway.policy.mail import Mail
from gateway.policy.parts import Part, Short, told
from gateway.policy.values import MAX_WINDOW
from gateway.yaml_source import Hinted


class Until(Short):
    """A time of the day, the opening of an office, or both: the first such time at which the office is open."""

    short = "time"

    time: clock_values.TimeOfDay | None = told(
        "この時刻まで", "until the clock shows this time next: `09:00`"
    )
    calendar: values.Name | None = told(
        "このカレンダーで次に開くまで。開いていれば待たない",
        "until this calendar is open; while it is open, nothing waits for it. With `time`: until that time on a day on which "
        "it is then open",
    )

    @model_validator(mode="after")
    def _asks(self) -> Self:
        if self.time is None and self.calendar is None:
            raise Hinted("until when?", 'write "09:00", or {calendar: a name}')
        return self


class Growth(Part):
    """A condition with which the window grows."""

    when: Condition = told("この条件に合うとき(疑わしいときも)", "if this may hold; required", ...)
    by: values.Window = told("これだけ長くする", "the window is this much longer; required", ...)


class Hold(Short):
    """Leave not before `window` has passed, nor before `until`."""

    short = "window"

    window: values.Window | None = told("保留時間", "how long to wait; required without `until`")
    until: Until | None = told(
        "この時刻、または次に開くまで待つ。`window` と両方なら長い方",
        'wait until a time: `"09:00"`, or `{calendar: office}`. With `window`: whichever is longer',
    )
    grows: tuple[Growth, ...] = told(
        "条件に合うたびに保留時間を延ばす",
        "the window grows with every one of these that may hold: `[{when: {…}, by: 10m}]`",
        (),
    )
    at_most: values.Window | None = told(
        "延ばしても、この時間まで", "however many of them hold, the window grows no longer than this"
    )
    for_: Whom = told(
        "だれが待つか: `external`(既定)、`all`、`matching`(このルールの `recipient` 条件の宛先)",
        "who waits: `external` (default), `all`, or `matching`: the recipients that the rule's own `recipient` condition "
        "names",
        "external",
        "for",
    )
    waive: Literal["sender", "reason", "nobody"] = told(
        "すぐに送ってよい人: `sender`(既定)、`reason`(送信者が理由を書けば。理由は記録され、`notify` の相手に知らされる)、"
        "`nobody`(誰も短縮できない)。取消はいつでもできます",
        "who may send it at once: `sender` (default), `reason` (the sender, who has to say why: it is recorded, and told to "
        "those of `notify`) or `nobody`. Cancelling is always possible",
        "sender",
    )

    @model_validator(mode="after")
    def _possible(self) -> Self:
        if self.window is None and self.until is None:
            raise Hinted("how long?", "write window: 10m, or until: {calendar: a name}")
        if self.window is None and self.grows:
            raise Hinted("there is no window that could grow", "write window: 5m beside grows:")
        if self.at_most is not None and not self.grows:
            raise Hinted(
                "at_most bounds a window that grows, and this one does not", "write grows:, or remove it"
            )
        if self.at_most is not None and self.window is not None and self.at_most < self.window:
            raise Hinted("at_most is shorter than the window", "exchange the two")
        return self


class HoldKeys(Part):
    """The key that makes mail wait."""

    hold: Hold | None = told("保留し、取り消せるようにする", "the mail waits and can be cancelled")


def asks(keys: HoldKeys, _rule: str, context: Context) -> Iterator[Ask]:
    """Yield the window, and the part of it that cannot be waived."""
    hold = keys.hold
    if hold is None:
        return
    least = _demands(hold, hold.window or NO_TIME)
    if hold.until is None and not hold.grows:
        yield Ask(hold.for_, least)
    else:
        yield Ask(hold.for_, least, _worked_out(hold, context))


def _worked_out(hold: Hold, context: Context) -> Callable[[Mail], Demands]:
    grows = [(build(growth.when, context, in_doubt=True), growth.by) for growth in hold.grows]

    def demands(mail: Mail) -> Demands:
        grown = sum((by for test, by in grows if test(mail)), NO_TIME)
        return asked(hold, grown, mail.now, context)

    return demands


def asked(hold: Hold, grown: timedelta, now: datetime | None, context: Context) -> Demands:
    """Return what a hold asks for at `now`, its window grown by `grown`; without `now`, the least at any time."""
    bound = MAX_WINDOW if hold.at_most is None else hold.at_most
    window = min((hold.window or NO_TIME) + grown, bound)
    if hold.until is not None and now is not None:
        window = max(window, waits_until(hold.until, now, context))
    return _demands(hold, window)


def waits_until(wanted: Until, now: datetime, context: Context) -> timedelta:
    """Return how long it is from `now` until the time that is wanted, at most `MAX_WINDOW`."""
    office = context.calendars[wanted.calendar] if wanted.calendar is not None else None
    if wanted.time is not None:
        return until(now, next_clock(now, wanted.time, context.zone, office))
    return until(now, next_open(office, now)) if office is not None else NO_TIME


def _demands(hold: Hold, window: timedelta) -> Demands:
    firm = window if hold.waive == "nobody" else NO_TIME
    reasoned = window if hold.waive == "reason" else NO_TIME
    return Demands(window=window, firm=firm, reasoned=reasoned)
