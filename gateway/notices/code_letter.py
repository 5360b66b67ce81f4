"""The letter with a one-time code, to a recipient whose files wait behind a link.

It says which mail it is about by its sender and time, in both languages: nobody knows which one a stranger reads. It names no
file and holds no link: who reads this letter alone can open nothing with it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from zoneinfo import ZoneInfo

from gateway.languages import LANGUAGES, Words, shown
from gateway.message.address import parse_path
from gateway.notices.compose import Composer
from gateway.notices.letter import Author, Letter, to_octets
from gateway.notices.summary import ADDRESS
from gateway.notices.wording import Wording
from gateway.spool.notice import Notice, NoticeKind
from gateway.spool.shares_codes import VALID
from gateway.spool.values import Stored
from gateway.values import dataclass

CodeOf = Callable[[Notice], str | None]


@dataclass(frozen=True, slots=True)
class _Said:
    """What the letter says in one language."""

    language: str
    about: str
    until: str
    careful: str


class CodeLetters:
    """Composes them; `code_of` opens what stands in the outbox row."""

    def __init__(
        self, code_of: CodeOf, zone: ZoneInfo, author: Author, wording: Wording | None = None
    ) -> None:
        self._code_of = code_of
        self._author = author
        self._wording = wording or Wording(zone)
        self._words = self._wording.words

    def by_kind(self) -> Mapping[NoticeKind, Composer]:
        """Return what the worker takes."""
        return {NoticeKind.CODE: self.code}

    def code(self, message: Stored, notice: Notice, _raw: bytes | None) -> bytes | None:
        """Tell a recipient the code; None where it cannot be opened any more: they ask for another one."""
        code = self._code_of(notice)
        if code is None:
            return None
        first = message.language.value
        languages = [first, *(language for language in LANGUAGES if language != first)]
        subjects = [self._words[language].gettext("Code for fetching files") for language in languages]
        values = {
            "code": code,
            "said": [self._said(self._words[language], message, notice) for language in languages],
            "subject": " / ".join(subjects),
            "language": first,
        }
        said = self._wording.say("code", first, values)
        letter = Letter(
            kind=notice.kind.value,
            queue_id=message.queue_id,
            notice_id=notice.notice_id,
            language=first,
            subject=said.subject,
            text=said.text,
            html=said.html,
        )
        return to_octets(letter, self._author, parse_path(notice.to), notice.created_at)

    def _said(self, words: Words, message: Stored, notice: Notice) -> _Said:
        sender = message.envelope.sender
        who = shown(str(sender), ADDRESS) if sender is not None else words.gettext("(unknown)")
        about = words.gettext(
            "This code is for fetching the files of a mail from %(who)s of %(at)s (%(zone)s)."
        )
        until = words.gettext(
            "Enter it on the page that the link in that mail opens, before %(at)s. It works once."
        )
        careful = words.gettext(
            "If you did not ask for it, ignore this mail. Please tell the code to nobody."
        )
        at = words.moment(message.received_at)
        return _Said(
            words.language,
            about % {"who": who, "at": at, "zone": words.zone_name()},
            until % {"at": words.moment(notice.created_at + VALID)},
            careful,
        )
