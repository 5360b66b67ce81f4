"""Meet the protections that rules ask for with the files there are: what becomes of each recipient's files. Pure.

Rules only add (docs/decisions/0072-handling-of-attachments.md): a further protection makes no file's form weaker, no key
shorter, and no way worse. What cannot be done as asked is held (`Handling.obstacle`), and so is a key without a way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import lru_cache

from gateway.detect.kinds import KINDS
from gateway.policy.decision import Decision, Outcome
from gateway.policy.handling import Attached, Handling, Seen
from gateway.policy.key_ways import allowed_ways
from gateway.policy.protection import How, Protection, Way
from gateway.policy.text_match import NameTest, glob
from gateway.protect.state_word import State

Possible = Callable[[int], frozenset[Way]]
"""Tells by which ways a key could get to envelope recipient number so-and-so now."""

UNTOLD = frozenset({"unclear", "unread", "structure"})
"""Obstacles because of which nobody can tell which files there are: a mail in which none is seen is held, too."""

MAX_LEGACY_OCTETS = (16 << 20) - (64 << 10)
"""Octets that the old cipher of ZIP seals (protect/archive.py), less what an archive adds around the files."""

_NO_WAYS: frozenset[Way] = frozenset()
_Class = tuple[
    int, frozenset[Way], bool
]  # an outcome before, the ways to the recipient, and whether it is a copy
_Forms = tuple[tuple[int, How], ...]


def with_handling(decision: Decision, seen: Seen, possible: Possible) -> Decision:
    """Return the decision with what becomes of the files, for each recipient; the copies are among them already.

    A refused mail, and one that nobody's rules protect, comes back as it is.
    """
    if decision.refusals or not decision.protects:
        return decision
    planned = [plan(outcome.demands.protections, seen) for outcome in decision.outcomes]
    numbers: dict[Outcome, int] = {}
    of_class: dict[_Class, int] = {}
    assigned = []
    for index, number in enumerate(decision.assigned):
        outcome, planned_here = decision.outcomes[number], planned[number]
        asks = _asks_for_ways(planned_here) and not outcome.demands.drop
        ways = possible(index) if asks else _NO_WAYS
        kind = (number, ways, decision.is_copy(index))
        place = of_class.get(kind)
        if place is None:  # worked out once for each class: a mail may have 40,000 recipients
            made = _handled(outcome, planned_here, ways, copy=kind[2])
            place = of_class[kind] = numbers.setdefault(made, len(numbers))
        assigned.append(place)
    return replace(decision, outcomes=tuple(numbers), assigned=tuple(assigned), files=seen.files)


def plan(protections: Iterable[Protection], seen: Seen) -> Handling | None:
    """Return what becomes of the files, without a way for the key; None where nothing does.

    `ways` are those that all rules agree with, the preferred first.
    """
    asked = sorted(protections)
    forms, untold = _forms(asked, seen), seen.obstacle in UNTOLD
    if not forms and not (asked and untold):
        return None
    concerned = {place: [p for p in asked if not keeps(p, file)] for place, file in _changed(seen, forms)}
    doing = [p for p in asked if untold or any(p in several for several in concerned.values())]
    within = min(p.within for p in doing)
    named = tuple(p.rule for p in doing)
    hide_names = any(p.hide_names for p in doing)
    forms = _hidden(forms) if hide_names else forms  # also where an obstacle holds the mail: rules only add
    obstacle = seen.obstacle or _partly(seen, forms) or _too_large(seen, forms, hide_names)
    if obstacle:
        return Handling(named, forms, obstacle=obstacle, hide_names=hide_names, within=within)
    locked = {place for place, how in forms if how is not How.BLOCK}
    needing = [p for p in doing if any(p in concerned[place] for place in locked)]
    planned = Handling(named, forms, hide_names=hide_names, within=within)
    return _with_key(planned, needing) if needing else planned


def _with_key(planned: Handling, needing: list[Protection]) -> Handling:
    """Add the key: as strong, as short-lived and as much one's own as any rule asks, written as the first says."""
    ways = allowed_ways(needing)
    return replace(
        planned,
        obstacle="" if ways else "no-way",
        needs_key=True,
        ways=ways,
        own_key=any(p.own_key for p in needing),
        style=needing[0].style,
        bits=max(p.bits for p in needing),
        expires=min(p.expires for p in needing),
        downloads=min((p.downloads for p in needing if p.downloads), default=0),
    )


