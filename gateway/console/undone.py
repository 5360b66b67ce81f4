"""Why nothing was done to one mail of many, in words."""

from __future__ import annotations

from gateway.acting.each import Undone
from gateway.languages import Words


def undone(why: Undone, words: Words) -> str:
    """Say why nothing is known to be done to a mail."""
    _ = words.gettext
    return {
        Undone.GONE: _("It is not there any more, or your account may not do this with it."),
        Undone.UNREADABLE: _(
            "Not done: what is stored of this mail is damaged. Please tell your administrator."
        ),
        Undone.STORE: _(
            "The store did not answer: please look at this mail again before you rely on anything."
        ),
    }[why]
