"""What recipients will see: read from the very bytes that would leave, for notices and pages.

A preview that was computed another way than the copy could be wrong about the one thing it is there for. So
each group here is rendered with `render`, and its To and Cc are read back from the result. Recipients with
the same fate and the same sight form one group. Pure like the rest of the room; of the body it tells
attachments' names and sizes, never their content.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from gateway.message.address import Address
from gateway.message.envelope import Envelope
from gateway.message.facts import Attachment
from gateway.message.gather import gather
from gateway.message.header import split
from gateway.message.text import decode_header
from gateway.policy.decision import Decision, Outcome, Reason
from gateway.policy.demands import Form, Text
from gateway.transform.render import Original, prepare, render
from gateway.transform.view import View, view_of
from gateway.values import dataclass


@dataclass(frozen=True, slots=True)
class Sight:
    """The To and Cc that a copy shows, decoded. `alone`: nobody but the recipient stands there."""

    to: str = ""
    cc: str = ""
    alone: bool = False


@dataclass(frozen=True, slots=True)
class Group:
    """Recipients (envelope indexes) with one fate. `sight` is None where the original cannot be read any
    more."""

    external: bool
    form: Form
    reasons: tuple[Reason, ...]
    sight: Sight | None
    recipients: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Preview:
    """Groups in the order of their first recipient. `attachments` is None where the original cannot be read
    any more."""

    groups: tuple[Group, ...]
    attachments: tuple[Attachment, ...] | None

    @property
    def reasons(self) -> tuple[Reason, ...]:
        """Return why rules apply to anybody of them, each rule once."""
        return tuple({reason.rule: reason for group in self.groups for reason in group.reasons}.values())


def preview(
    raw: bytes | None,
    envelope: Envelope,
    decision: Decision,
    queue_id: str,
    received_at: datetime,
    hostname: str,
    recipients: Iterable[int],
) -> Preview:
    """Show what the given recipients will get, by the same functions that delivery uses; `raw` None is an
    unreadable original."""
    if raw is None:
        return Preview(_grouped(decision, ((index, None) for index in recipients)), None)
    original = prepare(raw, envelope, decision, queue_id, received_at, hostname)
    sights = _Sights(original, decision, envelope)
    groups = _grouped(decision, ((index, sights.of(index)) for index in recipients))
    return Preview(groups, gather(envelope, raw).attachments)


def header_of(original: Original, index: int) -> bytes:
    """Return the header section of the copy of envelope recipient number `index`, of the mail as it came.

    What it shows of people does not hang on what becomes of files, and nothing of them stands in it: pages that show it need
    no sealed mail.
    """
    return render(original, _of_people(original.decision, index, original.envelope.recipients[index])).header


def copy_of(original: Original, index: int) -> bytes:
    """Return the copy of envelope recipient number `index`, with the texts under it and with its files as they came.

    What becomes of files is told beside it: a page that shows what a mail says needs no sealed mail.
    """
    return render(
        original, _of_people(original.decision, index, original.envelope.recipients[index])
    ).to_bytes()


def _of_people(decision: Decision, index: int, address: Address) -> View:
    """Return the view of a recipient without what becomes of files."""
    return replace(view_of(decision, index, address), variant=None)


class _Sights:
    """Renders each distinct view once: a thousand recipients in Bcc are one header section."""

    def __init__(self, original: Original, decision: Decision, envelope: Envelope) -> None:
        self._original, self._decision, self._envelope = original, decision, envelope
        self._seen: dict[View, tuple[str, str]] = {}

    def of(self, index: int) -> Sight:
        address = self._envelope.recipients[index]
        view = _of_people(self._decision, index, address)
        if view not in self._seen:
            self._seen[view] = _visible_fields(bytes(render(self._original, view).header))
        to, cc = self._seen[view]
        return Sight(alone=True) if _is_only(address, to, cc) else Sight(to, cc)


def _visible_fields(copy_header: bytes) -> tuple[str, str]:
    header, _ = split(copy_header)
    to, cc = (", ".join(decode_header(f.value).strip() for f in header.all(name)) for name in ("to", "cc"))
    return to, cc


def _is_only(address: Address, to: str, cc: str) -> bool:
    return not cc and to.strip("<> ").casefold() == str(address).casefold()


def _grouped(decision: Decision, sights: Iterable[tuple[int, Sight | None]]) -> tuple[Group, ...]:
    members: dict[tuple[int, Sight | None], list[int]] = {}
    for index, sight in sights:
        members.setdefault((decision.assigned[index], sight), []).append(index)
    return tuple(
        _group(decision, decision.outcomes[outcome], sight, tuple(indexes))
        for (outcome, sight), indexes in members.items()
    )


def _group(decision: Decision, outcome: Outcome, sight: Sight | None, recipients: tuple[int, ...]) -> Group:
    known = {reason.rule: reason for reason in decision.reasons}
    reasons = tuple(known.get(rule, Reason(rule, Text(rule, rule))) for rule in outcome.rules)
    return Group(outcome.external, outcome.demands.form, reasons, sight, recipients)
