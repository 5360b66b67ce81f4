"""What a letter says: its templates filled in, ours or those that an organisation put in their place.

Whatever goes wrong with a template of theirs, the letter is written with ours: nobody goes without a notice because somebody
else mistyped. Which files they may write, and what has to stand in them, is in own_templates.py and required.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfo

import structlog
from jinja2 import Environment

from gateway import metrics
from gateway.languages import LANGUAGES, Words, shown
from gateway.notices.required import missing_from
from gateway.templates import templates_in

FOLDER = Path(__file__).parent / "templates"
SUBJECT = 250  # characters of a subject that an organisation's template makes
MAX_TEXT = 1 << 20  # characters of one form of a letter: five times the longest of ours

Values = Mapping[str, object]

log = structlog.get_logger()


class Said(NamedTuple):
    """One letter in its two forms."""

    subject: str
    text: str
    html: str


class TooLong(ValueError):
    """A template made more than a letter may hold."""


class Form:
    """The templates of one letter in one environment; `subject` names the template of the subject, where there is one."""

    def __init__(self, environment: Environment, name: str, subject: str | None = None) -> None:
        self._environment = environment
        self._name = name
        self._subject = subject

    def say(self, values: Values) -> Said:
        """Fill it in; raises what the templates raise, TooLong."""
        subject = str(values["subject"])
        if self._subject is not None:
            subject = shown(self._environment.get_template(self._subject).render(values), SUBJECT) or subject
        text = closed_up(self._environment.get_template(f"{self._name}.txt").render(values))
        html = self._environment.get_template(f"{self._name}.html").render(values)
        if max(len(text), len(html)) > MAX_TEXT:
            raise TooLong(f"more than {MAX_TEXT} characters")
        return Said(subject, text, html)


Forms = Mapping[tuple[str, str], Form]
"""An organisation's own letters, by name and language: those alone that are good."""


class Wording:
    """Says every letter, in the language of each; `adopt` takes an organisation's own."""

    def __init__(self, zone: ZoneInfo, own: Forms | None = None) -> None:
        self.words = {language: Words(language, zone) for language in LANGUAGES}
        self._ours = {language: templates_in(FOLDER, words) for language, words in self.words.items()}
        self._own = own or {}

    def adopt(self, own: Forms) -> None:
        """Say these letters as they are from now on, and all others as ours."""
        self._own = own

    def say(self, name: str, language: str, values: Values) -> Said:
        """Return the letter `name`; `values` hold its `subject`."""
        own = self._own.get((name, language))
        return (own and _tried(own, name, language, values)) or Form(self._ours[language], name).say(values)


def _tried(own: Form, name: str, language: str, values: Values) -> Said | None:
    """Return what an organisation's templates say, None where they fail for this mail or lose what has to be there."""
    try:
        said = own.say(values)
        lost = lost_by(name, values, said)
    except Exception as error:  # a template is somebody's program
        log.error("notice-template-failed", template=name, language=language, cause=str(error))
    else:
        if not lost:
            return said
        log.error("notice-template-loses", template=name, language=language, lost=lost)
    metrics.TEMPLATES_FAILED.inc()
    return None


def lost_by(name: str, values: Values, said: Said) -> list[str]:
    """Return the required variables that one of the two forms does not show."""
    forms = (
        missing_from(name, values, said.text, html=False),
        missing_from(name, values, said.html, html=True),
    )
    return [variable for lost in forms for variable in lost]


def closed_up(text: str) -> str:
    """Leave no two empty lines one after another: what a template leaves out leaves some."""
    while "\n\n\n" in text:
        text = text.replace("\n\n\n", "\n\n")
    return text
