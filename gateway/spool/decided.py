"""What is written of a decision when its mail comes: the stored form, and what the event tells of its outcomes. Pure.

A policy comes to the same few decisions again and again, so what is written of one is remembered; not where it names people
of one mail, or holds a text or a file's name.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

from gateway.policy.decision import Decision, Outcome
from gateway.policy.demands import FORM_WORDS, Demands
from gateway.policy.handling import Handling
from gateway.spool.leaving import outcome_detail
from gateway.spool.mail_json import decision_json
from gateway.spool.times import span_us

REMEMBERED = 128  # decisions, some 4 KiB each
FEW = 16  # recipients of a mail whose decision is remembered


class Decided(NamedTuple):
    """The stored form of a decision, and its outcomes for the event; nobody changes them."""

    stored: str
    outcomes: list[dict[str, object]]


def decided(decision: Decision) -> Decided:
    """Return what is written of a decision."""
    return _remembered(decision) if _is_of_no_mail(decision) else _decided(decision)


def _is_of_no_mail(decision: Decision) -> bool:
    """Tell whether nothing in a decision is particular to one mail but how its few recipients are assigned."""
    if decision.texts or decision.files or decision.refusals or len(decision.assigned) > FEW:
        return False
    return not [each for each in decision.outcomes if each.companions or each.handling is not None]


def _decided(decision: Decision) -> Decided:
    counts: Mapping[int, int] = {0: len(decision.assigned)}  # nearly every mail has one class
    if len(decision.outcomes) > 1:
        counts = Counter(decision.assigned)
    outcomes = [_outcome(outcome, counts[number]) for number, outcome in enumerate(decision.outcomes)]
    return Decided(decision_json(decision), outcomes)


_remembered = lru_cache(REMEMBERED)(_decided)


def _outcome(outcome: Outcome, recipients: int) -> dict[str, object]:
    """Return of a class of recipients how many they are, inside or outside, held how long, shown how, by which rules."""
    demands = outcome.demands
    told: dict[str, object] = {
        "recipients": recipients,
        "external": outcome.external,
        "window_s": span_us(demands.window) // 1_000_000,
        "form": FORM_WORDS[demands.form],
        "rules": list(outcome.rules),
    }
    if demands.drop or demands.routes:
        told |= outcome_detail(demands)
    if not demands.waits_for_nobody:
        told |= _asked_of_people(demands)
    if outcome.handling is not None:
        told["files"] = _files(outcome.handling)
    return told


def _asked_of_people(demands: Demands) -> dict[str, object]:
    asked = {
        "confirm": sorted(each.rule for each in demands.confirm),
        "approve": sorted(each.rule for each in demands.approvals),
    }
    return {key: rules for key, rules in asked.items() if rules}


def _files(handling: Handling) -> dict[str, object]:
    """Return what becomes of the files of a class of recipients, without what there is nothing to say of."""
    told: dict[str, object] = {
        "forms": sorted({how.word for _, how in handling.forms}),
        "obstacle": handling.obstacle,
        "way": str(handling.way or "") if handling.needs_key else "none needed",
    }
    return {key: value for key, value in told.items() if value}
