"""Texts that stand under mails: how a policy file writes them, and what a decision keeps of them.

A decision keeps the texts themselves, in the language they leave in: what was decided is what leaves, also after the file was
changed. A rule asks for a text by its key: its name, with the language behind a colon where the rule says one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from gateway.policy import values
from gateway.policy.bilingual import InBoth, Markup
from gateway.policy.demands import Language
from gateway.policy.values import told
from gateway.values import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Disclaimer:
    """A text as it stands under a mail: `text` in lines, `html` the same for HTML parts (empty: the text, escaped)."""

    key: str
    text: str
    html: str = ""


class Disclaimers(InBoth):
    """A text for people outside, of any number of lines. One language stands for both."""

    ja: values.Paragraphs | None = told("日本語の文面", "the text in Japanese")
    en: values.Paragraphs | None = told("英語の文面", "the text in English")
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
