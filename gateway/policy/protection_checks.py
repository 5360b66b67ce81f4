"""Protections that are well-formed and weak, or that hold mail for nothing when they meet: worth a warning. Pure.

What is said of two rules is certain where both apply to one file; whether they ever do is not always known.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations

from gateway.message.address import Address
from gateway.policy import schema
from gateway.policy.actions.attachments import Protect, protection_of
from gateway.policy.bounds import Range
from gateway.policy.key_ways import WEAK, allowed_ways
from gateway.policy.people import People
from gateway.policy.protection import Protection, Way
from gateway.policy.sources import Source
from gateway.protect.keys import DEFAULT_BITS
from gateway.values import dataclass
from gateway.yaml_source import Problem

Finding = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class _Asked:
    """A rule that protects files, and where it stands."""

    source: Source
    index: int
    rule: schema.Rule
    keys: Protect
    protection: Protection

    def problem(self, key: str, message: str, hint: str) -> Problem:
        return self.source.problem(("rules", self.index, "then", "attachments", key), message, hint)


def weak_protections(sources: Sequence[Source]) -> Iterator[Problem]:
    """Report forms, ways and keys that protect little, and rules that allow no way in common."""
    asked = [each for source in sources for each in _asked(source)]
    for each in asked:
        for key, message, hint in _weak(each.keys, each.rule):
            yield each.problem(key, message, hint)
    if not any("sender" in (rule.then.notify or ()) for source in sources for rule in source.file.rules):
        for each in asked:
            yield from _untold(each)
    for one, other in combinations(asked, 2):
        if _may_meet(one, other) and not _agree(one.protection, other.protection):
            first = f"{one.rule.id} ({one.source.place(('rules', one.index))})"
            message = f"where {first} applies too, no way for the key is left: such mail is held until it is cancelled"
            yield other.problem("password_by", message, "name a way that both rules name, such as sender")


def _untold(asked: _Asked) -> Iterator[Problem]:
    """Report a link whose sender gets no letter: without one nobody but an administrator can lock it or take it back."""
    if asked.keys.protect == "link" and Way.SENDER not in asked.keys.ways and not asked.rule.monitor:
        message = "no rule tells senders of their mail: they get no page to see who opened a link, to lock or to take it back"
        yield asked.problem("protect", message, "write notify: sender beside it")


def _asked(source: Source) -> Iterator[_Asked]:
    for index, rule in enumerate(source.file.rules):
        keys = rule.then.attachments
        if keys is not None:
            yield _Asked(source, index, rule, keys, protection_of(keys, rule.id))


def _weak(keys: Protect, rule: schema.Rule) -> Iterator[Finding]:
    if keys.protect == "zip-legacy":
        message = (
            "the cipher of zip-legacy is broken: whoever gets the file opens it without the key, in minutes"
        )
        yield "protect", message, "write native, which opens without further programs, or link"
    if keys.protect == "native" and keys.hide_names:
        message = "native keeps the names of files in sight; with hide_names they all go into a ZIP"
        yield "hide_names", message, "write protect: zip-aes256, or take hide_names out"
    if keys.protect == "block" and rule.then.hold is None and rule.then.confirm is None and not rule.monitor:
        message = "files are left out, and the sender is not told before the mail has left"
        yield "protect", message, "write confirm: attachments beside it, or refuse: where nothing shall leave"
    if keys.key.bits < DEFAULT_BITS and keys.protect not in ("link", "block"):
        message = f"a key of {keys.key.bits} bits is tried out by whoever has the file, at leisure"
        yield "key", message, f"write {DEFAULT_BITS} or more"
    yield from _weak_ways(keys)


def _weak_ways(keys: Protect) -> Iterator[Finding]:
    ways = keys.ways
    if any(way.value == "second-mail" for way in ways):
        message = (
            "second-mail goes where the mail went: who reads or wrongly got the one has the other as well"
        )
        yield (
            "password_by",
            message,
            "write sms or sender; a wrong recipient is found out while telling the key",
        )
    weak = [number for number, way in enumerate(ways) if way in WEAK]
    if weak and weak[0] < len(ways) - len(weak):
        message = f"{ways[weak[0]].value} is weak, and is tried last wherever it stands"
        yield "password_by", message, "put it at the end"


def _agree(one: Protection, other: Protection) -> bool:
    ways_needed = one.ways and other.ways
    return not ways_needed or bool(allowed_ways(sorted((one, other))))


def _may_meet(one: _Asked, other: _Asked) -> bool:
    if one.rule.monitor or other.rule.monitor:
        return False
    when, others = one.rule.when, other.rule.when
    for key in ("external", "internal"):
        if not _overlap(getattr(when, key, None), getattr(others, key, None)):
            return False
    both_choose = one.keys.for_ == "matching" and other.keys.for_ == "matching"
    return not both_choose or _share_somebody(
        when.recipient if when else (), others.recipient if others else ()
    )


def _overlap(one: Range | None, other: Range | None) -> bool:
    if one is None or other is None:
        return True
    lowest = max(one.at_least or 0, other.at_least or 0)
    highest = [bound for bound in (one.at_most, other.at_most) if bound is not None]
    return not highest or lowest <= min(highest)


def _share_somebody(one: tuple[str, ...] | None, other: tuple[str, ...] | None) -> bool:
    """Tell whether somebody may fit a pattern of each; of domains below one that is not looked at further."""
    mine, theirs = People(one or ()), People(other or ())
    return any(theirs.include(_example(text), in_doubt=True) for text in one or ()) or any(
        mine.include(_example(text), in_doubt=True) for text in other or ()
    )


def _example(pattern: str) -> Address:
    local, _, domain = pattern.rpartition("@")
    below = f"x{domain}" if domain.startswith(".") else domain
    return Address(local or "anybody", below)
