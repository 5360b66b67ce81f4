"""Letters about keys: to the sender, who tells one or hears that one did not arrive, and the second mail to the recipient.

The sender's letters never hold a key: they lead to the page that shows it. The second mail is the only mail of the gateway
with a key in it, and a rule has to ask for it (docs/channels.md).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from gateway.clock import Clock
from gateway.file_fates import why_not_sent
from gateway.languages import LANGUAGES, Words, shown
from gateway.links import Links
from gateway.notices.compose import Composer, Composers
from gateway.notices.own import own_mail
from gateway.notices.signing import Sign
from gateway.notices.summary import ADDRESS, SUBJECT
from gateway.spool.key_contract import KeySending
from gateway.spool.lifecycle import State
from gateway.spool.notice import Notice, NoticeKind
from gateway.spool.values import NewMessage, Stored

SECOND_MAIL = "second-mail"  # stands where a notice has its kind, in Message-ID and X-Sekisho-Notice


class KeyLetters:
    """The composers of this file; `composers` writes what they say, and `links` leads to the sender's page."""

    def __init__(
        self,
        links: Links,
        composers: Composers,
        zone: ZoneInfo,
        hostname: str,
        clock: Clock,
        sign: Sign = lambda mail: mail,
    ) -> None:
        self._links = links
        self._composers = composers
        self._words: Mapping[str, Words] = {language: Words(language, zone) for language in LANGUAGES}
        self._hostname = hostname
        self._clock = clock
        self._sign = sign

    def by_kind(self) -> Mapping[NoticeKind, Composer]:
        """Return what the worker of the notices takes."""
        return {NoticeKind.KEY: self.key, NoticeKind.KEY_FAILED: self.key_failed}

    def key(self, message: Stored, notice: Notice, raw: bytes | None) -> bytes | None:
        """Tell the sender whom to call with the key; None where the mail reaches nobody of them.

        The row is put with the first delivery, for all: to others it may be on its way still.
        """
        message = message.as_handed_in
        told = _reached(message, notice.recipients)
        if not told:
            return None
        words = self._composers.words(message)
        summary = self._composers.summary(message, raw, told)
        more = {"say": self._sentences(message), "until": _until(message, told, words)}
        title = words.gettext("[Please tell the key] %(subject)s")
        url = self._page(message, notice)
        return self._composers.write(message, notice, "key", title, summary, url, more=more)

    def key_failed(self, message: Stored, notice: Notice, raw: bytes | None) -> bytes | None:
        """Tell the sender whom the key did not reach, why, and what can be done; None where that concerns nobody."""
        message = message.as_handed_in
        there = {row.index for row in message.recipients}
        told = [index for index in notice.recipients if index in there]
        if not told:
            return None
        words = self._composers.words(message)
        summary = self._composers.summary(message, raw, told)
        way, _, why = notice.actor.partition(":")
        more = {"way": way, "why": why_not_sent(why, words), "administrator": why in _OURS}
        title = words.gettext("[The key did not arrive] %(subject)s")
        url = self._page(message, notice)
        return self._composers.write(message, notice, "key_failed", title, summary, url, more=more)

    def second_mail(self, message: Stored, sending: KeySending) -> NewMessage:
        """Return the mail with the key itself, in the language of the mail and then in the others; raises AddressError."""
        now = self._clock()
        notice = Notice(
            sending.recipient, NoticeKind.KEY, message.queue_id, sending.to, (), message.received_at
        )
        octets = self._composers.bare(
            message, notice, SECOND_MAIL, "second_mail", self._told(message, sending)
        )
        return own_mail(message, notice, self._sign(octets), self._hostname, now)

    def _told(self, message: Stored, sending: KeySending) -> dict[str, object]:
        subject = shown(message.subject, SUBJECT)
        words = self._composers.words(message)
        title = (
            words.gettext("Key for the files in: %(subject)s")
            if subject
            else words.gettext("Key for the files")
        )
        sender = shown(str(message.envelope.sender or ""), ADDRESS)
        first = words.language
        texts = [
            _second_text(each, subject, sender, message.received_at)
            for each in sorted(self._words.values(), key=lambda each: each.language != first)
        ]
        return {"subject": title % {"subject": subject}, "key": sending.text, "texts": texts}

    def _page(self, message: Stored, notice: Notice) -> str:
        return self._links.url(message.queue_id, notice.to) + "#keys"

    def _sentences(self, message: Stored) -> list[str]:
        """Return what to say on the telephone, in the language of the letter first."""
        first = message.language.value
        return [
            words.gettext(
                "Hello, I sent you a mail on %(moment)s with protected files. I am calling to tell you the key to them."
            )
            % {"moment": words.moment(message.received_at)}
            for words in sorted(self._words.values(), key=lambda words: words.language != first)
        ]


def _second_text(words: Words, subject: str, sender: str, at: datetime) -> dict[str, str]:
    named = {
        "sender": sender,
        "moment": words.moment(at),
        "subject": subject or words.gettext("(no subject)"),
    }
    return {
        "what": words.gettext(
            "This is the key for the protected files in the mail “%(subject)s” of %(moment)s from %(sender)s."
        )
        % named,
        "then": words.gettext("If you do not know that mail, please delete this one. Replies are not read."),
    }


def _reached(message: Stored, indexes: Sequence[int]) -> list[int]:
    states = {row.index: row.state for row in message.recipients}
    lost = (None, State.CANCELLED, State.BOUNCED)
    return [index for index in indexes if states.get(index) not in lost]


def _until(message: Stored, indexes: Sequence[int], words: Words) -> str:
    """Return until when the page shows the key; empty where that is not known."""
    handlings = [message.decision.of(index).handling for index in indexes]
    spans = [handling.expires for handling in handlings if handling is not None]
    return words.moment(message.received_at + min(spans)) if spans else ""


_OURS = frozenset({"no-carrier", "credentials", "too-many", "unreachable", "answer", "country", "error"})
"""Reasons that are not the recipient's: an administrator can do something about them."""
