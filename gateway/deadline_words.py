"""What happens to a held mail at every deadline if nobody does anything, and who is away meanwhile, in sentences. Pure.

For pages, notices and the command line alike, so that all of them promise the same. The moments are those of the decision
(calendars are counted in them already) and of `spool/attendance.py`, which the service itself acts by.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime

from gateway.languages import Words, shown
from gateway.policy.demands import Approval, Approver, Confirmation
from gateway.policy.handling import Missing
from gateway.spool.attendance import Absences, Rung, asked_now, back_at, ladder, there
from gateway.spool.lifecycle import State
from gateway.spool.second_look import Look
from gateway.spool.values import Stored
from gateway.values import dataclass
from gateway.waiting import NAME, PEOPLE, is_for_way, open_looks

NOTE = 200  # characters shown of an absence's note
MAX_LINES = (
    40  # sentences of one kind: a page, not a book; rules that ask for more than this say the same again
)


@dataclass(frozen=True, slots=True)
class Outlook:
    """`then`: what happens when, in order. `away`: who may decide and is, or will be, away. `there`: who may decide now and
    is not away, empty where nobody's approval is waited for."""

    then: tuple[str, ...]
    away: tuple[str, ...] = ()
    there: str = ""


def outlook(message: Stored, words: Words, now: datetime) -> Outlook:
    """Say what comes, and who is there for it. `message` is as `spool.get` gave it, with `absences`."""
    looks, absences = open_looks(message), message.absences
    said = [each for look in looks for each in _of_look(look, absences, message, words, now)]
    said += _by_time(message, bool(looks), words, now)
    said += _frozen(message, words)
    approvals = [look for look in looks if isinstance(look.demand, Approval)]
    return Outlook(
        then=tuple(dict.fromkeys(sentence for _, sentence in sorted(said)))[:MAX_LINES],
        away=tuple(dict.fromkeys(_away(approvals, absences, words, now)))[:MAX_LINES],
        there=_there(approvals, absences, words, now),
    )


def names(people: Iterable[str], words: Words) -> str:
    """Name people, as many as help anybody."""
    told = [shown(person, NAME) for person in dict.fromkeys(people)]
    more = len(told) - PEOPLE
    listed = ", ".join(told[:PEOPLE])
    return listed + words.ngettext(" and %(n)s more", " and %(n)s more", more) if more > 0 else listed


_Said = tuple[datetime, str]


def _of_look(look: Look, absences: Absences, message: Stored, words: Words, now: datetime) -> Iterator[_Said]:
    if isinstance(look.demand, Approval):
        yield from _steps(look, absences, message, words, now)
    yield from _reminders(look, message, words, now)
    yield look.deadline, _at_the_end(look, words)


def _steps(look: Look, absences: Absences, message: Stored, words: Words, now: datetime) -> Iterator[_Said]:
    for rung in ladder(look, absences, message.received_at, now):
        yield rung.at, _rung(replace(look, step=rung.step), rung, words, now)
    for each in look.approvers():
        if now < each.since < look.deadline:
            told = words.gettext("From %(at)s on, %(who)s is asked as a proxy as well.")
            yield each.since, told % {"at": words.moment(each.since), "who": names([each.address], words)}


def _rung(look: Look, rung: Rung, words: Words, now: datetime) -> str:
    people = [each.address for each in _people(look) if each.may_at(rung.at)]
    who = names(people, words) or words.gettext("nobody")
    told = {"at": words.moment(rung.at), "who": who}
    if not rung.early:
        return words.gettext("If it is not approved by %(at)s, %(who)s is asked as well.") % told
    if rung.at > now:
        return (
            words.gettext(
                "From %(at)s on, too few approvers are there. If it is not approved by then, %(who)s is asked as well."
            )
            % told
        )
    return words.gettext("Too few approvers are there now, so %(who)s is asked as well at once.") % told


def _people(look: Look) -> Iterator[Approver]:
    if isinstance(look.demand, Approval):
        yield from look.demand.steps[look.step].approvers


