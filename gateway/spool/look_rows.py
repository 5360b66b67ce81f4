"""What people have given, as rows: read, locked and written. A row's JSON holds words of people, never content of the mail.

Who changes anything locks all rows of the message first: two people, on two gateways, who say the last two words at one
moment would otherwise both see the other's missing, and the mail would wait for nobody.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import field, replace
from datetime import datetime
from typing import Any

import orjson
import sqlalchemy as sa
from sqlalchemy import bindparam, select

from gateway.policy.decision import Decision
from gateway.spool.freeze_rows import STAYS, stays_from
from gateway.spool.ranges import from_ranges, to_ranges
from gateway.spool.second_look import Consent, Look, Waiver, fresh_looks
from gateway.spool.times import from_us, to_us
from gateway.store.errors import StoreConflict
from gateway.store.events import storable
from gateway.store.inserts import Inserts, Row
from gateway.store.schema import second_looks
from gateway.store.tx import Prepared, Queries, Tx
from gateway.values import dataclass

WAIVER = -1  # the number of the row that says by whom, why and to when a window was shortened

# What a damaged row may raise; one mail must not keep the list of all others, or their deadlines, from being read.
_UNREADABLE = (ValueError, TypeError, KeyError, IndexError, AttributeError, OverflowError)

_L = second_looks.c
_ROW = (_L.number, _L.step, _L.due_at, _L.met_at, _L.given)
_OF_IT = _L.queue_id == bindparam("b_queue_id")

NEW_LOOKS = Inserts(second_looks)
_LOOKS = Prepared(select(*_ROW).where(_OF_IT))
_LOCKED = Prepared(select(*_ROW).where(_OF_IT).order_by(_L.number).with_for_update())
_ADD = Prepared(
    second_looks.insert().values(**{column.name: bindparam(f"b_{column.name}") for column in second_looks.c})
)
_SET: dict[str, Any] = {
    name: bindparam(f"b_{name}") for name in ("step", "due_at", "set_at", "met_at", "given")
}
_CHANGE = Prepared(second_looks.update().where(_OF_IT, _L.number == bindparam("b_number")).values(**_SET))
DUE_LOOKS = Prepared(
    select(_L.queue_id)
    .where(_L.due_at.is_not(None), _L.due_at <= bindparam("b_now"))
    .group_by(_L.queue_id)
    .order_by(sa.func.min(_L.due_at))
    .limit(bindparam("b_limit", type_=sa.Integer))
)
ANY_DUE_LOOK = Prepared(
    select(_L.queue_id)
    .where(_L.due_at.is_not(None), _L.due_at <= bindparam("b_now"))
    .limit(sa.literal_column("1"))
)
PUT_OFF = Prepared(
    second_looks.update().where(_OF_IT, _L.due_at <= bindparam("b_now")).values(due_at=bindparam("b_later"))
)


@dataclass(frozen=True, slots=True)
class Looks:
    """All that is asked and given on one message, and which of it has a row."""

    looks: tuple[Look, ...]
    waiver: Waiver | None
    known: frozenset[int]
    stays: dict[int, datetime] = field(default_factory=dict)  # until when windows run that were made longer


def read(queries: Queries, queue_id: str, decision: Decision, received_at: datetime) -> Looks:
    """Return what was given so far."""
    return _together(queries.rows(_LOOKS, {"b_queue_id": queue_id}), decision, received_at)


def lock(tx: Tx, queue_id: str, decision: Decision, received_at: datetime) -> Looks:
    """Return the same, and keep everybody else from changing it until this transaction ends."""
    return _together(tx.rows(_LOCKED, {"b_queue_id": queue_id}), decision, received_at)


def new_rows(queue_id: str, looks: Iterable[Look], at: int) -> list[Row]:
    """Return the rows of a mail that comes."""
    return [tuple(_values(queue_id, look, at).values()) for look in looks]


def write(tx: Tx, queue_id: str, looks: Looks, look: Look, at: int) -> None:
    """Put a look's row to what it says now; it must have been read by `lock`."""
    _put(tx, _values(queue_id, look, at), look.number in looks.known)


