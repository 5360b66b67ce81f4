"""Jobs for what people say about a held mail: confirm, approve, reject. Each is a function of a transaction.

An approver is never the sender, decides only while something waits for them, and counts once, whoever acts for them and by
whichever of their mailboxes.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace

from gateway.policy.demands import Approval, Confirmation
from gateway.spool.holds import Wish, tell_sender
from gateway.spool.lifecycle import Kind, Reason, State
from gateway.spool.notice import NoticeKind
from gateway.spool.opened import Opened, cancel_rows, open_mail, settle, without, write_look
from gateway.spool.records import RecipientRow
from gateway.spool.relisting import whose
from gateway.spool.second_look import COMMENT, Consent, Look, Said, is_sender, unmet
from gateway.spool.times import from_us
from gateway.spool.values import Actor, Change, Consented
from gateway.spool.voices import Voice, voice_of
from gateway.store.events import storable
from gateway.store.tx import Queries, Tx
from gateway.values import dataclass


@dataclass(frozen=True, slots=True)
class Word:
    """What somebody says: `person` (a key) is who counts, `actor` who acts.

    `approval` is the number of a look; None stands for all that ask this person.
    """

    queue_id: str
    approval: int | None
    person: str
    actor: Actor
    comment: str
    now: int

    @property
    def reason(self) -> Reason:
        return Reason.BY_ADMIN if self.actor.kind == "admin" else Reason.BY_APPROVER

    def wish(self, reason: Reason) -> Wish:
        return Wish(self.queue_id, None, self.actor, reason, self.now)

    def consent(self) -> Consent:
        by = self.actor.name if self.actor.kind == "admin" else ""
        return Consent(self.person, from_us(self.now), storable(self.comment)[:COMMENT], by)

    def detail(self, look: Look) -> dict[str, object]:
        """Return what an event says of it."""
        name = look.demand.name if isinstance(look.demand, Approval) else ""
        said: dict[str, object] = {"rule": look.demand.rule, "approvers": name, "person": self.person}
        comment = storable(self.comment)[:COMMENT]
        return said | ({"comment": comment} if comment else {})


Job = Callable[[Tx], Consented | None]


def approve(word: Word) -> Job:
    """Count one person's consent; what has everything then is let go. The job gives None for an unknown message."""

    def job(tx: Tx) -> Consented | None:
        opened = open_mail(tx, word.queue_id)
        if opened is None:
            return None
        said, looks = _asked(opened, word, _Speaker.of(tx, word))
        for look in looks:
            opened = _count(tx, opened, look, word)
        free = settle(tx, opened, word.actor, word.reason, word.now) if looks else []
        return Consented(said, _change(opened, looks, free), _missing(opened, looks))

    return job


def reject(word: Word) -> Job:
    """Cancel what waits for this person's consent."""

    def job(tx: Tx) -> Consented | None:
        opened = open_mail(tx, word.queue_id)
        if opened is None:
            return None
        said, looks = _asked(opened, word, _Speaker.of(tx, word), rejecting=True)
        gone: list[RecipientRow] = []
        for look in looks:
            rows = opened.ended_by(look)
            cancel_rows(tx, opened, rows, word.wish(Reason.REJECTED), NoticeKind.REJECTED, word.detail(look))
            gone += rows
            opened = replace(opened, rows=without(opened.rows, rows))
            opened = write_look(tx, opened, replace(look, rejected=word.consent(), due_at=None), word.now)
        settle(tx, opened, word.actor, word.reason, word.now)
        return Consented(said, Change(tuple(sorted(row.idx for row in gone)), ()), 0)

    return job


def confirm(
    queue_id: str, recipients: Collection[int], attachments: bool, actor: Actor, now: int
) -> Callable[[Tx], Change | None]:
    """Tick recipients, and all attachments; what has everything then is let go.

    `done` are the recipients whom nobody has to confirm any more, `not_done` those who still wait for a tick.
    """
    ticked = frozenset(recipients)

    def job(tx: Tx) -> Change | None:
        opened = open_mail(tx, queue_id)
        if opened is None:
            return None
        wish = Wish(queue_id, None, actor, Reason.BY_SENDER, now)
        before = _unconfirmed(opened)
        for look in opened.looks.looks:
            if isinstance(look.demand, Confirmation) and opened.held(look):
                opened = _tick(tx, opened, look, ticked, attachments, wish)
        settle(tx, opened, actor, Reason.BY_SENDER, now)
        after = _unconfirmed(opened)
        return Change(tuple(sorted(before - after)), tuple([(index, State.HELD) for index in sorted(after)]))

    return job