def _reminders(look: Look, message: Stored, words: Words, now: datetime) -> Iterator[_Said]:
    if isinstance(look.demand, Missing):
        return
    sentence = (
        words.gettext("At %(at)s those who have not approved yet are reminded.")
        if isinstance(look.demand, Approval)
        else words.gettext("At %(at)s the sender is reminded.")
    )
    for span in look.demand.remind:
        at = message.received_at + span
        if now < at < look.deadline:
            yield at, sentence % {"at": words.moment(at)}


def _at_the_end(look: Look, words: Words) -> str:
    """Say what happens when the time is over."""
    _ = words.gettext
    released = not isinstance(look.demand, Missing) and look.demand.otherwise == "release"
    if isinstance(look.demand, Approval):
        sentence = (
            _("If it is not decided by %(at)s, it is sent without the approval, and the sender is told.")
            if released
            else _("If it is not decided by %(at)s, it is cancelled, and the sender is told.")
        )
    elif isinstance(look.demand, Confirmation):
        sentence = (
            _("If the sender does not confirm it by %(at)s, it is sent all the same, and the sender is told.")
            if released
            else _("If the sender does not confirm it by %(at)s, it is cancelled, and the sender is told.")
        )
    elif is_for_way(look):
        sentence = _(
            "If the sender does not say by %(at)s how the key is told, it is cancelled, and the sender is told."
        )
    else:
        sentence = _("Unless its files can be protected, it is cancelled at %(at)s, and the sender is told.")
    return sentence % {"at": words.moment(look.deadline)}


def _by_time(message: Stored, waits: bool, words: Words, now: datetime) -> Iterator[_Said]:
    """Say when what waits for time alone leaves, and before when nothing leaves whatever people say."""
    ends: dict[datetime, int] = {}
    kept: list[datetime] = []
    for row in message.recipients:
        if row.state is not State.HELD:
            continue
        if row.due_at is not None:
            ends[row.due_at] = ends.get(row.due_at, 0) + 1
        elif waits:
            kept.append(message.window_ends(row.index, now))
    for at, count in sorted(ends.items())[:MAX_LINES]:
        sentence = words.gettext("It is sent at %(at)s (recipients: %(n)s). Until then it can be cancelled.")
        yield at, sentence % {"at": words.moment(at), "n": count}
    if kept and (latest := max(kept)) > now:
        sentence = words.gettext("Even with everything confirmed and approved, it is not sent before %(at)s.")
        yield latest, sentence % {"at": words.moment(latest)}


def _frozen(message: Stored, words: Words) -> Iterator[_Said]:
    """Say what becomes of a mail whose timer somebody stopped; the deadlines of people go on."""
    if message.frozen is not None:
        sentence = words.gettext(
            "It is frozen. If nobody lets it go on by %(at)s, it is cancelled, and the sender is told."
        )
        yield message.frozen.until, sentence % {"at": words.moment(message.frozen.until)}


def _away(looks: list[Look], absences: Absences, words: Words, now: datetime) -> Iterator[str]:
    for look in looks:
        asked = set(asked_now(look, now))
        for absence in sorted(absences):
            if absence.person not in asked or absence.until <= now or absence.since >= look.deadline:
                continue
            until = back_at(absence.person, absences, max(absence.since, now)) or absence.until
            told = {"who": shown(absence.person, NAME), "until": words.moment(until)}
            if absence.since <= now:
                sentence = words.gettext("%(who)s is away until %(until)s.") % told
            else:
                told["since"] = words.moment(absence.since)
                sentence = words.gettext("%(who)s will be away from %(since)s until %(until)s.") % told
            yield f"{sentence} {shown(absence.note, NOTE)}".rstrip()


def _there(looks: list[Look], absences: Absences, words: Words, now: datetime) -> str:
    if not looks:
        return ""
    people = [person for look in looks for person in there(look, absences, now)]
    if not people:
        return words.gettext("Of those who may approve, nobody is there now.")
    return words.gettext("May approve now: %(who)s") % {"who": names(people, words)}
