"""A spool in memory for the rooms that only use its door: the states of real mail, verbs by compare-and-set, no store.

It holds to spool/contract.py in what pages and notices can see. Whatever needs a store is tested against
the real one.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import cast

from gateway.message.address import Address, parse_path
from gateway.message.envelope import Client, Envelope
from gateway.policy.decision import Decision, Outcome
from gateway.policy.decision import Reason as RuleReason
from gateway.policy.demands import Demands, Form, Language, Text
from gateway.spool.contract import BodyUnreadable, Spool, StoreUnavailable, UnknownMessage
from gateway.spool.glance import ADDRESSES
from gateway.spool.lifecycle import CANCELLABLE, Reason, State
from gateway.spool.notice import Glance, Notice
from gateway.spool.values import Actor, Change, Claim, NewMessage, Recipient, Stored

NOON = datetime(2026, 11, 20, 3, 0, tzinfo=UTC)  # 12:00 in Tokyo, a Friday
WINDOW = timedelta(minutes=10)
SENDER = "clerk@sports.example.jp"

OUTSIDE = Outcome(
    external=True, demands=Demands(window=WINDOW, form=Form.BCC), rules=("hide-recipients", "cancel-window")
)
INSIDE = Outcome(external=False, demands=Demands())
REASONS = (
    RuleReason(
        "hide-recipients", Text("外部の宛先が2件以上見えます", "two or more external recipients are visible")
    ),
    RuleReason("cancel-window", Text("外部宛てのメールです", "the mail goes outside")),
)


class MemorySpool:
    """Messages by queue id. Set `down` to make every verb fail as a store does."""

    def __init__(self) -> None:
        self.messages: dict[str, Stored] = {}
        self.bodies: dict[str, bytes] = {}
        self.outbox: list[Notice] = []
        self.spooled: list[NewMessage] = []
        self.finished: list[tuple[Notice, NewMessage | None]] = []
        self.acts: list[tuple[str, Actor, Reason]] = []
        self.down = False

    def door(self) -> Spool:
        """Return this as what the rooms take."""
        return cast(Spool, self)

    def set_state(self, queue_id: str, index: int, state: State, at: datetime = NOON) -> None:
        """Let a recipient be somewhere else, as delivery would have brought it there."""
        row = self.messages[queue_id].recipients[index]
        self._put(queue_id, replace(row, state=state, due_at=None, changed_at=at))

    def no_answer(self, queue_id: str, index: int) -> None:
        """Let a recipient be one whose mail was sent to its end without an answer."""
        row = self.messages[queue_id].recipients[index]
        self._put(queue_id, replace(row, state=State.DEFERRED, due_at=NOON, changed_at=NOON, perhaps=True))

    @property
    def notices(self) -> MemorySpool:
        """Return the same: no verb has the name of another."""
        return self

    def still_ours(self, claim: Claim) -> bool:
        return True

    async def get(self, queue_id: str) -> Stored:
        self._check()
        if queue_id not in self.messages:
            raise UnknownMessage(queue_id)
        return self.messages[queue_id]

    async def glances(self, queue_ids: Sequence[str]) -> list[Glance | None]:
        self._check()
        found = [self.messages.get(queue_id) for queue_id in queue_ids]
        return [None if each is None else glance_of(each) for each in found]

    async def incident_of(self, queue_id: str) -> datetime | None:
        return None

    async def raw(self, queue_id: str) -> bytes:
        self._check()
        if queue_id not in self.bodies:
            raise BodyUnreadable(queue_id)
        return self.bodies[queue_id]

    async def cancel(
        self, queue_id: str, recipients: Collection[int] | None, actor: Actor, reason: Reason, now: datetime
    ) -> Change:
        self.acts.append(("cancel", actor, reason))
        message = await self.get(queue_id)
        wanted = [row for row in message.recipients if recipients is None or row.index in recipients]
        done = [row.index for row in wanted if row.state in CANCELLABLE]
        for index in done:
            self.set_state(queue_id, index, State.CANCELLED, now)
        missed = tuple((r.index, r.state) for r in wanted if r.index not in done)
        return Change(tuple(done), missed, tuple(r.index for r in wanted if r.index in done and r.perhaps))

    async def release(
        self,
        queue_id: str,
        recipients: Collection[int] | None,
        actor: Actor,
        reason: Reason,
        now: datetime,
        because: str = "",
    ) -> Change:
        self.acts.append(("release", actor, reason))
        message = await self.get(queue_id)
        wanted = [row for row in message.recipients if recipients is None or row.index in recipients]
        held = [row for row in wanted if row.state is State.HELD]
        done = [row.index for row in held if self._firm(message, row) <= now]
        for row in held:
            if row.index in done:
                self.set_state(queue_id, row.index, State.QUEUED, now)
            else:
                self._put(queue_id, replace(row, due_at=self._firm(message, row)))
        return Change(tuple(done), tuple((r.index, r.state) for r in wanted if r.index not in done))

    @staticmethod
    def _firm(message: Stored, row: Recipient) -> datetime:
        return message.received_at + message.decision.of(row.index).demands.firm

    def _put(self, queue_id: str, row: Recipient) -> None:
        message = self.messages[queue_id]
        rows = tuple(row if old.index == row.index else old for old in message.recipients)
        self.messages[queue_id] = replace(message, recipients=rows)

    async def pending(self, limit: int, after: int = 0) -> Sequence[Notice]:
        self._check()
        return [row for row in self.outbox if row.notice_id > after][:limit]

    async def finish(self, notices: Sequence[Notice], mail: NewMessage | None) -> str | None:
        self._check()
        if not all(notice in self.outbox for notice in notices):
            return None
        for notice in notices:
            self.outbox.remove(notice)
            self.finished.append((notice, mail))
        if mail is None:
            return None
        self.spooled.append(mail)
        return f"OWN{len(self.spooled)}"

    def _check(self) -> None:
        if self.down:
            raise StoreUnavailable("the disk is full")


def glance_of(message: Stored) -> Glance:
    """Return what a letter of many tells of a message, from the whole of it."""
    if message.unreadable:
        return Glance(message.queue_id, message.received_at, message.subject, unreadable=True)
    held = [row for row in message.recipients if row.state is State.HELD]
    return Glance(
        queue_id=message.queue_id,
        received_at=message.received_at,
        subject=message.subject,
        decision=replace(message.decision, assigned=()),
        total=len(message.recipients),
        held=len(held),
        outside=sum(row.external for row in held),
        ends_at=min((row.due_at for row in held if row.due_at is not None), default=None),
        addresses=tuple(str(row.address) for row in held[:ADDRESSES]),
    )


def decision_for(
    assigned: tuple[int, ...],
    outcomes: tuple[Outcome, ...] = (OUTSIDE, INSIDE),
    language: Language = Language.JA,
) -> Decision:
    """Return a decision as the shipped policies make it."""
    return Decision(
        digest="d1",
        outcomes=outcomes,
        assigned=assigned,
        reasons=REASONS,
        notify_sender=True,
        internal=("sports.example.jp", ".example.lg.jp"),
        language=language,
    )


def hold(
    spool: MemorySpool,
    queue_id: str,
    outside: Sequence[str],
    inside: Sequence[str] = (),
    *,
    subject: str = "テニス教室のお知らせ",
    raw: bytes | None = None,
    decision: Decision | None = None,
) -> Stored:
    """Put a mail into the spool: outside addresses held for ten minutes, inside ones on their way."""
    addresses = tuple(parse_path(text) for text in (*outside, *inside))
    chosen = decision or decision_for((0,) * len(outside) + (1,) * len(inside))
    rows = tuple(_row(index, addresses[index], chosen.of(index)) for index in range(len(addresses)))
    envelope = Envelope(parse_path(SENDER), addresses, Client("192.0.2.10", "pc.sports.example.jp", "clerk"))
    octets = raw if raw is not None else mail(subject, (*outside, *inside))
    message = Stored(queue_id, envelope, chosen, NOON, subject, len(octets), False, rows)
    spool.messages[queue_id], spool.bodies[queue_id] = message, octets
    return message


def _row(index: int, address: Address, outcome: Outcome) -> Recipient:
    held = bool(outcome.demands.window)
    due = NOON + outcome.demands.window if held else NOON
    state = State.HELD if held else State.QUEUED
    return Recipient(index, address, outcome.external, state, due, 0)


def mail(subject: str, to: Sequence[str]) -> bytes:
    """Return a mail with a secret in its body and one attachment, in wire form."""
    lines = [
        f"From: <{SENDER}>",
        "To: " + ",\r\n ".join(to),
        "Subject: " + " ".join(subject.split()),
        "Message-ID: <1@pc.sports.example.jp>",
        "Date: Fri, 20 Nov 2026 12:00:00 +0900",
        "MIME-Version: 1.0",
        'Content-Type: multipart/mixed; boundary="b1"',
        "",
        "--b1",
        "Content-Type: text/plain; charset=utf-8",
        "",
        "SECRET-OF-THE-BODY 本文です。",
        "--b1",
        "Content-Type: text/csv; charset=utf-8; name*=utf-8''%E5%90%8D%E7%B0%BF.csv",
        "Content-Disposition: attachment; filename*=utf-8''%E5%90%8D%E7%B0%BF.csv",
        "",
        "SECRET-OF-THE-ATTACHMENT,1",
        "--b1--",
        "",
    ]
    return "\r\n".join(lines).encode()
