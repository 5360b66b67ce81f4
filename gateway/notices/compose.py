"""Composers for the notices about holds, a cancellation and a copy: from rows to octets, without any I/O.

Each returns None where there is nothing (any more) to tell; the worker then drops the notice. A hold notice
and a cancellation go to the sender, wherever the sender is. A copy goes inside only: a policy file must not
make Sekisho write to strangers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from zoneinfo import ZoneInfo

from gateway.deadline_words import outlook
from gateway.languages import Words, shown
from gateway.links import Links
from gateway.message.address import parse_path
from gateway.message.domains import domain_set
from gateway.notices.held_mail import HeldMail, escaped, held_mail
from gateway.notices.letter import Attached, Author, Letter, to_octets
from gateway.notices.report import SHOWN_RECIPIENTS, Report, report_of
from gateway.notices.results_csv import MAX_ROWS, results
from gateway.notices.summary import Summary, summarise
from gateway.notices.wording import Wording
from gateway.spool.lifecycle import State
from gateway.spool.notice import Glance, Notice, NoticeKind
from gateway.spool.values import Stored
from gateway.waiting import needs

Composer = Callable[[Stored, Notice, bytes | None], bytes | None]

WHO = 100  # characters shown of a login name


class Composers:
    """The composers of this room, by kind, in the language of each decision."""

    def __init__(self, links: Links, zone: ZoneInfo, author: Author, wording: Wording | None = None) -> None:
        self._links = links
        self._author = author
        self._wording = wording or Wording(zone)
        self._words = self._wording.words

    def by_kind(self) -> Mapping[NoticeKind, Composer]:
        """Return what the worker takes; the kinds of delivery status come from delivery/."""
        return {
            NoticeKind.HOLD: self.hold,
            NoticeKind.CANCELLED: self.cancelled,
            NoticeKind.COPY: self.copy,
            NoticeKind.DROPPED: self.dropped,
            NoticeKind.REPORT: self.report,
        }

    def hold(self, message: Stored, notice: Notice, raw: bytes | None) -> bytes | None:
        """Tell the sender what is held and how to stop it; None when nothing is held any more."""
        message = message.as_handed_in
        if not any(row.state is State.HELD for row in message.recipients):
            return None
        gettext = self._words[message.language].gettext
        summary = self.summary(message, raw, range(len(message.recipients)))
        url = self._links.url(message.queue_id, notice.to)
        words = self._words[message.language]
        more = {"needs": needs(message, words), "outlook": outlook(message, words, notice.created_at)}
        return self.write(message, notice, "hold", gettext("[Held] %(subject)s"), summary, url, more=more)

    def line(self, glance: Glance, notice: Notice) -> HeldMail | None:
        """Return what a letter of many says of this mail; None when nothing of it is held any more."""
        url = self._links.url(glance.queue_id, notice.to)
        return held_mail(glance, self._words[glance.language], url)

    def holds(self, about: Glance, notice: Notice, lines: Sequence[HeldMail]) -> bytes:
        """Tell the sender of several held mails at once, each with its link; `about` and `notice` are the first one's."""
        words = self._words[about.language]
        values = {
            "mails": lines,
            "escaped": escaped(lines),
            "first": words.moment(min(line.ends_at for line in lines)),
            "zone": words.zone_name(),
            "subject": words.ngettext("[Held] %(n)s mail", "[Held] %(n)s mails", len(lines)),
            "language": about.language.value,
        }
        return self._to_octets(about, notice, "holds", values, len(lines))

    def cancelled(self, message: Stored, notice: Notice, raw: bytes | None) -> bytes | None:
        """Tell the sender for whom somebody else stopped the mail; None when nobody of them is cancelled."""
        states = {row.index: row.state for row in message.as_handed_in.recipients}
        stopped = [index for index in notice.recipients if states.get(index) is State.CANCELLED]
        if not stopped:
            return None
        gettext = self._words[message.language].gettext
        summary = self.summary(message, raw, stopped)
        sure = gettext("[Not sent] %(subject)s")
        title = gettext("[Cancelled, may have arrived] %(subject)s") if summary.perhaps else sure
        return self.write(message, notice, "cancelled", title, summary)

    def copy(self, message: Stored, notice: Notice, raw: bytes | None) -> bytes | None:
        """Tell an address inside the facts of a mail, never its content; None for an address outside."""
        if not domain_set(message.decision.internal).matches(parse_path(notice.to)):
            return None
        message = message.as_handed_in
        gettext = self._words[message.language].gettext
        summary = self.summary(message, raw, range(len(message.recipients)))
        return self.write(message, notice, "copy", gettext("[Notice] %(subject)s"), summary)

    def dropped(self, message: Stored, notice: Notice, raw: bytes | None) -> bytes | None:
        """Tell the sender who does not get the mail, because a rule says so."""
        gettext = self._words[message.language].gettext
        summary = self.summary(message, raw, notice.recipients)
        everybody = len(notice.recipients) == len(message.as_handed_in.recipients)
        title = gettext("[Not sent by policy] %(subject)s")
        return self.write(message, notice, "dropped", title, summary, everybody=everybody)

    def report(self, message: Stored, notice: Notice, _raw: bytes | None) -> bytes | None:
        """Tell an address inside what became of a mailing; None for an address outside."""
        if not domain_set(message.decision.internal).matches(parse_path(notice.to)):
            return None
        words = self._words[message.language]
        told = report_of(message, words, incident=notice.incident)
        attached = results(message, words) if told.total > SHOWN_RECIPIENTS else None
        more = {
            "attached": attached.name if attached is not None else "",
            "listed": min(told.total, MAX_ROWS) if attached is not None else 0,
            "report_url": self._links.incident_url(message.queue_id, notice.to),
        }
        title = words.gettext("[Report] %(subject)s")
        return self.write(message, notice, "report", title, told, more=more, attached=attached)

    def words(self, message: Stored) -> Words:
        """Return the words of a message's language."""
        return self._words[message.language]

    def summary(self, message: Stored, raw: bytes | None, indexes: Sequence[int]) -> Summary:
        """Tell of these recipients."""
        return summarise(message, raw, indexes, self._words[message.language], self._author.hostname)

    def write(
        self,
        message: Stored,
        notice: Notice,
        name: str,
        title: str,
        summary: Summary | Report,
        url: str = "",
        *,
        everybody: bool = False,
        more: Mapping[str, object] | None = None,
        attached: Attached | None = None,
    ) -> bytes:
        """Return the letter that a template makes of a summary; `more` are values for that template alone."""
        values = {
            **(more or {}),
            "s": summary,
            "url": url,
            "everybody": everybody,
            "subject": title % {"subject": summary.subject},
            "language": message.language.value,
            "who": shown(notice.actor, WHO),
        }
        return self._to_octets(message, notice, name, values, attached=attached)

    def bare(
        self, message: Stored, notice: Notice, kind: str, name: str, values: Mapping[str, object]
    ) -> bytes:
        """Return the letter that a template makes of these values alone (with a `subject`); `kind` is what it calls itself."""
        return self._to_octets(
            message, notice, name, {**values, "language": message.language.value}, kind=kind
        )

    def _to_octets(
        self,
        message: Stored | Glance,
        notice: Notice,
        name: str,
        values: Mapping[str, object],
        mails: int = 1,
        kind: str = "",
        attached: Attached | None = None,
    ) -> bytes:
        said = self._wording.say(name, message.language.value, values)
        letter = Letter(
            kind=kind or notice.kind.value,
            queue_id=message.queue_id,
            notice_id=notice.notice_id,
            language=message.language.value,
            subject=said.subject,
            text=said.text,
            html=said.html,
            mails=mails,
            attached=attached,
        )
        return to_octets(letter, self._author, parse_path(notice.to), notice.created_at)
