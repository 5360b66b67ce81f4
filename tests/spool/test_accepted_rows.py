"""What accepting a mail writes, to the last octet: rows, stored JSON, events and their hashes stay as they are pinned here.

`accepted_rows.json` holds what code before this test wrote. What is stored is read by other versions, and an auditor
recomputes hashes: it changes only on purpose. Then: `python -m tests.spool.test_accepted_rows`.
"""

from __future__ import annotations

import asyncio
import json
import tempfile
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from gateway.message.address import Address
from gateway.message.envelope import Client, Envelope
from gateway.message.facts import Attachment, Facts
from gateway.message.header import HeaderSection
from gateway.message.status_request import MailRequest, Notify, RecipientRequest, Return
from gateway.policy.decision import LeftOut, Outcome, Reason, ToLine, Watched
from gateway.policy.demands import (
    NOTHING_FOR_THE_MAIL,
    Approval,
    Approver,
    Confirmation,
    Demands,
    Form,
    Language,
    Refusal,
    Step,
    Text,
)
from gateway.policy.disclaimers import Disclaimer
from gateway.policy.handling import Attached, Handling
from gateway.policy.protection import How, Protection, Way
from gateway.spool.accepting import acceptance
from gateway.spool.knowledge import Noted
from gateway.spool.leases import Lease
from gateway.spool.sql import SqlSpool, open_spool
from gateway.spool.values import NewMessage
from gateway.store.bodies import INLINE, Body
from gateway.store.schema import metadata
from gateway.store.tx import Prepared, Queries
from gateway.store.where import Where
from tests.spool.conftest import MASTER
from tests.spool.mails import MINUTE, SENDER, T0, mail

PINNED = Path(__file__).with_name("accepted_rows.json")
HOUR = 60 * MINUTE
TABLES = (
    *(
        "messages",
        "recipients",
        "bodies",
        "outbox",
        "events",
        "chain",
        "tallies",
        "listings",
        "listing_names",
    ),
    *("second_looks", "reminders", "threads", "halves", "sendings", "shares"),
)
OF_THE_CHAIN = {"prev", "hash", "seal", "node"}  # two gateways have chains of their own


def _decided(new: NewMessage, **changes: Any) -> NewMessage:
    return replace(new, decision=replace(new.decision, **changes))


def _facts(new: NewMessage, authors: tuple[Address, ...] = (SENDER,)) -> NewMessage:
    people = new.envelope.recipients
    attached = (Attachment("名簿.xlsx", 3_000, "application/vnd.ms-excel"),)
    facts = Facts(new.envelope, HeaderSection(()), people, True, authors, new.subject, attached, 2_048)
    return replace(new, facts=facts)


def _usual() -> dict[str, NewMessage]:
    rule = Reason("cancel-window", Text("外部に出るメールは10分間取り消せます", "goes outside"))
    told = {"internal": ("city.example.lg.jp", ".city.example.lg.jp"), "reasons": (rule,)}
    held = _decided(_facts(mail(held=1, notify_sender=True)), **told)
    noted = Noted("s:clerk@sports.example.jp", b"\x01" * 32, b"\x02" * 16, 3, (b"\x03" * 32, b"\x04" * 32))
    of_groups = replace(mail(held=2, queued=2), noted=noted, groups=("体育館", "hall"))
    tells = {"tell_left": True, "notify": frozenset({"b@example.jp", "a@example.jp"})}
    ends = Client("127.0.0.1", "pc", None, False)
    return {
        "HELD": held,
        "FREE": _decided(_facts(mail(queued=1), (Address("other", "example.jp"),)), **told),
        "BOTH": _decided(of_groups, report_to=frozenset({"report@example.jp"}), **tells),
        "OURS": replace(mail(queued=1, sender=None, from_gateway=True), about="HELD"),
        "NONE": replace(mail(held=1, subject=""), envelope=Envelope(None, (SENDER,), ends)),
    }


def _odd() -> dict[str, NewMessage]:
    people = (
        Address("ichirō", "例え.example"),
        Address("a%b", "example.com", True),
        Address("q\udcff", "x.jp"),
    )
    said = (
        RecipientRequest(Notify.SUCCESS | Notify.DELAY, "rfc822", "b@x"),
        *(RecipientRequest(), RecipientRequest(Notify.NEVER)),
    )
    asked = MailRequest(Return.HEADERS, "id+1")
    envelope = Envelope(
        Address("ど", "x.jp"), people, Client("::1", "h\udc80", "Клерк"), True, True, asked, said
    )
    odd = mail(held=2, queued=1, subject="Ａ\0Ｂ\udcff ガイド", notify_sender=True)
    loud = Demands(
        *(timedelta(seconds=90.5), MINUTE, Form.INDIVIDUAL, True),
        tags=frozenset({("X-B", "2"), ("X-A", "１")}),
    )
    outcomes = (Outcome(True, loud, ("p@x.jp", "q@x.jp"), ("b", "a")), Outcome(False, Demands()))
    changes = {"to_line": ToLine("各位"), "language": Language.EN, "tag_names": frozenset({"x-b", "x-a"})}
    return {"ODD": _decided(replace(odd, envelope=envelope), outcomes=outcomes, **changes)}


