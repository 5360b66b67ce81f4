"""When is one protection at least as strict as another? Sound, not complete: False means "not certainly". Pure."""

from __future__ import annotations

from gateway.policy.key_ways import WEAK, weak_ways
from gateway.policy.protection import How, Protection, Way


def as_strict(one: Protection, other: Protection) -> bool:
    """Tell whether whatever `other` asks of a file or key, `one` asks too, or more; the rule's name does not count."""
    if not set(one.keep) <= set(other.keep) or one.how < other.how or one.within > other.within:
        return False
    if one.how is How.BLOCK:
        return True
    return (
        one.hide_names >= other.hide_names
        and one.bits >= other.bits
        and one.own_key >= other.own_key
        and one.expires <= other.expires
        and (not other.downloads or 0 < one.downloads <= other.downloads)
        and _ways_as_strict(one, other)
    )


def adds_nothing(protection: Protection, beside: Protection) -> bool:
    """Tell whether `protection` changes the handling of no mail where `beside` is asked for too, whatever else is.

    The style of a key and the order of its ways are those of the first rule by its id.
    """
    if not as_strict(beside, protection):
        return False
    if beside.how is How.BLOCK:
        return beside.hide_names >= protection.hide_names
    if protection.rule < beside.rule:
        return False
    weak, weak_beside = weak_ways(protection), weak_ways(beside)
    if not weak or not weak_beside:
        return True
    return set(protection.ways) <= set(beside.ways)


def _ways_as_strict(one: Protection, other: Protection) -> bool:
    """Compare the ways: who allows a weak one is content with every better (key_ways.py)."""
    weak, others_weak = weak_ways(one), weak_ways(other)
    if not others_weak:
        return not weak and set(one.ways) <= set(other.ways)
    return not weak or _worst(weak) <= _worst(others_weak)


def _worst(weak: tuple[Way, ...]) -> int:
    return max(WEAK.index(way) for way in weak)
