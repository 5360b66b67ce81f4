"""That somebody took a copy of the log, or a part of it, is an event of the log: who, what they asked for, how many events."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from gateway.audit.entries import Entry, Question
from gateway.spool.lifecycle import Kind, Reason
from gateway.spool.values import Actor
from gateway.store.events import Event

_ASKED = ("queue_id", "sender", "recipient", "subject", "group", "rule", "actor", "node")
_REASONS = {"admin": Reason.BY_ADMIN, "auditor": Reason.BY_AUDITOR}


class Counted:
    """Passes events on and counts them; `begun` once the store has given the first, or said that there is none."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        self._entries = entries
        self.count = 0
        self.begun = False

    def __iter__(self) -> Iterator[Entry]:
        for entry in self._entries:
            self.begun = True
            self.count += 1
            yield entry
        self.begun = True


def exported(question: Question, form: str, count: int, actor: Actor, at: int) -> Event:
    """Return the event of an export; `at` in microseconds since 1970."""
    detail = {"what": form, "events": count, "asked": asked(question)}
    reason = _REASONS.get(actor.kind, Reason.ON_REQUEST)
    return Event(at, None, Kind.EXPORTED, reason, actor.kind, actor.name, detail=detail)


def asked(question: Question) -> dict[str, object]:
    """Return what was asked for, as an event's detail says it; what was not asked is left out."""
    told: dict[str, object] = {
        name: value for name in _ASKED if (value := getattr(question, name)) is not None
    }
    for name in ("since", "until"):
        if (moment := getattr(question, name)) is not None:
            told[name] = moment.isoformat()
    if question.kinds:
        told["kinds"] = list(question.kinds)
    if question.reasons:
        told["reasons"] = list(question.reasons)
    if not question.scope.everything:
        told["groups"] = sorted(question.scope.groups)
    return told
