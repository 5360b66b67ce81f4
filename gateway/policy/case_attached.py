"""What a case says of the files of its mail and of its recipients' keys, as it would be found out of a mail that came."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from gateway.detect.kinds import KINDS, suffix_of
from gateway.message.envelope import Envelope
from gateway.message.facts import Facts
from gateway.policy import values
from gateway.policy.handling import Attached, Seen
from gateway.policy.parts import Part, told
from gateway.policy.protection import Way
from gateway.protect.state_word import State

_UNREADABLE = frozenset({"damaged"})
_FIRST_PLACE = 2  # behind the mail itself and its text


class _File(Protocol):
    """A file as a case writes it down (case_given.py)."""

    @property
    def name(self) -> str: ...
    @property
    def size(self) -> int: ...
    @property
    def kind(self) -> str | None: ...
    @property
    def encrypted(self) -> bool: ...
    @property
    def unread(self) -> str | None: ...


class CaseKeys(Part):
    """By which ways keys could get to the recipients of the mail, beside those that are always there."""

    sms_to: values.Addresses = told(
        "携帯電話の番号が分かっている宛先", "recipients whose telephone number is known", ()
    )
    agreed_with: values.Addresses = told(
        "鍵を事前に取り決めた宛先", "recipients with whom a key was agreed on", ()
    )


def possible_ways(given: CaseKeys, envelope: Envelope) -> Callable[[int], frozenset[Way]]:
    """Return what tells the ways to each recipient; in a case the gateway has a public address."""
    always = {Way.SECOND_MAIL, Way.CODE_PAGE} | ({Way.SENDER} if envelope.sender is not None else set())

    def possible(index: int) -> frozenset[Way]:
        address = str(envelope.recipients[index])
        known = {Way.SMS: given.sms_to, Way.PREAGREED: given.agreed_with}
        return frozenset(always | {way for way, people in known.items() if address in people})

    return possible


def seen_of(files: Sequence[_File], facts: Facts) -> Seen:
    """Return the files that hang on a case's mail; of one that stands there as a whole, what its facts tell."""
    obstacle = "unclear" if facts.unclear else ""
    if files:
        return Seen(
            tuple([_attached(place, each) for place, each in enumerate(files, _FIRST_PLACE)]), obstacle
        )
    shown = [each for each in facts.attachments if not each.inline]
    return Seen(
        tuple(
            [
                Attached(place, each.name, _kind(each.name), each.size_bytes, State.PLAIN)
                for place, each in enumerate(shown, _FIRST_PLACE)
            ]
        ),
        obstacle,
    )


def _attached(place: int, file: _File) -> Attached:
    state = State.ENCRYPTED if file.encrypted else State.PLAIN
    if file.unread in _UNREADABLE:
        state = State.UNREADABLE
    return Attached(place, file.name, file.kind or _kind(file.name), file.size, state)


def _kind(name: str) -> str:
    suffix = suffix_of(name)
    return suffix if suffix in KINDS else ""
