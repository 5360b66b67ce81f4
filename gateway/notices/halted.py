"""What the sender is told when somebody else stopped or froze a mail, or corrected a recipient of it. Pure.

A correction never changes the mail: it says to whom to write anew, and that the wrong recipient does not get this one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from gateway.languages import Words, shown
from gateway.links import Links
from gateway.notices.compose import WHO, Composer, Composers
from gateway.spool.lifecycle import State
from gateway.spool.notice import Notice, NoticeKind
from gateway.spool.second_look import COMMENT
from gateway.spool.values import Stored
from gateway.values import dataclass


@dataclass(frozen=True, slots=True)
class _Told:
    """A letter: its title, what happened, and what to do now."""

    title: str
    happened: Sequence[str]
    to_do: Sequence[str]


class HaltLetters:
    """The composers of this file; `links` leads to the sender's page."""

    def __init__(self, links: Links, composers: Composers) -> None:
        self._links = links
        self._composers = composers

    def by_kind(self) -> Mapping[NoticeKind, Composer]:
        """Return what the worker takes."""
        return {
            NoticeKind.FROZEN: self.frozen,
            NoticeKind.STOPPED_BY_TEAM: self._cancelled(_stopped),
            NoticeKind.FROZEN_TOO_LONG: self._cancelled(_too_long),
            NoticeKind.CORRECTED: self._cancelled(_corrected),
        }

    def frozen(self, message: Stored, notice: Notice, _raw: bytes | None) -> bytes | None:
        """Tell the sender that somebody stopped the timer; None where it runs again."""
        if message.frozen is None:
            return None
        words = self._composers.words(message)
        until = words.moment(message.frozen.until)
        happened = [
            words.gettext("%(who)s froze this mail. It does not leave for now.")
            % {"who": _who(notice, words)}
        ]
        if message.frozen.because:
            happened.append(_reason(message.frozen.because, words))
        to_do = [
            words.gettext("If nobody lets it go on by %(at)s, it is cancelled.") % {"at": until},
        ]
        told = _Told(words.gettext("[Frozen] %(subject)s"), happened, to_do)
        return self._write(message, notice, told, notice.recipients)

    def _cancelled(self, tell: Callable[[Notice, Words], _Told]) -> Composer:
        def compose(message: Stored, notice: Notice, _raw: bytes | None) -> bytes | None:
            """Tell for whom it was cancelled; None where nobody of them is."""
            states = {row.index: row.state for row in message.as_handed_in.recipients}
            gone = [index for index in notice.recipients if states.get(index) is State.CANCELLED]
            if not gone:
                return None
            return self._write(message, notice, tell(notice, self._composers.words(message)), gone)

        return compose

    def _write(self, message: Stored, notice: Notice, told: _Told, indexes: Sequence[int]) -> bytes:
        summary = self._composers.summary(message.as_handed_in, None, indexes)
        url = self._links.url(message.queue_id, notice.to)
        more = {"happened": told.happened, "to_do": told.to_do}
        return self._composers.write(message, notice, "halted", told.title, summary, url, more=more)


def _stopped(notice: Notice, words: Words) -> _Told:
    said = words.gettext("%(who)s stopped this mail. It is not sent to the recipients below.")
    to_do = [words.gettext("If it has to be sent all the same, please send it anew.")]
    title = words.gettext("[Stopped by your team] %(subject)s")
    return _Told(title, [said % {"who": _named(notice.actor, words)}], to_do)


def _too_long(_notice: Notice, words: Words) -> _Told:
    happened = [
        words.gettext(
            "This mail was frozen, and nobody let it go on in time. It was cancelled and is not sent."
        )
    ]
    to_do = [words.gettext("If it has to be sent all the same, please send it anew.")]
    return _Told(words.gettext("[Frozen too long, not sent] %(subject)s"), happened, to_do)


def _corrected(notice: Notice, words: Words) -> _Told:
    meant = shown(notice.actor, WHO)
    happened = [
        words.gettext("The recipient below was wrong and was cancelled. This mail is not sent there.")
    ]
    to_do = [
        words.gettext("Please send the mail again to the right address: %(meant)s") % {"meant": meant},
        words.gettext("Sekisho never changes a mail, and does not send it there by itself."),
    ]
    return _Told(words.gettext("[Please send again] %(subject)s"), happened, to_do)


def _who(notice: Notice, words: Words) -> str:
    return _named(notice.actor, words)


def _named(name: str, words: Words) -> str:
    return shown(name, WHO) if name else words.gettext("Somebody else")


def _reason(because: str, words: Words) -> str:
    return words.gettext("Reason: %(because)s") % {"because": shown(because, COMMENT)}
