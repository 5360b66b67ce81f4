"""What an approver sees, as plain values: a pure step from the message, what is asked of this person, and the preview."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from gateway.console import view
from gateway.languages import Words, shown
from gateway.policy.demands import Approval
from gateway.spool.second_look import Look, Said, is_sender
from gateway.spool.values import Stored
from gateway.transform.preview import Preview
from gateway.values import dataclass
from gateway.waiting import Need, needs, open_looks, said_by


@dataclass(frozen=True, slots=True)
class Told:
    """The sentence that answers a button, and whether somebody should be worried."""

    sentences: tuple[str, ...]
    warning: bool = False


@dataclass(frozen=True, slots=True)
class ApprovalPage:
    """One message as one approver sees it now. `asked` is whether this person's word still counts for something.

    `own` is what this person has said, `past` what was decided by anybody; `mail` are the facts, as the sender sees them.
    """

    mail: view.Page
    asked: bool
    person: str
    needs: tuple[Need, ...]
    others: tuple[Need, ...]
    past: tuple[str, ...]
    waits: bool


def build(message: Stored, seen: Preview, person: str, words: Words, now: datetime) -> ApprovalPage:
    """Return the page for this moment."""
    waiting = open_looks(message)
    theirs = [look for look in waiting if _asks(look, person, message, now)]
    others = [look for look in waiting if look not in theirs]
    return ApprovalPage(
        mail=view.build(message, seen, words, now),
        asked=bool(theirs),
        person=shown(person, view.ADDRESS),
        needs=needs(message, words, theirs),
        others=needs(message, words, others),
        past=_past(message, words),
        waits=bool(waiting),
    )


def told(act: str, said: Said, missing: int, words: Words) -> Told:
    """Return the sentence for what became of this person's word."""
    _ = words.gettext
    if said is Said.COUNTED and act == "reject":
        return Told(
            (_("You rejected this mail. It is not sent to these recipients, and the sender is told."),)
        )
    if said is Said.COUNTED:
        rest = words.ngettext("%(n)s more approval is needed.", "%(n)s more approvals are needed.", missing)
        return Told((_("Your approval counts."), *([rest] if missing else [])))
    sentence = {
        Said.AGAIN: _("You approved this mail before. Each person counts once."),
        Said.OVER: _("Too late: nothing waits for your decision any more."),
        Said.NOT_ASKED: _("You are not among those who may decide now."),
        Said.OWN_MAIL: _("This is your own mail. Nobody approves a mail of their own."),
    }[said]
    return Told((sentence,), warning=True)


def asked_of(message: Stored, people: Iterable[str], now: datetime) -> list[Look]:
    """Return what waits for the word of one of these (keys of one person's addresses), and has none of theirs."""
    theirs = list(people)
    return [
        look
        for look in open_looks(message)
        if any(_asks(look, person, message, now) for person in theirs)
        and not any(each.person in theirs for each in look.consents)
    ]


def _asks(look: Look, person: str, message: Stored, now: datetime) -> bool:
    """Tell whether this person may decide on it now, and has not approved it."""
    if not isinstance(look.demand, Approval) or now >= look.deadline or is_sender(person, message.envelope):
        return False
    given = any(each.person == person for each in look.consents)
    return look.may_decide(person, now) and not given


def _past(message: Stored, words: Words) -> tuple[str, ...]:
    lines = []
    for look in message.looks:
        if look.rejected is not None:
            lines.append(said_by(look.rejected, words, words.gettext("%(who)s rejected at %(at)s")))
        if look.met_at is not None:
            lines += [
                said_by(each, words, words.gettext("%(who)s approved at %(at)s")) for each in look.consents
            ]
    return tuple(dict.fromkeys(lines))
