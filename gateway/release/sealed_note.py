"""The note that stands in a mail whose files were protected: what became of which, where they are, how the key comes. Pure.

In Japanese, then in English: who reads it is somebody else's colleague. The key never stands in it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from html import escape
from typing import NamedTuple
from zoneinfo import ZoneInfo

from gateway.languages import Words, shown
from gateway.policy.handling import Attached
from gateway.policy.protection import How, Way
from gateway.transform.view import Variant
from gateway.values import dataclass

LANGUAGES = ("ja", "en")
MAX_NAMES = 20
"""Names that stand in a note; of more it tells the number."""

MAX_NAME = 80
_SEALED = (How.NATIVE, How.ZIP_AES256, How.ZIP_LEGACY)


class Note(NamedTuple):
    """The text, and the same for HTML parts."""

    text: str
    html: str


@dataclass(frozen=True, slots=True)
class About:
    """What a note tells of: the files of the mail, and for files behind a link its address and until when they are there."""

    variant: Variant
    files: Sequence[Attached]
    url: str = ""
    until: datetime | None = None


def note_of(about: About, zone: ZoneInfo) -> Note:
    """Write the note."""
    told = [list(_told(about, Words(language, zone))) for language in LANGUAGES]
    text = "\n\n".join("\n".join(paragraph) for paragraph in told)
    html = "".join(
        "<p>" + "<br>\n".join(_linked(line, about.url) for line in lines) + "</p>\n" for lines in told
    )
    return Note(f"----\n{text}\n", f"<hr>\n{html}")


def _linked(line: str, url: str) -> str:
    return f'<a href="{escape(url)}">{escape(url)}</a>' if url and line == url else escape(line)


def _told(about: About, words: Words) -> Iterator[str]:
    yield words.gettext("About the attachments of this mail")
    yield from _sealed(about, words)
    yield from _behind_link(about, words)
    blocked = _named(about, words, How.BLOCK)
    if blocked:
        yield words.gettext(
            "Not sent, because the sender's organisation does not let such files out: %(files)s"
        ) % {"files": blocked}


def _sealed(about: About, words: Words) -> Iterator[str]:
    names = _named(about, words, *_SEALED)
    if not names:
        return
    yield words.gettext("Encrypted, to be opened with a key: %(files)s") % {"files": names}
    if about.variant.needs_key:
        yield _by_way(about.variant.keyed.way, words)


def _behind_link(about: About, words: Words) -> Iterator[str]:
    names = _named(about, words, How.LINK)
    if not names or about.until is None:
        return
    yield words.gettext("To be fetched from this page until %(until)s (%(zone)s): %(files)s") % {
        "until": words.moment(about.until),
        "zone": words.zone_name(),
        "files": names,
    }
    yield about.url
    yield words.gettext("The page asks for a code, which it mails to this address.")
    if about.variant.needs_key:
        yield words.gettext("It asks for the key as well.")
        if not _named(about, words, *_SEALED):  # else that was said above
            yield _by_way(about.variant.keyed.way, words)


def _by_way(way: Way | None, words: Words) -> str:
    match way:
        case Way.SENDER:
            return words.gettext(
                "The sender tells you the key by another way than mail, such as the telephone."
            )
        case Way.SMS:
            return words.gettext("The key comes to your telephone as a short message.")
        case Way.PREAGREED:
            return words.gettext("The key is the one that was agreed on with you before.")
        case Way.SECOND_MAIL:
            return words.gettext("The key follows in a mail of its own.")
        case _:
            return words.gettext("Ask the sender for the key.")


def _named(about: About, words: Words, *hows: How) -> str:
    """Return the files of which one of these was done; their number only, where names are to be hidden."""
    places = {place for place, how in about.variant.forms if how in hows}
    names = [each.name for each in about.files if each.place in places]
    if not names:
        return ""
    if about.variant.hide_names:
        return words.ngettext("%(n)s file", "%(n)s files", len(names))
    rest = len(names) - MAX_NAMES
    listed = [shown(name, MAX_NAME) or words.gettext("(without a name)") for name in names[:MAX_NAMES]]
    more = [words.ngettext("%(n)s more file", "%(n)s more files", rest)] if rest > 0 else []
    return ("、" if words.language == "ja" else ", ").join([*listed, *more])
