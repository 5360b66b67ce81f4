"""What "it left" tells the sender of a held mail whose fate is known, as plain values: who got it, and who did not. Pure.

It is told only to senders whose rule says so (`notify: {sender: [hold, left]}`), once for each mail, and not at all where
nobody was tried: whoever cancels a mail knows it.
"""

from __future__ import annotations

from collections.abc import Mapping

from gateway.links import Links
from gateway.notices.compose import Composer, Composers
from gateway.notices.report import report_of
from gateway.spool.lifecycle import State
from gateway.spool.notice import Notice, NoticeKind
from gateway.spool.values import Stored

SHOWN = 50  # recipients of whom one notice tells; the page shows them all


class LeftLetters:
    """The composer of this file; `composers` writes what it says, and `links` leads to the sender's page."""

    def __init__(self, links: Links, composers: Composers) -> None:
        self._links = links
        self._composers = composers

    def by_kind(self) -> Mapping[NoticeKind, Composer]:
        """Return what the worker takes."""
        return {NoticeKind.LEFT: self.left}

    def left(self, message: Stored, notice: Notice, _raw: bytes | None) -> bytes | None:
        """Tell the sender what became of a mail that was held; None where nobody was tried."""
        rows = message.as_handed_in.recipients
        sent = sum(row.state is State.DELIVERED for row in rows)
        failed = sum(row.state is State.BOUNCED for row in rows)
        if not sent and not failed:
            return None
        words = self._composers.words(message)
        told = report_of(message, words, SHOWN)
        more = {"sent": sent, "failed": failed, "cancelled": len(rows) - sent - failed}
        titles = {
            (True, False): words.gettext("[Sent] %(subject)s"),
            (True, True): words.gettext("[Sent, not to everybody] %(subject)s"),
            (False, True): words.gettext("[Could not be delivered] %(subject)s"),
        }
        title = titles[bool(sent), bool(failed)]
        url = self._links.url(message.queue_id, notice.to)
        return self._composers.write(message, notice, "left", title, told, url, more=more)
