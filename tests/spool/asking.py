"""Mails that wait for people: one builder with the knobs that matter here."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from gateway.policy.decision import Outcome
from gateway.policy.demands import NO_TIME, Approval, Approver, Confirmation, Demands, Step
from gateway.spool.values import NewMessage
from tests.spool.mails import MINUTE, T0, mail

HOUR = 60 * MINUTE
CHIEF, DEPUTY, MAYOR = "chief@sports.example.jp", "deputy@sports.example.jp", "mayor@city.example.lg.jp"


def approval(
    *people: str,
    rule: str = "bulk",
    at_least: int = 1,
    within: timedelta = 4 * HOUR,
    otherwise: str = "cancel",
    later: tuple[timedelta, str] | None = None,
    proxy: Approver | None = None,
) -> Approval:
    """Return an approval by these people, `later` by one more."""
    first = [*map(Approver, people), *([proxy] if proxy is not None else [])]
    steps = [Step(NO_TIME, tuple(sorted(first)))]
    if later is not None:
        steps.append(Step(later[0], (Approver(later[1]),)))
    return Approval(rule, "managers", at_least, within, otherwise, tuple(steps))


def confirmation(
    items: str = "recipients", within: timedelta = 24 * HOUR, otherwise: str = "cancel", rule: str = "tick"
) -> Confirmation:
    return Confirmation(rule, items, within, otherwise)


def asking(
    *demands: Approval | Confirmation,
    outside: int = 2,
    inside: int = 0,
    window: timedelta = NO_TIME,
    firm: timedelta = NO_TIME,
    reasoned: timedelta = NO_TIME,
    at: datetime = T0,
    notify: frozenset[str] = frozenset(),
    notify_sender: bool = False,
) -> NewMessage:
    """Return a mail whose `outside` recipients wait for people, the others for nobody."""
    plain = mail(held=outside, queued=inside, at=at, notify=notify, notify_sender=notify_sender)
    wanted = Demands(
        window=window,
        firm=firm,
        reasoned=reasoned,
        confirm=frozenset(each for each in demands if isinstance(each, Confirmation)),
        approvals=frozenset(each for each in demands if isinstance(each, Approval)),
    )
    outcomes = (Outcome(True, wanted, rules=("bulk",)), Outcome(False, Demands()))
    return replace(plain, decision=replace(plain.decision, outcomes=outcomes))
