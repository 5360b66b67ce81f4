"""What is said of a verb for many mails, in sentences: its names, what is asked before, what is told after. Pure.

The count to type stands in what is asked; what a mail tells apart from the others is noted beside it.
"""

from __future__ import annotations

from collections import Counter

from gateway.acting.wish import Verb
from gateway.languages import Words
from gateway.spool.lifecycle import State
from gateway.spool.values import Change


def short_names(words: Words) -> dict[Verb, str]:
    """Return what stands on four buttons beside one another on a phone; what they are about stands before them."""
    _ = words.gettext
    return {
        Verb.CANCEL: _("Cancel"),
        Verb.FREEZE: _("Freeze"),
        Verb.THAW: _("Thaw"),
        Verb.RELEASE: _("Send now"),
    }


def names(words: Words) -> dict[Verb, str]:
    """Return what stands on a page about the verb, and on its button."""
    _ = words.gettext
    return {
        Verb.CANCEL: _("Cancel the chosen mails"),
        Verb.FREEZE: _("Freeze the chosen mails"),
        Verb.THAW: _("Thaw the chosen mails"),
        Verb.RELEASE: _("Send the chosen mails now"),
    }


def question(verb: Verb, mails: int, recipients: int, words: Words) -> str:
    """Ask whether it shall be done to so many."""
    _ = words.gettext
    asked = {
        Verb.CANCEL: _("Cancel %(mails)s for %(recipients)s? This cannot be undone."),
        Verb.FREEZE: _("Freeze %(mails)s for %(recipients)s?"),
        Verb.THAW: _("Thaw %(mails)s for %(recipients)s? The rest of the time runs on."),
        Verb.RELEASE: _("Send %(mails)s to %(recipients)s now? What is sent cannot be taken back."),
    }
    return asked[verb] % _counted(mails, recipients, words)


def summary(verb: Verb, mails: int, recipients: int, words: Words) -> str:
    """Say how many it was done to."""
    _ = words.gettext
    told = {
        Verb.CANCEL: _("Cancelled: %(recipients)s, %(mails)s wholly."),
        Verb.FREEZE: _("Frozen: %(recipients)s, %(mails)s wholly."),
        Verb.THAW: _("Thawed: %(recipients)s, %(mails)s wholly."),
        Verb.RELEASE: _("Released: %(recipients)s, %(mails)s wholly."),
    }
    return told[verb] % _counted(mails, recipients, words)


def _counted(mails: int, recipients: int, words: Words) -> dict[str, str]:
    return {
        "mails": words.ngettext("%(n)s mail", "%(n)s mails", mails),
        "recipients": words.ngettext("%(n)s recipient", "%(n)s recipients", recipients),
    }


def why_not(verb: Verb, frozen: bool, waiting: int, words: Words) -> str:
    """Say why it would change nobody, `waiting` of whom stay held because people are waited for."""
    _ = words.gettext
    if verb is Verb.THAW:
        return _("It is not frozen.")
    if frozen:
        return _("It is frozen.")
    return (
        _("It waits for people: nobody can leave that out.")
        if waiting
        else _("Nothing of it is held any more.")
    )


def stay_held(waiting: int, words: Words) -> str:
    """Say that some stay held, though others would go."""
    return words.ngettext(
        "%(n)s recipient waits for people and stays held.",
        "%(n)s recipients wait for people and stay held.",
        waiting,
    )


def noted(change: Change, words: Words) -> str:
    """Say of one mail for whom it was not done, and why; nothing where it was done for all."""
    states = Counter(state for _, state in change.not_done)
    active, held, perhaps = states[State.ACTIVE], states[State.HELD], len(change.perhaps)
    said = [
        words.ngettext("%(n)s is being sent now.", "%(n)s are being sent now.", active) if active else "",
        words.ngettext("%(n)s stays held.", "%(n)s stay held.", held) if held else "",
        words.ngettext("%(n)s may have arrived already.", "%(n)s may have arrived already.", perhaps)
        if perhaps
        else "",
    ]
    if not change.done and not any(said):
        said.append(words.gettext("There was nothing left to change."))
    return " ".join(sentence for sentence in said if sentence)
