"""Composers for the notices around a second look: the request to an approver, what was decided, and why a window was waived.

Each returns None where there is nothing (any more) to tell. A request goes to whom the policy names, with a link of their own:
it shows the facts of the mail, never its content.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from gateway.deadline_words import outlook
from gateway.file_fates import obstacle
from gateway.languages import shown
from gateway.links import Links
from gateway.message.address import parse_path
from gateway.message.domains import domain_set
from gateway.notices.compose import Composer, Composers
from gateway.policy.demands import Approval
from gateway.spool.lifecycle import State
from gateway.spool.notice import Notice, NoticeKind
from gateway.spool.second_look import COMMENT, WAY, Look
from gateway.spool.values import Stored
from gateway.waiting import held_by, missing_words, needs, open_looks, said_by


class Asking:
    """The composers of this file, by kind; `composers` writes what they say."""

    def __init__(self, links: Links, composers: Composers) -> None:
        self._links = links
        self._composers = composers

    def by_kind(self) -> Mapping[NoticeKind, Composer]:
        """Return what the worker takes."""
        return {
            NoticeKind.APPROVAL: self.approval,
            NoticeKind.APPROVED: self.approved,
            NoticeKind.REJECTED: self.rejected,
            NoticeKind.TIMED_OUT: self.timed_out,
            NoticeKind.WAIVED: self.waived,
        }

    def approval(self, message: Stored, notice: Notice, raw: bytes | None) -> bytes | None:
        """Ask somebody to approve; None when nothing waits for this person any more."""
        message = message.as_handed_in
        person = parse_path(notice.to).key
        looks = [look for look in open_looks(message) if _asks(look, person)]
        if not looks:
            return None
        words = self._composers.words(message)
        indexes = sorted({index for look in looks for index in held_by(message, look)})
        summary = self._composers.summary(message, raw, indexes)
        more = {
            "needs": needs(message, words, looks),
            "outlook": outlook(message, words, notice.created_at),
            "escalated": all(look.step > 0 and not _from_the_beginning(look, person) for look in looks),
        }
        title = words.gettext("[Approval needed] %(subject)s")
        url = self._links.approval_url(message.queue_id, notice.to)
        return self._composers.write(message, notice, "approval", title, summary, url, more=more)

    def approved(self, message: Stored, notice: Notice, raw: bytes | None) -> bytes | None:
        """Tell the sender that enough people agreed, and what the mail still waits for."""
        words = self._composers.words(message)
        looks = _about(message, notice)
        said = [
            said_by(each, words, words.gettext("%(who)s approved at %(at)s"))
            for look in looks
            for each in look.consents
        ]
        title = words.gettext("[Approved] %(subject)s")
        return self._decided(message, notice, raw, title, words.gettext("This mail was approved."), said)

    def rejected(self, message: Stored, notice: Notice, raw: bytes | None) -> bytes | None:
        """Tell the sender that an approver said no, and why."""
        words = self._composers.words(message)
        said = [
            said_by(look.rejected, words, words.gettext("%(who)s rejected at %(at)s"))
            for look in _about(message, notice)
            if look.rejected is not None
        ]
        title = words.gettext("[Rejected, not sent] %(subject)s")
        sentence = words.gettext("An approver rejected this mail. It was not sent to the addresses below.")
        return self._decided(message, notice, raw, title, sentence, said)

    def timed_out(self, message: Stored, notice: Notice, raw: bytes | None) -> bytes | None:
        """Tell the sender that nobody decided in time, and what the rule does then."""
        words = self._composers.words(message)
        states = {row.index: row.state for row in message.recipients}
        said: list[str] = []
        if notice.actor:  # what was missing to protect the attachments
            said = [missing_words(notice.actor, words)]
            if notice.actor != WAY:
                said.append(obstacle(notice.actor, words).advice)
            title = words.gettext("[Not sent, attachments not protected] %(subject)s")
            sentence = words.gettext(
                "The attachments of this mail could not be protected in time. It was not sent to the addresses below."
            )
        elif all(states.get(index) is State.CANCELLED for index in notice.recipients):
            title = words.gettext("[Out of time, not sent] %(subject)s")
            sentence = words.gettext(
                "Nobody confirmed or approved this mail in time. It was not sent to the addresses below."
            )
        else:
            title = words.gettext("[Out of time, sent all the same] %(subject)s")
            sentence = words.gettext(
                "Nobody confirmed or approved this mail in time. As the rule says, it does not wait for that any more."
            )
        return self._decided(message, notice, raw, title, sentence, said)

    def waived(self, message: Stored, notice: Notice, raw: bytes | None) -> bytes | None:
        """Tell an address inside why the sender shortened a window; None for an address outside."""
        if not domain_set(message.decision.internal).matches(parse_path(notice.to)):
            return None
        words = self._composers.words(message)
        title = words.gettext("[Sent early] %(subject)s")
        sentence = words.gettext("The sender let this mail go before its time, and gave this reason:")
        return self._decided(message, notice, raw, title, sentence, [shown(notice.actor, COMMENT)])

    def _decided(
        self,
        message: Stored,
        notice: Notice,
        raw: bytes | None,
        title: str,
        sentence: str,
        said: Sequence[str],
    ) -> bytes:
        message = message.as_handed_in
        there = {row.index for row in message.recipients}
        summary = self._composers.summary(message, raw, [i for i in notice.recipients if i in there])
        more = {
            "sentence": sentence,
            "said": tuple(dict.fromkeys(said)),
            "needs": needs(message, self._composers.words(message)),
        }
        return self._composers.write(message, notice, "decided", title, summary, more=more)


def asks(message: Stored, person: str) -> bool:
    """Tell whether something of a mail waits for this person's approval."""
    return any(_asks(look, person) for look in open_looks(message))


def _asks(look: Look, person: str) -> bool:
    given = any(each.person == person for each in look.consents)
    return not given and any(each.address == person for each in look.approvers())


def _from_the_beginning(look: Look, person: str) -> bool:
    first = look.demand.steps[0].approvers if isinstance(look.demand, Approval) else ()
    return any(each.address == person for each in first)


def _about(message: Stored, notice: Notice) -> list[Look]:
    told = frozenset(notice.recipients)
    return [look for look in message.looks if told & look.recipients]
