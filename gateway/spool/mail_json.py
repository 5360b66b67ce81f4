"""What a mail's row holds as JSON: its envelope, its decision, the facts it was decided from. Written, and read back. Pure.

The envelope is stored as one JSON value with all recipients and their classes of the decision, because every claim needs
all of it; a recipient's own row holds only what changes.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import orjson

from gateway.message import recorded_facts
from gateway.message.address import Address
from gateway.message.envelope import Client, Envelope
from gateway.message.facts import Facts
from gateway.message.status_request import NOTHING_SAID, MailRequest, Notify, RecipientRequest, Return
from gateway.policy import stored_decision
from gateway.policy.decision import Decision
from gateway.spool.recent import Recent

PARSED = 128  # envelopes, and as many decisions, kept parsed
# Characters of their JSON in all, for each of the two: parsed, about eight times that in memory.
PARSED_CHARACTERS = 4 << 20
MAX_RECORD = 1 << 20  # characters of recorded facts: a mail made of a million names must not double its row
_JSON = json.JSONEncoder(separators=(",", ":"), check_circular=False)


def envelope_json(envelope: Envelope, assigned: tuple[int, ...]) -> str:
    """Return the stored form of an envelope.

    Version 2 adds what the sender asked about notifications; an envelope without that is still written as version 1, which
    a node of the release before can read.
    """
    client = envelope.client
    asked = _asked_json(envelope)
    return _json(
        {
            "v": 2 if asked else 1,
            "sender": _address_json(envelope.sender) if envelope.sender else None,
            "recipients": [_address_json(address) for address in envelope.recipients],
            "assigned": assigned,
            "client": [client.ip, client.helo, client.account, client.tls],
            "smtputf8": envelope.smtputf8,
            "body_8bit": envelope.body_8bit,
        }
        | asked
    )


def decision_json(decision: Decision) -> str:
    return _json(stored_decision.to_json(decision))


def facts_json(facts: Facts) -> str | None:
    """Return the stored form of what the decision was made from; None where that would be too much."""
    record = _json(recorded_facts.to_json(facts))
    return record if len(record) <= MAX_RECORD else None


def parsed(envelope: str, decision: str) -> tuple[Envelope, Decision]:
    """Read the stored forms; raises ValueError on a version this code does not know."""
    read, assigned = _envelope(envelope)
    return read, replace(decision_of(decision), assigned=assigned)


def recipient_keys(envelope: str) -> frozenset[str]:
    """Return the keys of a stored envelope's recipients; none where it cannot be read."""
    try:
        return frozenset(address.key for address in _envelope(envelope)[0].recipients)
    except (ValueError, TypeError, KeyError, IndexError):
        return frozenset()


def envelope_data(text: str) -> dict[str, Any]:
    """Return a stored envelope as the JSON it is; raises ValueError on a version this code does not know."""
    data = _loaded(text)
    if data.get("v") not in (1, 2):
        raise ValueError(f"stored envelope has version {data.get('v')!r}, known are 1 and 2")
    return data


def facts_of(record: str, envelope: Envelope, subject: str, size_bytes: int) -> Facts:
    """Read stored facts; raises ValueError on a version this code does not know."""
    return recorded_facts.from_json(_loaded(record), envelope, subject, size_bytes)


def _asked_json(envelope: Envelope) -> dict[str, object]:
    if envelope.asked == NOTHING_SAID and not envelope.requests:
        return {}
    return {
        "asked": [envelope.asked.returned, envelope.asked.envid],
        "requests": [
            [None if asked.notify is None else asked.notify.value, asked.original_type, asked.original]
            for asked in envelope.requests
        ],
    }


def _address_json(address: Address) -> list[object]:
    if address.ambiguous:
        return [address.local, address.domain, True]
    return [address.local, address.domain]


def _json(value: object) -> str:
    try:
        return orjson.dumps(value).decode()
    except TypeError:  # a lone surrogate in an odd address: escaped, the database takes it
        return _JSON.encode(value)


def _read_envelope(text: str) -> tuple[Envelope, tuple[int, ...]]:
    data = envelope_data(text)
    returned, envid = data.get("asked", (None, ""))
    envelope = Envelope(
        sender=Address(*data["sender"]) if data["sender"] else None,
        recipients=tuple(Address(*parts) for parts in data["recipients"]),
        client=Client(*data["client"]),
        smtputf8=data["smtputf8"],
        body_8bit=data["body_8bit"],
        asked=MailRequest(Return(returned) if returned else None, envid),
        requests=tuple(_read_request(*parts) for parts in data.get("requests", ())),
    )
    return envelope, tuple(data["assigned"])


def _read_request(notify: int | None, original_type: str, original: str) -> RecipientRequest:
    return RecipientRequest(None if notify is None else Notify(notify), original_type, original)


def _read_decision(text: str) -> Decision:
    return stored_decision.from_json(json.loads(text), ())


def _loaded(text: str) -> dict[str, Any]:
    try:
        loaded: dict[str, Any] = orjson.loads(text)
    except orjson.JSONDecodeError:  # a lone surrogate in an odd address, which `_json` escaped
        loaded = json.loads(text)
    return loaded


# A mail to thousands is claimed a hundred recipients at a time; most mails get the same decision.
_envelope = Recent(_read_envelope, PARSED, PARSED_CHARACTERS)
decision_of = Recent(_read_decision, PARSED, PARSED_CHARACTERS)
"""Read a stored decision as it is, without the recipients' classes; raises ValueError as `parsed` does."""