def write_waiver(tx: Tx, queue_id: str, looks: Looks, waiver: Waiver) -> None:
    """Keep until when the windows run that the sender shortened."""
    by_end: dict[datetime, list[int]] = {}
    for index, end in waiver.ends.items():
        by_end.setdefault(end, []).append(index)
    given = {
        "by": _consent_json(Consent(waiver.person, waiver.at, waiver.because)),
        "ends": [[to_ranges(indexes), to_us(end)] for end, indexes in by_end.items()],
    }
    values = _row(queue_id, WAIVER, to_us(waiver.at), given)
    _put(tx, values, WAIVER in looks.known)


def _together(rows: Iterable[Any], decision: Decision, received_at: datetime) -> Looks:
    found = {row[0]: row for row in rows}
    known, waiver, stays = frozenset(found), found.pop(WAIVER, None), found.pop(STAYS, None)
    looks = [
        _given(look, *found[look.number][1:]) if look.number in found else look
        for look in fresh_looks(decision, received_at)
    ]
    kept = {} if stays is None else stays_from(stays[4])
    return Looks(tuple(looks), None if waiver is None else _waiver(waiver[4]), known, kept)


def _given(look: Look, step: int, due_at: int | None, met_at: int | None, given: str) -> Look:
    """Return the look with what its row says; words that nobody can read are none: what is not known to be given is not."""
    asked = replace(look, step=step, due_at=from_us(due_at), met_at=from_us(met_at))
    try:
        return _said(asked, orjson.loads(given))
    except _UNREADABLE:
        return asked


def _said(look: Look, data: dict[str, Any]) -> Look:
    rejected = data.get("rejected")
    return replace(
        look,
        consents=tuple([_consent(each) for each in data.get("consents", ())]),
        rejected=None if rejected is None else _consent(rejected),
        ticked=frozenset(from_ranges(data.get("ticked", ""))),
        attachments=data.get("attachments", False),
    )


def _values(queue_id: str, look: Look, at: int) -> dict[str, object]:
    given = {
        "consents": [_consent_json(each) for each in look.consents],
        "rejected": None if look.rejected is None else _consent_json(look.rejected),
        "ticked": to_ranges(look.ticked),
        "attachments": look.attachments,
    }
    kept = {name: value for name, value in given.items() if value}
    due_at = None if look.due_at is None else to_us(look.due_at)
    met_at = None if look.met_at is None else to_us(look.met_at)
    return _row(queue_id, look.number, at, kept, step=look.step, due_at=due_at, met_at=met_at)


def _row(
    queue_id: str,
    number: int,
    at: int,
    given: Mapping[str, object],
    *,
    step: int = 0,
    due_at: int | None = None,
    met_at: int | None = None,
) -> dict[str, object]:
    """Return the columns in the table's order."""
    text = orjson.dumps(given).decode()
    return {
        "b_queue_id": queue_id,
        "b_number": number,
        "b_step": step,
        "b_due_at": due_at,
        "b_set_at": at,
        "b_met_at": met_at,
        "b_given": text,
    }


def _put(tx: Tx, values: dict[str, object], known: bool) -> None:
    if tx.run(_CHANGE if known else _ADD, values) != 1:
        raise StoreConflict("what was said about a mail was moved by another process")
    tx.unlist(str(values["b_queue_id"]), int(str(values["b_set_at"])))


def _consent_json(consent: Consent) -> list[object]:
    said = (consent.person, consent.comment, consent.by)
    return [to_us(consent.at), *[storable(text) for text in said]]


def _consent(data: list[Any]) -> Consent:
    at, person, comment, by = data
    return Consent(person, from_us(at), comment, by)


def _waiver(given: str) -> Waiver | None:
    """Return the waiver; one that nobody can read is none."""
    try:
        data = orjson.loads(given)
        by = _consent(data["by"])
        ends = {index: from_us(end) for ranges, end in data["ends"] for index in from_ranges(ranges)}
    except _UNREADABLE:
        return None
    return Waiver(by.person, by.at, by.comment, ends)
