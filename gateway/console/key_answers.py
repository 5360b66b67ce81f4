"""What the buttons for keys and links did, in a sentence that is true; `answers` does the same for the mail itself. Pure."""

from __future__ import annotations

from typing import Any

from gateway.console import view
from gateway.console.answers import Answer
from gateway.languages import Words, shown
from gateway.spool.values import Stored

ACTS = frozenset({"supply", "stop-keys", "lock", "unlock", "extend"})


def unpack(value: dict[str, Any], message: Stored, words: Words) -> Answer:
    """Return the sentences for a sealed answer."""
    missing = value.get("missing")
    if missing == "way":
        return Answer((words.gettext("No way for the key is chosen. Nothing was changed."),), warning=True)
    if missing is not None:
        return Answer((words.gettext("No recipient is ticked. Nothing was changed."),), warning=True)
    done, left = int(value["done"]), int(value["left"])
    if value["act"] == "supply":
        return _supplied(done, left, value, message, words)
    return _shared(str(value["act"]), done, left, words)


def _supplied(done: int, left: int, value: dict[str, Any], message: Stored, words: Words) -> Answer:
    wrongs = int(value["wrongs"])
    sentences = [
        words.ngettext(
            "It is settled how the key gets to %(n)s recipient.",
            "It is settled how the key gets to %(n)s recipients.",
            done,
        )
        if done
        else "",
        words.ngettext(
            "%(n)s telephone number is missing, or is none for text messages:",
            "%(n)s telephone numbers are missing, or are none for text messages:",
            wrongs,
        )
        + " "
        + _named(value["wrong"], wrongs, message)
        if wrongs
        else "",
        words.ngettext(
            "For %(n)s it could not be changed: it is settled already, the mail has ended, or this way is not open.",
            "For %(n)s it could not be changed: it is settled already, the mail has ended, or this way is not open.",
            left,
        )
        if left
        else "",
    ]
    return _answer(sentences, wrongs + left > 0, words)


def _named(indexes: list[int], total: int, message: Stored) -> str:
    addresses = {row.index: shown(str(row.address), view.ADDRESS) for row in message.recipients}
    named = [addresses[index] for index in indexes if index in addresses]
    return ", ".join(named) + (", …" if total > len(named) else "")


def _shared(act: str, done: int, left: int, words: Words) -> Answer:
    told = {
        "lock": words.ngettext("Locked for %(n)s recipient.", "Locked for %(n)s recipients.", done),
        "unlock": words.ngettext("Unlocked for %(n)s recipient.", "Unlocked for %(n)s recipients.", done),
        "stop-keys": words.ngettext(
            "The key of %(n)s recipient is not sent.", "The keys of %(n)s recipients are not sent.", done
        ),
        "extend": words.ngettext("Extended for %(n)s recipient.", "Extended for %(n)s recipients.", done),
    }[act]
    rest = {
        "stop-keys": words.ngettext(
            "Too late for %(n)s key: it has been sent.", "Too late for %(n)s keys: they have been sent.", left
        ),
        "lock": words.ngettext(
            "%(n)s was locked or closed before.", "%(n)s were locked or closed before.", left
        ),
        "unlock": words.ngettext(
            "%(n)s was not locked, or is closed.", "%(n)s were not locked, or are closed.", left
        ),
        "extend": words.ngettext(
            "%(n)s could not be extended: it is closed, lasts longer already, or a rule allows no more.",
            "%(n)s could not be extended: they are closed, last longer already, or a rule allows no more.",
            left,
        ),
    }[act]
    return _answer([told if done else "", rest if left else ""], left > 0, words)


def _answer(sentences: list[str], warning: bool, words: Words) -> Answer:
    said = tuple(sentence for sentence in sentences if sentence)
    return Answer(said or (words.gettext("There was nothing left to change."),), warning)
