"""Texts that stand under mails: how a policy file writes them, and what a decision keeps of them.

A decision keeps the texts themselves, in the language they leave in: what was decided is what leaves, also after the file was
changed. A rule asks for a text by its key: its name, with the language behind a colon where the rule says one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Annotated

from pydantic import AfterValidator

from gateway.policy.bilingual import InBoth
from gateway.policy.demands import Language
from gateway.policy.parts import told
from gateway.policy.values import read_name
from gateway.values import dataclass
from gateway.yaml_source import Hinted

MAX_PARAGRAPHS = 4_000  # characters of a text under a mail
MAX_PARAGRAPH_LINE = (
    200  # characters of a line of it: below the 998 octets of RFC 5322 2.1.1 in every charset
)
MAX_HTML = 16_000  # characters of its HTML

_WHOLE_PAGE = re.compile(r"</?(?:html|head|body|script)\b|<!--", re.IGNORECASE)


@dataclass(frozen=True, slots=True, order=True)
class Disclaimer:
    """A text as it stands under a mail: `text` in lines, `html` the same for HTML parts (empty: the text, escaped)."""

    key: str
    text: str
    html: str = ""


def _name_without_colon(text: str) -> str:
    if ":" in text:
        raise Hinted(f"not a name: {text!r}", "write it without a colon; the language has a key of its own")
    return read_name(text)


def _paragraphs(text: str) -> str:
    lines = [line.rstrip() for line in text.strip("\n").split("\n")]
    clean = all(line.isprintable() and len(line) <= MAX_PARAGRAPH_LINE for line in lines)
    if not text.strip() or len(text) > MAX_PARAGRAPHS or not clean:
        hint = f"write at most {MAX_PARAGRAPHS} characters in lines of at most {MAX_PARAGRAPH_LINE}, without tabs"
        raise Hinted("not a text that can stand under a mail", hint)
    return "\n".join(lines)


def _html(text: str) -> str:
    clean = all(sign.isprintable() or sign in "\n\t" for sign in text)
    if not text.strip() or len(text) > MAX_HTML or not clean or _WHOLE_PAGE.search(text):
        hint = f"write at most {MAX_HTML} characters such as <p>…</p>, without body, script or comments"
        raise Hinted("not a piece of HTML that can stand in a mail", hint)
    return text.strip()


DisclaimerName = Annotated[str, AfterValidator(_name_without_colon)]
Paragraphs = Annotated[str, AfterValidator(_paragraphs)]
Html = Annotated[str, AfterValidator(_html)]


class Markup(InBoth):
    """A piece of HTML. One piece, or one language, stands for both."""

    ja: Html | None = told("日本語のHTML", "the HTML in Japanese")
    en: Html | None = told("英語のHTML", "the HTML in English")


class Disclaimers(InBoth):
    """A text for people outside, of any number of lines. One language stands for both."""

    ja: Paragraphs | None = told("日本語の文面", "the text in Japanese")
    en: Paragraphs | None = told("英語の文面", "the text in English")
    html: Markup | None = told(
        "HTML パート用。なければ文面がそのまま使われる",
        "the same for HTML parts; without it the text is used there, too",
    )

    def in_(self, language: Language, key: str) -> Disclaimer:
        """Return the text in a language, or in the one there is."""
        html = self.html.text().in_(language) if self.html is not None else ""
        return Disclaimer(key, self.text().in_(language), html)


def key_of(name: str, language: Language | None) -> str:
    """Return the key a rule asks by; without a language it means the organisation's."""
    return name if language is None else f"{name}:{language.value}"


def by_key(named: Mapping[str, Disclaimers], language: Language) -> dict[str, Disclaimer]:
    """Return every text under every key that a rule can ask by; `language` is the organisation's."""
    return {
        key: text.in_(chosen or language, key)
        for name, text in named.items()
        for chosen in (None, *Language)
        for key in (key_of(name, chosen),)
    }


def asked_for(known: Mapping[str, Disclaimer], keys: Iterable[str]) -> tuple[Disclaimer, ...]:
    """Return the texts with these keys, in the order of the keys, which is that of the names."""
    return tuple([known[key] for key in sorted(set(keys)) if key in known])
