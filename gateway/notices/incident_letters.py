"""Letters about an incident: that there is one, that a report is due soon, and the request to delete, to a wrong recipient.

Composed from the incident as it stands when the letter is written, so nothing that people wrote lies in the outbox. A request
goes to one recipient and names nobody else: no address but its own reader's and the sender's, whom that reader knows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from gateway.clock import Clock
from gateway.incidents import wording
from gateway.incidents.clocks import Verdict
from gateway.incidents.contract import PARAGRAPH, TEXT, Account, Incident, Organisation
from gateway.languages import Words, shown
from gateway.links import Links
from gateway.notices.compose import Composer, Composers
from gateway.notices.summary import ADDRESS, SUBJECT
from gateway.spool.notice import Notice, NoticeKind
from gateway.spool.values import Stored

LISTED = 30  # recipients of one fate in a letter; the page has all

IncidentOf = Callable[[str], Incident | None]
Judge = Callable[[Account, Organisation], Verdict]


class IncidentLetters:
    """The composers of this file; `incident_of` reads on the composer's own thread, `judge` tells the clocks."""

    def __init__(
        self, links: Links, composers: Composers, incident_of: IncidentOf, judge: Judge, clock: Clock
    ) -> None:
        self._links = links
        self._composers = composers
        self._incident_of = incident_of
        self._judge = judge
        self._clock = clock

    def by_kind(self) -> Mapping[NoticeKind, Composer]:
        """Return what the worker takes."""
        return {
            NoticeKind.INCIDENT: self.opened,
            NoticeKind.INCIDENT_CLOCK: self.clock,
            NoticeKind.DELETION: self.deletion,
        }

    def opened(self, message: Stored, notice: Notice, _raw: bytes | None) -> bytes | None:
        """Tell that a mail went to the wrong people, what was stopped, and which reports are due."""
        words = self._composers.words(message)
        return self._told(message, notice, "incident", words.gettext("[Misdirected mail] %(subject)s"))

    def clock(self, message: Stored, notice: Notice, _raw: bytes | None) -> bytes | None:
        """Remind of a report that is due soon; None where the incident is closed or all were handed in."""
        incident = self._incident_of(message.queue_id)
        if incident is None or not incident.open:
            return None
        open_reports = {clock.report for clock in self._judge(incident.account, incident.organisation).clocks}
        if open_reports <= {report for report, _ in incident.reported}:
            return None
        words = self._composers.words(message)
        title = words.gettext("[Report due soon] %(subject)s")
        return self._told(message, notice, "incident_clock", title)

    def deletion(self, message: Stored, notice: Notice, _raw: bytes | None) -> bytes | None:
        """Ask one wrong recipient to delete the mail; None where they answered meanwhile, or the incident is closed."""
        incident = self._incident_of(message.queue_id)
        (recipient,) = notice.recipients
        request = incident.request(recipient) if incident is not None else None
        if incident is None or request is None or request.answer is not None or not incident.open:
            return None
        words = self._composers.words(message)
        values = {
            "subject": words.gettext("Request: please delete a mail that reached you by mistake"),
            "about": _subject(message, words),
            "sender": _sender(message, words),
            "received": wording.moment(message.received_at, words),
            "zone": words.zone_name(),
            "paragraph": shown_lines(incident.note(request.letter), PARAGRAPH),
            "again": bool(notice.actor),
            "url": self._links.deletion_url(message.queue_id, recipient),
        }
        return self._composers.bare(message, notice, "deletion", "deletion", values)

    def _told(self, message: Stored, notice: Notice, name: str, title: str) -> bytes | None:
        incident = self._incident_of(message.queue_id)
        if incident is None:
            return None
        words = self._composers.words(message)
        found = self._judge(incident.account, incident.organisation)
        groups = wording.taken_groups(message, incident.taken, words)
        values = {
            "subject": title % {"subject": _subject(message, words)},
            "s": {
                "subject": _subject(message, words),
                "sender": _sender(message, words),
                "received": words.moment(message.received_at),
                "zone": words.zone_name(),
                "queue_id": message.queue_id,
            },
            "what": wording.what_names(words)[incident.account.what],
            "opener": shown(incident.opener.name, ADDRESS),
            "opened": wording.moment(incident.opened_at, words),
            "known": wording.moment(incident.account.known_at, words),
            "persons": wording.persons(incident.account.persons, words),
            "data": [
                name for each, name in wording.data_names(words).items() if each in incident.account.data
            ],
            "description": shown_lines(incident.account.description, TEXT),
            "groups": [
                (each.title, each.good, each.people[:LISTED], max(0, len(each.people) - LISTED)) for each in groups
            ],
            "grounds": wording.grounds(found, incident.organisation, words),
            "deadlines": wording.deadlines(incident, found, words, self._clock()),
            "caution": wording.caution(words),
            "url": self._links.incident_url(message.queue_id, notice.to),
            "page": self._links.page_url(f"/incidents/{message.queue_id}"),
        }  # fmt: skip
        return self._composers.bare(message, notice, notice.kind.value, name, values)


def shown_lines(text: str, limit: int) -> tuple[str, ...]:
    """Return what somebody wrote, line by line, each as `shown` makes it; at most `limit` characters in all."""
    return tuple([shown(line, limit) for line in text[:limit].splitlines() if line.strip()])


def _subject(message: Stored, words: Words) -> str:
    return shown(message.subject, SUBJECT) or words.gettext("(no subject)")


def _sender(message: Stored, words: Words) -> str:
    sender = message.envelope.sender
    return shown(str(sender), ADDRESS) if sender is not None else words.gettext("(unknown)")
