"""By which ways a key may go where several rules have a say. Pure.

Two ways are weak: a mail after the mail, and the code that is mailed for a link. Who allows a weak way is content with every
better one; so rules that meet agree on the better, and a rule that allows less can never lead to a worse way.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from gateway.policy.protection import Protection, Way

WEAK = (Way.SECOND_MAIL, Way.CODE_PAGE)
"""The ways that end in the same mailbox as the mail, the better first; they are tried last, wherever the rule names them."""


def allowed_ways(protections: Sequence[Protection]) -> tuple[Way, ...]:
    """Return the ways that all of them agree with, the preferred first; none where there is no such way.

    Preferred is what the first of them (in this order) prefers.
    """
    strict = [p for p in protections if not weak_ways(p)]
    if strict:
        return tuple([way for way in _strong(strict[:1]) if all(way in p.ways for p in strict)])
    worst = min((max(WEAK.index(way) for way in weak_ways(p)) for p in protections), default=-1)
    named = {way for p in protections for way in p.ways}
    return (*_strong(protections), *[way for way in WEAK[: worst + 1] if way in named])


def weak_ways(protection: Protection) -> tuple[Way, ...]:
    """Return the weak ways that the rule allows."""
    return tuple([way for way in WEAK if way in protection.ways])


def _strong(protections: Iterable[Protection]) -> tuple[Way, ...]:
    return tuple(dict.fromkeys(way for p in protections for way in p.ways if way not in WEAK))