def _forms(asked: list[Protection], seen: Seen) -> _Forms:
    found = [(file.place, _form(asked, file, seen.obstacle)) for file in seen.files]
    return tuple([(place, how) for place, how in found if how is not None])


def _form(asked: list[Protection], file: Attached, obstacle: str) -> How | None:
    """Return the strongest form asked for; None for what stays as it is.

    What opens with a key only already gets no second one. In a mail that is encrypted as a whole it cannot be put behind a
    link either, and needs not be: who reads it has the key to the mail.
    """
    how = max((p.how for p in asked if not keeps(p, file)), default=None)
    enough = How.LINK if obstacle == "encrypted" else How.ZIP_AES256
    return None if file.state == State.ENCRYPTED and how is not None and how <= enough else how


def _changed(seen: Seen, forms: _Forms) -> list[tuple[int, Attached]]:
    places = {place for place, _ in forms}
    return [(file.place, file) for file in seen.files if file.place in places]


def _partly(seen: Seen, forms: _Forms) -> str:
    """Find archives only a part of which is encrypted: to seal them would ask for two keys."""
    sealed = {place for place, how in forms if how < How.LINK}
    found = any(file.state == State.PARTLY and file.place in sealed for file in seen.files)
    return "partly-encrypted" if found else ""


def _too_large(seen: Seen, forms: _Forms, hide_names: bool) -> str:
    """Find what the old cipher does not seal; where names are hidden, all of it lies in one archive inside."""
    legacy = {place for place, how in forms if how is How.ZIP_LEGACY}
    sizes = [file.size_bytes for file in seen.files if file.place in legacy]
    largest = sum(sizes) if hide_names else max(sizes, default=0)
    return "too-large" if largest > MAX_LEGACY_OCTETS else ""


def _hidden(forms: _Forms) -> _Forms:
    """Put into an archive what would bear its name in sight."""
    return tuple([(place, How.ZIP_AES256 if how is How.NATIVE else how) for place, how in forms])


def keeps(protection: Protection, file: Attached) -> bool:
    """Tell whether the rule certainly leaves this file as it is."""
    return any(
        file.kind == each if each in KINDS else _named(each)(file.name) is True for each in protection.keep
    )


@lru_cache(maxsize=256)
def _named(pattern: str) -> NameTest:
    return glob(pattern)


def _asks_for_ways(planned: Handling | None) -> bool:
    return planned is not None and not planned.obstacle and (planned.needs_key or planned.shares)


def _handled(outcome: Outcome, planned: Handling | None, ways: frozenset[Way], *, copy: bool) -> Outcome:
    """Choose the way for one class of recipients."""
    if planned is None or outcome.demands.drop:
        return outcome
    if copy:
        return _copied(outcome, _by_way(planned, ways - {Way.SENDER}))
    return replace(outcome, handling=_by_way(planned, ways))


def _by_way(planned: Handling, possible: frozenset[Way]) -> Handling:
    if not _asks_for_ways(planned):
        return planned
    if planned.shares and Way.CODE_PAGE not in possible:
        return replace(planned, obstacle="no-page")
    way = next((each for each in planned.ways if each in possible), None)
    return replace(planned, way=way, needs_key=way is not Way.CODE_PAGE)


def _copied(outcome: Outcome, handling: Handling) -> Outcome:
    """Handle a copy (`bcc_to`), which nobody may hear of: nobody can be asked for a way, or for anything else.

    Without a way for the key it comes without those files. Where something is in the way, it never comes.
    """
    if handling.obstacle:
        return replace(outcome, demands=replace(outcome.demands, drop=True))
    if not handling.is_complete:
        blocked = tuple([(place, How.BLOCK) for place, _ in handling.forms])
        handling = Handling(handling.rules, blocked, hide_names=handling.hide_names, within=handling.within)
    return replace(outcome, handling=handling)