@dataclass(frozen=True, slots=True)
class _Speaker:
    """Whose word it is, and whether From names them."""

    voice: Voice
    wrote_it: bool

    @classmethod
    def of(cls, queries: Queries, word: Word) -> _Speaker:
        voice = voice_of(queries, word.person)
        mail = whose(word.queue_id)(queries)
        return cls(voice, mail is not None and not voice.names.isdisjoint(mail.senders))


def _asked(
    opened: Opened, word: Word, speaker: _Speaker, *, rejecting: bool = False
) -> tuple[Said, list[Look]]:
    """Return the looks that wait for this person, or why there is none."""
    if speaker.wrote_it or any(is_sender(name, opened.envelope) for name in speaker.voice.names):
        return Said.OWN_MAIL, []
    if speaker.voice.stopped:
        return Said.NOT_ASKED, []
    at = from_us(word.now)
    theirs = [
        look
        for look in opened.looks.looks
        if isinstance(look.demand, Approval)
        and look.may_decide(word.person, at)
        and word.approval in (None, look.number)
    ]
    if not theirs:
        return Said.NOT_ASKED, []
    waiting = [look for look in theirs if opened.held(look) and at < look.deadline]
    if not waiting:
        return Said.OVER, []
    new = [look for look in waiting if all(each.person not in speaker.voice.names for each in look.consents)]
    if not new and not rejecting:
        return Said.AGAIN, []
    return Said.COUNTED, waiting if rejecting else new


def _count(tx: Tx, opened: Opened, look: Look, word: Word) -> Opened:
    counted = replace(look, consents=(*look.consents, word.consent()))
    rows = opened.held(look)
    detail = word.detail(look) | {"given": len(counted.consents), "missing": counted.missing}
    tx.event(word.wish(word.reason).event(Kind.APPROVED, rows, **detail))
    if not counted.missing:
        counted = replace(counted, met_at=from_us(word.now), due_at=None)
        tell_sender(tx, NoticeKind.APPROVED, opened.queue_id, opened.shown(rows), word.now, word.person)
    return write_look(tx, opened, counted, word.now)


def _tick(
    tx: Tx, opened: Opened, look: Look, ticked: frozenset[int], attachments: bool, wish: Wish
) -> Opened:
    new = (ticked & frozenset(look.shown)) | look.ticked
    files = look.attachments or attachments
    if (new, files) == (look.ticked, look.attachments):
        return opened
    told = [row for row in opened.held(look) if row.idx in new]
    tx.event(wish.event(Kind.CONFIRMED, told, rule=look.demand.rule, attachments=files))
    changed = replace(look, ticked=new, attachments=files)
    if not opened.held(changed):
        changed = replace(changed, met_at=from_us(wish.now), due_at=None)
    return write_look(tx, opened, changed, wish.now)


def _unconfirmed(opened: Opened) -> set[int]:
    looks = [look for look in opened.looks.looks if isinstance(look.demand, Confirmation)]
    return {row.idx for look in looks for row in opened.held(look)}


def _change(opened: Opened, looks: Collection[Look], free: Collection[RecipientRow]) -> Change:
    done = {row.idx for row in free}
    numbers = {look.number for look in looks}
    bearers = {index for look in opened.looks.looks if look.number in numbers for index in look.recipients}
    waiting = [
        row
        for row in opened.rows
        if row.idx in bearers
        and row.idx not in done
        and row.state is State.HELD
        and unmet(opened.looks.looks, row.idx)
    ]
    return Change(tuple(sorted(done)), tuple([(row.idx, row.state) for row in waiting]))


def _missing(opened: Opened, looks: Collection[Look]) -> int:
    numbers = {look.number for look in looks}
    return max((look.missing for look in opened.looks.looks if look.number in numbers), default=0)
