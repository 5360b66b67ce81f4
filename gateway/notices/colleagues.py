"""Composers around a colleague's stop: the letter with the link, where a copy could not carry it, and what the sender is told.

The letter shows a colleague no more than their copy did: subject, sender, and how many outside wait.
"""

from __future__ import annotations

from collections.abc import Mapping

from gateway.languages import shown
from gateway.links import Links
from gateway.notices.compose import Composer, Composers
from gateway.policy.colleagues import colleagues_of
from gateway.spool.lifecycle import CANCELLABLE, State
from gateway.spool.notice import Notice, NoticeKind
from gateway.spool.second_look import COMMENT
from gateway.spool.values import Stored
from gateway.waiting import NAME, needs


class ColleagueLetters:
    """The composers of this file, by kind; `composers` writes what they say."""

    def __init__(self, links: Links, composers: Composers) -> None:
        self._links = links
        self._composers = composers

    def by_kind(self) -> Mapping[NoticeKind, Composer]:
        """Return what the worker takes."""
        return {NoticeKind.COLLEAGUE: self.colleague, NoticeKind.STOPPED: self.stopped}

    def colleague(self, message: Stored, notice: Notice, raw: bytes | None) -> bytes | None:
        """Give a recipient inside their link; None where nothing can be stopped any more, or this is nobody who may."""
        (index,) = notice.recipients
        outside = waiting_outside(message)
        if not outside or index not in colleagues_of(message.decision, message.envelope):
            return None
        words = self._composers.words(message)
        summary = self._composers.summary(message.as_handed_in, raw, [])
        url = self._links.colleague_url(message.queue_id, index)
        title = words.gettext("[Not yet sent to outside] %(subject)s")
        more = {"outside": outside}
        return self._composers.write(message, notice, "colleague", title, summary, url, more=more)

    def stopped(self, message: Stored, notice: Notice, raw: bytes | None) -> bytes | None:
        """Tell the sender who stopped the mail, and why."""
        message = message.as_handed_in
        words = self._composers.words(message)
        states = {row.index: row.state for row in message.recipients}
        gone = [index for index in notice.recipients if states.get(index) is State.CANCELLED]
        if not gone:
            return None
        who, _, because = notice.actor.partition("\n")
        said = words.gettext("%(who)s, who got a copy of it, stopped it and gave this reason:") % {
            "who": shown(who, NAME)
        }
        more = {
            "sentence": words.gettext(
                "A colleague stopped this mail. It was not sent to the addresses below."
            ),
            "said": (said, shown(because, COMMENT)),
            "needs": needs(message, words),
        }
        title = words.gettext("[Stopped by a colleague] %(subject)s")
        summary = self._composers.summary(message, raw, gone)
        return self._composers.write(message, notice, "decided", title, summary, more=more)


def waiting_outside(message: Stored) -> int:
    """Return how many recipients outside can still be stopped."""
    rows = message.as_handed_in.recipients
    return sum(row.external and row.state in CANCELLABLE for row in rows)
