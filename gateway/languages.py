"""Words for people: gettext catalogues compiled in memory, times and sizes in the reader's way of writing.

English is the source language: a message without an entry is shown as it stands in the code. Every other
language has one catalogue, gateway/locale/<language>/LC_MESSAGES/sekisho.po; a test proves that it is
complete and holds nothing unused. Nothing here knows a policy or a message: `shown` is how text that a
stranger chose gets onto a page or into a notice.
"""

from __future__ import annotations

import unicodedata
from datetime import UTC, datetime, timedelta
from functools import cache, lru_cache
from gettext import GNUTranslations, NullTranslations
from io import BytesIO
from pathlib import Path
from zoneinfo import ZoneInfo

from babel.dates import format_datetime, get_timezone_name
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

SOURCE_LANGUAGE = "en"
LANGUAGES = {"ja": "日本語", "en": "English"}
_CATALOGUES = Path(__file__).parent / "locale"
_MOMENT = {"ja": "M月d日(E) HH:mm", "en": "EEE d MMM, HH:mm"}
_MOMENTS = 4_096  # written moments kept, about 1 MiB: mails of one burst share a few minutes
_UNITS = ("B", "KB", "MB", "GB")


@cache
def catalogue(language: str) -> NullTranslations:
    """Return the compiled catalogue of a language; raises KeyError on one that Sekisho does not speak."""
    if language not in LANGUAGES:
        raise KeyError(language)
    if language == SOURCE_LANGUAGE:
        return NullTranslations()
    compiled = BytesIO()
    with (_CATALOGUES / language / "LC_MESSAGES" / "sekisho.po").open("rb") as source:
        write_mo(compiled, read_po(source, locale=language))
    compiled.seek(0)
    return GNUTranslations(compiled)


class Words:
    """One language and one time zone: what a page or a notice is written with."""

    def __init__(self, language: str, zone: ZoneInfo) -> None:
        self.language = language
        self.zone = zone
        self.catalogue = catalogue(language)

    def gettext(self, message: str) -> str:
        """Return the message in this language."""
        return self.catalogue.gettext(message)

    def ngettext(self, singular: str, plural: str, n: int) -> str:
        """Return the form of the message that fits `n`, with `%(n)s` filled in."""
        return self.catalogue.ngettext(singular, plural, n) % {"n": n}

    def moment(self, at: datetime) -> str:
        """Write a moment in local time: `11月21日(土) 14:05`, `Sat 21 Nov, 14:05`."""
        return _moment(int(at.timestamp() // 60), self.zone, self.language)

    def zone_name(self) -> str:
        """Name the time zone that moments are written in: `日本時間`."""
        return str(get_timezone_name(self.zone, locale=self.language))

    def duration(self, span: timedelta) -> str:
        """Write a span in its two largest units, rounded down to minutes: `1時間30分`; below a minute it says
        so."""
        minutes = int(span.total_seconds()) // 60
        if minutes < 1:
            return self.gettext("less than a minute")
        days, hours, minutes = minutes // 1440, minutes // 60 % 24, minutes % 60
        parts = [
            self.ngettext("%(n)s day", "%(n)s days", days) if days else "",
            self.ngettext("%(n)s hour", "%(n)s hours", hours) if hours else "",
            self.ngettext("%(n)s minute", "%(n)s minutes", minutes) if minutes else "",
        ]
        return ("" if self.language == "ja" else " ").join([part for part in parts if part][:2])


@lru_cache(_MOMENTS)
def _moment(minute: int, zone: ZoneInfo, language: str) -> str:
    at = datetime.fromtimestamp(minute * 60, UTC)
    return str(format_datetime(at, _MOMENT[language], tzinfo=zone, locale=language))


def size(octets: int) -> str:
    """Write a size the way file managers do: `812 B`, `1.4 MB`."""
    value, unit = float(octets), 0
    while value >= 1000 and unit < len(_UNITS) - 1:
        value, unit = value / 1024, unit + 1
    return f"{octets} B" if unit == 0 else f"{value:.1f} {_UNITS[unit]}"


def shown(text: str, limit: int) -> str:
    """Return one line of at most `limit` characters that looks like what it is.

    Line breaks, other controls, surrogates and the characters that reorder text (a name such as `gpj.exe`
    read backwards) become a replacement character: whoever chose the text does not get to lay out our page.
    """
    line = text[: limit + 1]
    if not line.isprintable():  # nothing that has to be replaced is
        line = "".join(map(_visible, line))
    line = " ".join(line.split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


def _visible(char: str) -> str:
    if char in "\t\r\n\u2028\u2029":
        return " "
    if char in "\u200c\u200d":  # joiners: parts of names and of emoji
        return char
    return "\N{REPLACEMENT CHARACTER}" if unicodedata.category(char) in ("Cc", "Cf", "Cs", "Co") else char
