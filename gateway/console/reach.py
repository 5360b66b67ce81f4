"""By which ways this gateway can send keys at all, and to which telephone numbers: what a form may offer and take."""

from __future__ import annotations

from collections.abc import Callable

from gateway.policy.protection import Way
from gateway.values import dataclass


@dataclass(frozen=True, slots=True)
class Reach:
    """`ways` are those that the settings equip; `allows` tells whether a number, in E.164, may get text messages."""

    ways: frozenset[Way] = frozenset(Way)
    allows: Callable[[str], bool] = lambda _: True


EVERYWHERE = Reach()
