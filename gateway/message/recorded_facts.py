"""The facts of a mail as a compact JSON document without content, and back: what a policy can be tried on later. Pure.

What the stored envelope says already is not said again: people who are recipients stand there as runs of their places,
`[0, 29]`, everybody else as an address. The subject, the size and the envelope are stored beside it. Never recorded: header
fields, the body, the texts found in it (docs/decisions/0055-facts-are-recorded.md). Facts read from a record say so
(`recorded`): what only those could tell is in doubt.
"""

from __future__ import annotations

from typing import Any

from gateway.message.address import Address
from gateway.message.envelope import Envelope
from gateway.message.evidence import NOTHING_LOOKED_UP
from gateway.message.facts import Attachment, Facts
from gateway.message.header import HeaderSection
from gateway.message.recorded_evidence import evidence_from, evidence_json
from gateway.message.replies import says_reply
from gateway.message.runs import in_order, long_addresses, long_keys, short

VERSION = 1

Json = dict[str, Any]


def to_json(facts: Facts) -> Json:
    """Return the record of these facts, without what is empty, usual, or stored beside it."""
    envelope = facts.envelope
    record: Json = {"v": VERSION}
    if facts.visible:
        record["visible"] = short(facts.visible, envelope.recipients)
    if not facts.confident:
        record["confident"] = False
    if facts.blind:
        keys = _keys_of(envelope)
        record["blind"] = short(in_order(facts.blind, keys), keys)
    if facts.authors != _usual_authors(envelope):
        record["authors"] = short(facts.authors, envelope.recipients)
    if facts.attachments:
        record["attachments"] = [[a.name, a.size_bytes, a.content_type, a.inline] for a in facts.attachments]
    if says_reply(facts):
        record["answers"] = True
    if facts.machinery:
        record["machinery"] = True
    if facts.unclear:
        record["unclear"] = sorted(facts.unclear)
    if facts.evidence is not NOTHING_LOOKED_UP and facts.evidence != NOTHING_LOOKED_UP:
        record["evidence"] = evidence_json(facts.evidence, _keys_of(envelope))
    return record


def from_json(record: Json, envelope: Envelope, subject: str, size_bytes: int) -> Facts:
    """Rebuild the facts from their record and what is stored beside it.

    Raises ValueError on a version that this code does not know, and on a record that is none.
    """
    version = record.get("v") if isinstance(record, dict) else None
    if version != VERSION:
        raise ValueError(f"recorded facts have version {version!r}, known is {VERSION}")
    try:
        return _facts(record, envelope, subject, size_bytes)
    except (AttributeError, IndexError, KeyError, TypeError) as error:
        raise ValueError(f"recorded facts cannot be read: {error}") from error


def _facts(record: Json, envelope: Envelope, subject: str, size_bytes: int) -> Facts:
    people = envelope.recipients
    authors = record.get("authors")
    looked_up = record.get("evidence")
    return Facts(
        envelope=envelope,
        header=HeaderSection(()),
        visible=long_addresses(record.get("visible", ()), people),
        confident=record.get("confident", True),
        authors=_usual_authors(envelope) if authors is None else long_addresses(authors, people),
        subject=subject,
        attachments=tuple([Attachment(*parts) for parts in record.get("attachments", ())]),
        size_bytes=size_bytes,
        unclear=frozenset(record.get("unclear", ())),
        blind=frozenset(long_keys(record["blind"], _keys_of(envelope))) if "blind" in record else frozenset(),
        evidence=NOTHING_LOOKED_UP if looked_up is None else evidence_from(looked_up, _keys_of(envelope)),
        recorded=True,
        answers=record.get("answers", False),
        machinery=record.get("machinery", False),
    )


def _usual_authors(envelope: Envelope) -> tuple[Address, ...]:
    return () if envelope.sender is None else (envelope.sender,)


def _keys_of(envelope: Envelope) -> tuple[str, ...]:
    return tuple([address.key for address in envelope.recipients])
