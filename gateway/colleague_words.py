"""The note under a colleague's copy: that the mail is held before it leaves for outside, and the link that stops it.

In Japanese, then in English, whatever the mail's language is: who reads it is a colleague, and reads one of them. It is true
at any time: a copy that was sent again is read when nothing is held any more. Pure.
"""

from __future__ import annotations

from html import escape
from zoneinfo import ZoneInfo

from gateway.languages import Words
from gateway.policy.disclaimers import Disclaimer

_ZONE = ZoneInfo("UTC")  # the note names no time: it is read hours later, too
_LANGUAGES = ("ja", "en")


def note(url: str, outside: int) -> Disclaimer:
    """Return the text for a copy with this link; `outside` recipients wait."""
    told = [_told(Words(language, _ZONE), url, outside) for language in _LANGUAGES]
    text = "\n\n".join("\n".join(lines) for lines in told)
    html = "\n".join("<p>" + "<br>\n".join(_linked(line, url) for line in lines) + "</p>" for lines in told)
    return Disclaimer("", f"----\n{text}", f"<hr>\n{html}")


def _told(words: Words, url: str, outside: int) -> list[str]:
    return [
        words.ngettext(
            "For you only: this mail is held before it leaves for its %(n)s recipient outside.",
            "For you only: this mail is held before it leaves for its %(n)s recipients outside.",
            outside,
        ),
        words.gettext("If you see a mistake before it has left, you can stop it on this page:"),
        url,
        words.gettext("Please remove these lines before you reply or forward."),
    ]


def _linked(line: str, url: str) -> str:
    return f'<a href="{escape(url)}">{escape(url)}</a>' if line == url else escape(line)
