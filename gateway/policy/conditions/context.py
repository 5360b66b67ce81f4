"""What the keys of a condition may refer to by name, and what a policy needs to have looked up before it decides."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import field
from datetime import UTC, tzinfo
from enum import Flag, auto

from gateway.policy.calendars import Calendar
from gateway.policy.demands import Approver
from gateway.policy.mail import Mail
from gateway.values import dataclass

Test = Callable[[Mail], bool]


class Need(Flag):
    """A kind of evidence (message/evidence.py) that some rule asks for. Nothing is looked up that no rule asks for."""

    NOTHING = 0
    CONTENT = auto()
    WRITERS = auto()
    VOLUME = auto()
    EARLIER = auto()
    DOMAINS = auto()
    LOOK_ALIKES = auto()
    HALVES = auto()


@dataclass(frozen=True, slots=True)
class Context:
    """Everything that has a name in the policy: circles (keys of addresses), groups (patterns of their senders,
    their approvers, keys of those who get their reports), lists of keywords, calendars.

    `own_group` is the one group that the rule at hand asks for with `sender_in`, if it is one. `zone` is the
    organisation's time zone.
    """

    circles: Mapping[str, frozenset[str]] = field(default_factory=dict)
    senders: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    approvers: Mapping[str, tuple[Approver, ...]] = field(default_factory=dict)
    keywords: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    reports: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    own_group: str = ""
    calendars: Mapping[str, Calendar] = field(default_factory=dict)
    zone: tzinfo = UTC


def certain(fits: bool | None, in_doubt: bool) -> bool:
    """Return what a test answers whose outcome may be unknown (None)."""
    return in_doubt if fits is None else fits