def _asking() -> dict[str, NewMessage]:
    steps = (
        Step(timedelta(0), (Approver("boss@x.jp"), Approver("proxy@x.jp", T0 - HOUR, T0 + HOUR))),
        Step(HOUR, (Approver("chief@x.jp"),)),
    )
    approval = Approval("two", "managers", 1, 4 * HOUR, "cancel", steps, (HOUR, 2 * HOUR))
    confirmation = Confirmation("tick", "both", HOUR, "release", (MINUTE,))
    demands = Demands(
        MINUTE, reasoned=MINUTE, confirm=frozenset({confirmation}), approvals=frozenset({approval})
    )
    outcomes = (Outcome(True, demands, (), ("two", "tick")), Outcome(False, Demands(), rules=("x",)))
    return {"ASKS": _decided(_facts(mail(held=2, queued=1)), outcomes=outcomes)}


def _changed() -> dict[str, NewMessage]:
    """Return mails whose copies rules drop, add, send another way or write under."""
    leaving = Demands(routes=frozenset({"archive"}), disclaimers=frozenset({"note"}))
    outcomes = (
        Outcome(True, Demands(drop=True), (), ("gone", "far")),
        Outcome(True, Demands(10 * MINUTE, form=Form.BCC), (), ("w",)),
        Outcome(False, leaving, (), ("r",)),
    )
    refused = replace(
        NOTHING_FOR_THE_MAIL, refusals=frozenset({Refusal("n", Text("否", "no"))}), tell_left=True
    )
    watched = (
        Watched("t", 2, Demands(MINUTE), NOTHING_FOR_THE_MAIL),
        Watched("u", 1, Demands(drop=True), refused),
    )
    changes: dict[str, Any] = {
        "outcomes": outcomes,
        "assigned": (0, 1, 2, 0, 2),
        "copied": 1,
        "tells_dropped": True,
        "bcc_to": frozenset({"r4@example.com"}),
        "watched": watched,
        "colleagues_may_stop": True,
        "colleagues_by_letter": True,
        "texts": (Disclaimer("note", "文\n", "<p>"),),
        "left_out": (LeftOut(("note",), "signed"),),
    }
    nobody = _decided(mail(held=2), outcomes=(Outcome(True, Demands(drop=True), (), ("gone",)),))
    return {"MANY": _decided(mail(held=5, notify_sender=True), **changes), "GONE": nobody}


def _sealed() -> dict[str, NewMessage]:
    """Return mails whose files are protected; of one, some wait for a way of the key."""
    asked = Protection("p", How.LINK, (Way.SMS, Way.SENDER), ("*.txt",), downloads=3)
    demands = Demands(MINUTE, protections=frozenset({asked}))
    link = Handling(("p",), ((1, How.LINK),), needs_key=True, way=Way.SENDER, ways=(Way.SENDER,), downloads=3)
    lost = replace(link, way=None, ways=(Way.SMS, Way.PREAGREED), own_key=True)
    outcomes = (
        Outcome(True, demands, (), ("p",), link),
        Outcome(True, demands, (), ("p",), lost),
        Outcome(False, Demands()),
    )
    files = (Attached(1, "名簿.xlsx", "xlsx", 3_000, "plain"),)
    linked = _decided(mail(held=2), outcomes=outcomes[::2], files=files)
    waiting = {"outcomes": outcomes, "assigned": (0, 1, 2, 2), "copied": 1, "files": files}
    return {"LINK": linked, "WAYS": _decided(mail(held=4), **waiting)}


MAILS = _usual() | _odd() | _asking() | _changed() | _sealed()


async def _accept_all(spool: SqlSpool) -> None:
    """Accept each mail, and those that nothing holds once more with a lease, in one transaction."""

    def job(tx: Any) -> None:
        for number, (queue_id, new) in enumerate(MAILS.items()):
            at = replace(new, received_at=T0 + number * MINUTE)
            acceptance(queue_id, at).write(tx, _body(queue_id))
        for queue_id in ("FREE", "BOTH", "MANY"):
            again = f"{queue_id}-LEASED"
            acceptance(again, MAILS[queue_id], Lease("token", "owner", 9)).write(tx, _body(again))

    await spool.database.committer.run(job)


def _body(queue_id: str) -> Body:
    return Body(queue_id, INLINE, 1, MASTER.key_id, b"wrapped", b"sealed \x00\xff")


async def _rows(spool: SqlSpool) -> dict[str, list[dict[str, Any]]]:
    def read(queries: Queries) -> dict[str, list[dict[str, Any]]]:
        found = {}
        for name in TABLES:
            columns = metadata.tables[name].columns
            rows = queries.rows(Prepared(sa.select(*columns).order_by(*metadata.tables[name].primary_key)))
            found[name] = [
                {column.name: _shown(value) for column, value in zip(columns, row, strict=True)}
                for row in rows
            ]
        return found

    return await spool.database.readers.run(read)


def _shown(value: object) -> object:
    return bytes(value).hex() if isinstance(value, bytes | memoryview) else value


async def test_what_accepting_writes_is_what_was_pinned(spool: SqlSpool) -> None:
    await _accept_all(spool)
    written, pinned = await _rows(spool), json.loads(PINNED.read_text(encoding="utf-8"))
    for name in TABLES:
        ours, theirs = written[name], pinned[name]
        if spool.database.shared:
            ours = [row for row in ours if row.get("node", "gw1") == "gw1"]
            ours, theirs = [[_elsewhere(row) for row in rows] for rows in (ours, theirs)]
        assert ours == theirs, name


def _elsewhere(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in OF_THE_CHAIN}


async def _pin() -> None:
    with tempfile.TemporaryDirectory() as folder:
        spool = open_spool(Where(Path(folder) / "state"), MASTER, serve=True, clock=_now)
        await _accept_all(spool)
        rows = await _rows(spool)
        await spool.close()
    PINNED.write_text(json.dumps(rows, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def _now() -> datetime:
    return T0


if __name__ == "__main__":
    asyncio.run(_pin())
