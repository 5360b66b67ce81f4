"""The composer of a reminder: to somebody who may approve, or to the sender who has to tick, that a mail still waits.

It says what the request said, with the same kind of link, and what happens at the deadlines that are left. None where nothing
waits for this person any more.
"""

from __future__ import annotations

from collections.abc import Mapping

from gateway.deadline_words import outlook
from gateway.links import Links
from gateway.message.address import parse_path
from gateway.message.same_person import is_among
from gateway.notices.compose import Composer, Composers
from gateway.policy.demands import Approval, Confirmation
from gateway.spool.attendance import asked_now
from gateway.spool.notice import Notice, NoticeKind
from gateway.spool.second_look import Look
from gateway.spool.values import Stored
from gateway.waiting import held_by, needs, open_looks


class Reminders:
    """The composers of this file, by kind; `composers` writes what they say."""

    def __init__(self, links: Links, composers: Composers) -> None:
        self._links = links
        self._composers = composers

    def by_kind(self) -> Mapping[NoticeKind, Composer]:
        """Return what the worker takes."""
        return {NoticeKind.REMINDER: self.reminder}

    def reminder(self, message: Stored, notice: Notice, raw: bytes | None) -> bytes | None:
        """Tell again what is waited for."""
        message = message.as_handed_in
        looks = _waiting_for(message, notice)
        if not looks:
            return None
        words = self._composers.words(message)
        approval = isinstance(looks[0].demand, Approval)
        link = self._links.approval_url if approval else self._links.url
        indexes = sorted({index for look in looks for index in held_by(message, look)})
        more = {
            "approval": approval,
            "needs": needs(message, words, looks),
            "outlook": outlook(message, words, notice.created_at),
        }
        title = (
            words.gettext("[Reminder: approval needed] %(subject)s")
            if approval
            else words.gettext("[Reminder: please confirm] %(subject)s")
        )
        summary = self._composers.summary(message, raw, indexes)
        url = link(message.queue_id, notice.to)
        return self._composers.write(message, notice, "reminder", title, summary, url, more=more)


def _waiting_for(message: Stored, notice: Notice) -> list[Look]:
    """Return what still waits for who is told: approvals that ask them, else, to the sender, what has to be ticked."""
    person = parse_path(notice.to).key
    waiting = open_looks(message)
    if asking := [look for look in waiting if person in asked_now(look, notice.created_at)]:
        return asking
    sender = message.envelope.sender
    if sender is None or not is_among(person, frozenset({sender.key})):
        return []
    return [look for look in waiting if isinstance(look.demand, Confirmation)]
