"""What a held mail still waits for, in words: for pages and for notices. A pure step from what is asked and given.

Everything a stranger chose passes `shown` here, so a template cannot forget it.
"""

from __future__ import annotations

from collections.abc import Iterable

from gateway.file_fates import obstacle
from gateway.languages import Words, shown
from gateway.policy.demands import Approval, Confirmation
from gateway.policy.handling import Missing
from gateway.spool.lifecycle import State
from gateway.spool.second_look import WAY, Consent, Look
from gateway.spool.values import Stored
from gateway.values import dataclass

NAME, COMMENT = 320, 500  # characters shown of an address, of a comment
PEOPLE = 10  # approvers named; more help nobody


@dataclass(frozen=True, slots=True)
class Need:
    """One thing that is missing: `what` it is, `who` may do it, what was `said` so far, until when, and what happens then.

    `approval` tells an approval from a confirmation; `recipients` is how many wait for it.
    """

    approval: bool
    what: str
    who: str
    said: tuple[str, ...]
    until: str
    then: str
    recipients: int


def held_by(message: Stored, look: Look) -> list[int]:
    """Return the recipients whom this demand holds now, without copies that nobody knows of."""
    held = {row.index for row in message.recipients if row.state is State.HELD}
    return [index for index in look.shown if index in held and not look.met_for(index)]


def open_looks(message: Stored) -> list[Look]:
    """Return what the mail still waits for."""
    return [look for look in message.looks if held_by(message, look)]


def is_for_way(look: Look) -> bool:
    """Tell whether it is a key's way that is waited for."""
    return isinstance(look.demand, Missing) and look.demand.what == WAY


def needs(message: Stored, words: Words, looks: Iterable[Look] | None = None) -> tuple[Need, ...]:
    """Say what the mail still waits for, or these of its looks."""
    wanted = open_looks(message) if looks is None else looks
    return tuple([_need(message, look, words) for look in wanted])


def said_by(consent: Consent, words: Words, sentence: str) -> str:
    """Write one person's word: `sentence` takes who and when; the comment follows."""
    line = sentence % {"who": shown(consent.person, NAME), "at": words.moment(consent.at)}
    if consent.by:
        line += words.gettext(" (entered by the administrator %(name)s)") % {"name": shown(consent.by, NAME)}
    return f"{line}: {shown(consent.comment, COMMENT)}" if consent.comment else line


def _need(message: Stored, look: Look, words: Words) -> Need:
    approval = isinstance(look.demand, Approval)
    return Need(
        approval=approval,
        what=_what(look, words),
        who=_who(look, words) if approval else "",
        said=tuple(
            [said_by(each, words, words.gettext("%(who)s approved at %(at)s")) for each in look.consents]
        ),
        until=words.moment(look.deadline),
        then=then_of(look, words),
        recipients=len(held_by(message, look)),
    )


def then_of(look: Look, words: Words) -> str:
    """Say what happens at the deadline."""
    if look.demand.otherwise == "release":
        return words.gettext("Then it is sent all the same.")
    return words.gettext("Then it is cancelled.")


def _what(look: Look, words: Words) -> str:
    if isinstance(look.demand, Missing):
        return missing_words(look.demand.what, words)
    if isinstance(look.demand, Confirmation):
        return {
            "recipients": words.gettext("The sender has to tick each recipient."),
            "attachments": words.gettext("The sender has to tick each attachment."),
            "both": words.gettext("The sender has to tick each recipient and each attachment."),
        }[look.demand.items]
    return words.ngettext("%(n)s approval is missing.", "%(n)s approvals are missing.", look.missing)


def missing_words(what: str, words: Words) -> str:
    """Say why files cannot leave protected: `what` is `Missing.what`, "way" or an obstacle."""
    if what == WAY:
        return words.gettext("The sender has to say how the key of the attachments gets to the recipient.")
    said = words.gettext("The files cannot be protected, so the mail is not sent as it is.")
    return said + ("" if words.language == "ja" else " ") + obstacle(what, words).why


def _who(look: Look, words: Words) -> str:
    """Name those who may decide by now, each once."""
    names = list(dict.fromkeys(shown(each.address, NAME) for each in look.approvers()))
    more = len(names) - PEOPLE
    told = ", ".join(names[:PEOPLE])
    return told + words.ngettext(" and %(n)s more", " and %(n)s more", more) if more > 0 else told
