"""Which rule asked for what, of how many recipients, and why, as plain values. Pure.

The reasons are those of the rules' authors; what they ask is what the decision says, never what a policy says today.
"""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

from gateway.console import view
from gateway.languages import Words, shown
from gateway.policy.decision import Decision, Outcome
from gateway.policy.demands import NO_TIME, Demands, Form, Language
from gateway.policy.protection import How
from gateway.spool.values import Stored
from gateway.values import dataclass

RULES = 100  # listed; a policy of more rules that all apply to one mail helps nobody
NAME = 100  # characters of a rule's id
WATCHED = 20


@dataclass(frozen=True, slots=True)
class RuleLine:
    """One rule: its reason, whom it concerns, and what it alone asks for."""

    rule: str
    reason: str
    recipients: int
    asks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Class:
    """What all rules together make of one class of recipients."""

    outside: bool
    recipients: int
    gets: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Why:
    """`watched` are rules that only watch: what they would have asked was not done."""

    rules: tuple[RuleLine, ...]
    classes: tuple[Class, ...]
    watched: tuple[str, ...]


def why(message: Stored, words: Words) -> Why:
    """Return the section; recipients that the reader does not hear of are not counted."""
    decision = message.decision
    counts = Counter(decision.assigned[row.index] for row in message.recipients)
    known = {each.rule: each.text.in_(Language(words.language)) for each in decision.reasons}
    concerned: Counter[str] = Counter()
    for number, count in counts.items():
        concerned.update(dict.fromkeys(decision.outcomes[number].rules, count))
    rules = [
        RuleLine(
            rule=shown(rule, NAME),
            reason=shown(known.get(rule, rule), view.REASON),
            recipients=count,
            asks=tuple(dict.fromkeys(_asks(rule, decision, counts, words))),
        )
        for rule, count in list(concerned.items())[:RULES]
    ]
    classes = [_class(decision.outcomes[number], count, words) for number, count in counts.items()]
    return Why(tuple(rules), tuple(classes), tuple([shown(w.rule, NAME) for w in decision.watched[:WATCHED]]))


def _asks(rule: str, decision: Decision, counts: Counter[int], words: Words) -> list[str]:
    """Say what a rule asks for by itself, where the decision remembers whose wish it was."""
    said: list[str] = []
    for number in counts:
        demands = decision.outcomes[number].demands
        said += [_approval(each.at_least, words) for each in demands.approvals if each.rule == rule]
        said += [_confirmation(words) for each in demands.confirm if each.rule == rule]
        said += [_protection(each.how, words) for each in demands.protections if each.rule == rule]
    return said


def _class(outcome: Outcome, count: int, words: Words) -> Class:
    return Class(outcome.external, count, tuple(_gets(outcome.demands, words)))


def _gets(demands: Demands, words: Words) -> list[str]:
    _ = words.gettext
    if demands.drop:
        return [_("Does not get the mail.")]
    said = [_time(demands.window, demands.firm, words)]
    if demands.form is not Form.ORIGINAL:
        said.append(_("Recipients do not see one another's addresses."))
    said += [_approval(each.at_least, words) for each in sorted(demands.approvals)]
    if demands.confirm:
        said.append(_confirmation(words))
    said += [_protection(each.how, words) for each in sorted(demands.protections)]
    if demands.tags:
        said.append(_("Header fields are added."))
    if demands.disclaimers:
        said.append(_("A text stands under the mail."))
    return list(dict.fromkeys(said))


def _time(window: timedelta, firm: timedelta, words: Words) -> str:
    if window <= NO_TIME:
        return words.gettext("No time to wait.")
    span = {"span": words.duration(window)}
    if firm >= window:
        return words.gettext("Held for %(span)s, which the sender cannot shorten.") % span
    return words.gettext("Held for %(span)s.") % span


def _approval(at_least: int, words: Words) -> str:
    return words.ngettext("Needs %(n)s approval.", "Needs %(n)s approvals.", at_least)


def _confirmation(words: Words) -> str:
    return words.gettext("The sender has to confirm, ticking one by one.")


def _protection(how: How, words: Words) -> str:
    _ = words.gettext
    if how is How.LINK:
        return _("Files wait on the download page.")
    if how is How.BLOCK:
        return _("Files are left out.")
    return _("Files leave encrypted.")
