"""Incidents as rows and rows as incidents: the SQL of the three tables, and how values stand in them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy import bindparam, func, select

from gateway.incidents.contract import (
    Account,
    Answer,
    Data,
    Incident,
    Note,
    NoteKind,
    Organisation,
    Report,
    Request,
    What,
)
from gateway.spool.list_contract import Whose
from gateway.spool.ranges import from_ranges, to_ranges
from gateway.spool.share_contract import TakenBack
from gateway.spool.times import from_us, to_us
from gateway.spool.values import Actor
from gateway.store.events import storable
from gateway.store.incident_tables import deletion_requests, incident_notes, incidents
from gateway.store.keys import MasterKey, MasterKeyError
from gateway.store.tx import Prepared, Queries, Tx
from gateway.store.wrapping import bound

_I, _N, _D = incidents.c, incident_notes.c, deletion_requests.c
_MAIL: sa.BindParameter[str] = bindparam("b_queue_id")

ONE = Prepared(select(incidents).where(_I.queue_id == _MAIL))
LOCKED = Prepared(select(incidents).where(_I.queue_id == _MAIL).with_for_update())
NOTES = Prepared(select(incident_notes).where(_N.queue_id == _MAIL).order_by(_N.number))
REQUESTS = Prepared(select(deletion_requests).where(_D.queue_id == _MAIL).order_by(_D.recipient))
_LAST_NOTE = Prepared(select(func.max(_N.number)).where(_N.queue_id == _MAIL))
_NEW_NOTE = Prepared(
    incident_notes.insert().values({each.name: bindparam(f"b_{each.name}") for each in incident_notes.c})
)
_WORDS = ("stopped", "locked", "unkeyed", "gone")


def account_columns(account: Account) -> dict[str, object]:
    """Return what stands in the row of an incident of what somebody told."""
    return {
        "b_what": account.what.value,
        "b_wrong": to_ranges(account.wrong),
        "b_kinds": ",".join(sorted(account.data)),
        "b_persons": account.persons,
        "b_known_at": to_us(account.known_at),
    }


def whose_json(whose: Whose) -> str:
    return json.dumps([sorted(whose.senders), whose.login, sorted(whose.groups), sorted(whose.asked)])


def whose_of(text: str) -> Whose:
    senders, login, groups, asked = json.loads(text)
    return Whose(frozenset(senders), login, frozenset(groups), frozenset(asked))


def taken_json(taken: TakenBack) -> str:
    ranges = {word: to_ranges(getattr(taken, word)) for word in _WORDS}
    opened = [[index, to_us(at)] for index, at in taken.opened]
    return json.dumps({**ranges, "opened": opened, "at": to_us(taken.at)})


def _taken_of(text: str) -> TakenBack:
    said = json.loads(text)
    opened = tuple([(int(index), from_us(int(at))) for index, at in said["opened"]])
    ranges = {word: from_ranges(said[word]) for word in _WORDS}
    return TakenBack(opened=opened, at=from_us(said["at"]), **ranges)


def add_note(
    tx: Tx, queue_id: str, kind: NoteKind, text: str, writer: str, now: int, master: MasterKey
) -> int:
    """Write a note behind those that are there, wrapped; return its number."""
    last = tx.row(_LAST_NOTE, {"b_queue_id": queue_id})[0]
    number = 0 if last is None else int(last) + 1
    wrapped = master.wrap(storable(text).encode("utf-8"), bound(incident_notes.name, queue_id, number))
    place = {"b_queue_id": queue_id, "b_number": number, "b_kind": kind.value, "b_at": now}
    tx.run(_NEW_NOTE, place | {"b_writer": storable(writer), "b_key_id": master.key_id, "b_wrapped": wrapped})
    tx.under(master.key_id)
    return number


def incident_of(queries: Queries, queue_id: str, master: MasterKey) -> Incident | None:
    """Read an incident with everything that belongs to it; None where the mail has none."""
    place = {"b_queue_id": storable(queue_id)}
    row = queries.row(ONE, place)
    if row is None:
        return None
    notes = [_note(each, master) for each in queries.rows(NOTES, place)]
    requests = [request_of(each, master) for each in queries.rows(REQUESTS, place)]
    return _together(row, notes, requests)


def named(table: sa.Table, row: Sequence[Any]) -> dict[str, Any]:
    """Return a row of a table by the names of its columns."""
    return dict(zip(table.c.keys(), row, strict=True))


def account_of(row: dict[str, Any], description: str = "") -> Account:
    """Return what somebody told, from a row by names."""
    return Account(
        what=What(row["what"]),
        wrong=from_ranges(row["wrong"]),
        data=frozenset(Data(each) for each in row["kinds"].split(",") if each),
        persons=row["persons"],
        known_at=from_us(row["known_at"]),
        description=description,
    )


def reported_of(row: dict[str, Any]) -> tuple[tuple[Report, Any], ...]:
    """Return which reports were handed in, and when somebody noted that."""
    found = ((Report.PRELIMINARY, row["preliminary_at"]), (Report.FINAL, row["final_at"]))
    return tuple([(report, from_us(at)) for report, at in found if at is not None])


def request_of(row: Sequence[Any], master: MasterKey) -> Request:
    """Return a deletion request from its row."""
    found = named(deletion_requests, row)
    binding = bound(deletion_requests.name, found["queue_id"], found["recipient"])
    return Request(
        recipient=found["recipient"],
        asked_at=from_us(found["asked_at"]),
        asker=found["asker"],
        letter=found["letter"],
        answer=None if found["answer"] is None else Answer(found["answer"]),
        answered_at=from_us(found["answered_at"]),
        answers=found["answers"],
        reminders=found["reminders"],
        reminded_at=from_us(found["reminded_at"]),
        remind_at=from_us(found["remind_at"]),
        comment=_opened(master, found["key_id"], found["wrapped_comment"], binding),
    )


def _together(row: Sequence[Any], notes: Sequence[Note], requests: Iterable[Request]) -> Incident:
    found = named(incidents, row)
    description = next((note.text or "" for note in notes if note.kind is NoteKind.DESCRIPTION), "")
    return Incident(
        queue_id=found["queue_id"],
        opened_at=from_us(found["opened_at"]),
        opener=Actor(found["opener_kind"], found["opener"]),
        account=account_of(found, description),
        organisation=Organisation(found["organisation"]),
        taken=_taken_of(found["taken"]),
        whose=whose_of(found["whose"]),
        closed_at=from_us(found["closed_at"]),
        remind_at=from_us(found["remind_at"]),
        reported=reported_of(found),
        notes=tuple(notes),
        requests=tuple(requests),
    )


def _note(row: Sequence[Any], master: MasterKey) -> Note:
    found = named(incident_notes, row)
    binding = bound(incident_notes.name, found["queue_id"], found["number"])
    text = _opened(master, found["key_id"], found["wrapped"], binding)
    return Note(found["number"], NoteKind(found["kind"]), from_us(found["at"]), found["writer"], text)


def _opened(master: MasterKey, key_id: str | None, wrapped: bytes | None, binding: str) -> str | None:
    """Return a wrapped text; None where there is none, or its master key is not held."""
    holder = master.holding(key_id or "")
    if holder is None or wrapped is None:
        return None
    try:
        return holder.unwrap(bytes(wrapped), binding).decode("utf-8")
    except MasterKeyError:
        return None
