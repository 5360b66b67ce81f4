"""What the page of an incident says of a press: what it did, or why it did nothing; and the choices of its forms. Pure."""

from __future__ import annotations

from datetime import timedelta

from gateway.languages import Words

EVERY = {"0": None, "2": timedelta(days=2), "3": timedelta(days=3), "7": timedelta(days=7)}
"""What the form may choose: after how long without an answer recipients are reminded; None: never by itself."""


def said_of(did: str, words: Words) -> str | None:
    """Return what a press did."""
    _ = words.gettext
    table = {
        "opened": _("Your report was taken, and what could be stopped was stopped."),
        "amended": _("Corrected."),
        "reported": _("Noted that the report was handed in."),
        "noted": _("Noted."),
        "asked": _("The requests are on their way, one letter each."),
        "reminded": _("The reminders are on their way."),
        "closed-now": _("Closed. Nobody is reminded any more."),
        "reopened": _("Opened again."),
    }
    return table.get(did)


def refusal_of(did: str, words: Words) -> tuple[str, ...]:
    """Return why a press did nothing."""
    _ = words.gettext
    table = {
        "closed": _("This incident is closed. Open it again first."),
        "open": _("This incident is open already."),
        "nobody": _("Nobody was ticked who can be asked now. Nothing was sent."),
        "too-many-notes": _("There are too many notes already."),
        "empty": _("Please write something."),
        "count": _("The number is not that of the letters. Nothing was sent."),
        "no-mail": _("The records of this mail are gone; nobody can be asked any more."),
    }
    return (table[did],) if did in table else ()


def choices(words: Words) -> list[tuple[str, str]]:
    """Return what the form offers of EVERY."""
    return [(key, _every(span, words)) for key, span in EVERY.items()]


def _every(span: timedelta | None, words: Words) -> str:
    if span is None:
        return words.gettext("no reminders by themselves")
    return words.ngettext("after %(n)s day, at most twice", "every %(n)s days, at most twice", span.days)
