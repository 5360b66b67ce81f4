"""The letter of the day: what of one's own is held, what waits for one's approval, what left since; figures for admins.

From plain values to octets, without any I/O. It says nothing that the notices of these mails and the pages behind their links
do not say; its links are those of the notices, one person's for one mail each.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from hashlib import sha256

from babel.dates import format_date

from gateway.languages import Words, shown
from gateway.links import Links
from gateway.message.address import Address
from gateway.notices.letter import Author, Letter, to_octets
from gateway.notices.summary import ADDRESS, SUBJECT
from gateway.notices.wording import Wording
from gateway.spool.digest_day import Day, Share
from gateway.spool.notice import Glance
from gateway.values import dataclass

KIND = "digest"
SHOWN_ATTENTION, SENTENCE = 20, 300  # things that need attention in one letter, and characters of each
_DATE = {"ja": "M月d日(E)", "en": "EEE d MMM"}


@dataclass(frozen=True, slots=True)
class DigestLine:
    """One held mail: to whom first, to how many, when it leaves by itself (empty where it waits for people), and its page."""

    subject: str
    to: str
    received: str
    held: int
    leaves: str
    url: str


@dataclass(frozen=True, slots=True)
class Part:
    """One person's day with the mails that are named."""

    share: Share
    mine: Sequence[Glance]
    asking: Sequence[Glance]


@dataclass(frozen=True, slots=True)
class Whole:
    """The figures of a day for administrators; `attention` is what somebody has to look at, a sentence each."""

    day: Day
    sent: int
    cancelled: int
    failed: int
    attention: Sequence[str]

    @property
    def says_something(self) -> bool:
        return bool(self.day.mails or self.sent or self.cancelled or self.failed or self.attention)


class DigestLetters:
    """Writes both letters in one language."""

    def __init__(self, links: Links, wording: Wording, author: Author) -> None:
        self._links = links
        self._wording = wording
        self._author = author

    def personal(self, part: Part, to: Address, day: date, now: datetime, language: str) -> bytes:
        """Tell one person of their own mails and of those that ask for them."""
        words = self._wording.words[language]
        share, person = part.share, str(to)
        mine = [self._line(each, words, self._links.url(each.queue_id, person)) for each in part.mine]
        asking = [
            self._line(each, words, self._links.approval_url(each.queue_id, person)) for each in part.asking
        ]
        values = {
            "held": share.held,
            "mine": mine,
            "more_mine": max(0, share.held - len(mine)),
            "asks": share.asks,
            "asking": asking,
            "more_asking": max(0, share.asks - len(asking)),
            "sent": share.sent,
            "cancelled": share.cancelled,
            "failed": share.failed,
        }
        title = words.gettext("[Daily] held: %(held)s, waiting for your approval: %(asks)s")
        subject = title % {"held": share.held, "asks": share.asks}
        return self._letter(KIND, values, subject, to, day, now, words)

    def figures(self, whole: Whole, to: Address, day: date, now: datetime, language: str) -> bytes:
        """Tell an administrator the figures, and what needs attention."""
        words = self._wording.words[language]
        values = {
            "mails": whole.day.mails,
            "recipients": whole.day.recipients,
            "asking": whole.day.asking,
            "frozen": whole.day.frozen,
            "oldest": words.moment(whole.day.oldest) if whole.day.oldest is not None else "",
            "sent": whole.sent,
            "cancelled": whole.cancelled,
            "failed": whole.failed,
            "attention": [shown(each, SENTENCE) for each in whole.attention[:SHOWN_ATTENTION]],
        }
        title = words.gettext("[Daily figures] held mails: %(mails)s, needs attention: %(count)s")
        subject = title % {"mails": whole.day.mails, "count": len(whole.attention)}
        return self._letter("digest_figures", values, subject, to, day, now, words)

    def _line(self, glance: Glance, words: Words, url: str) -> DigestLine:
        return DigestLine(
            subject=shown(glance.subject, SUBJECT) or words.gettext("(no subject)"),
            to=shown(glance.addresses[0], ADDRESS) if glance.addresses else "",
            received=words.moment(glance.received_at),
            held=glance.held,
            leaves=words.moment(glance.ends_at) if glance.ends_at is not None else "",
            url=url,
        )

    def _letter(
        self,
        name: str,
        values: dict[str, object],
        subject: str,
        to: Address,
        day: date,
        now: datetime,
        words: Words,
    ) -> bytes:
        whole = {
            **values,
            "subject": subject,
            "language": words.language,
            "day": format_date(day, _DATE[words.language], locale=words.language),
            "zone": words.zone_name(),
            "off_url": self._links.digest_url(to.key),
        }
        said = self._wording.say(name, words.language, whole)
        letter = Letter(
            kind=name,
            queue_id=day.isoformat(),
            notice_id=int.from_bytes(sha256(to.key.encode()).digest()[:6]),  # a Message-ID for each person
            language=words.language,
            subject=said.subject,
            text=said.text,
            html=said.html,
        )
        return to_octets(letter, self._author, to, now)
