"""Decide about one mail: pure, total, and the same whatever order the rules stand in.

Every rule that matches applies; their demands are joined per recipient, so a rule can only ever add
(docs/decisions/0003-rules-only-add.md). Recipients are put into classes first and each class is worked out once, so that
a mail to 40,000 people costs little more than looking at each address.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from gateway.message.address import Address
from gateway.message.envelope import Envelope
from gateway.message.facts import Facts
from gateway.policy.decision import Decision, Outcome, Watched
from gateway.policy.demands import NOTHING, Form, join_all
from gateway.policy.disclaimers import Disclaimer, asked_for
from gateway.policy.joined import Joined, Kind, asked_by
from gateway.policy.mail import Mail
from gateway.policy.model import Circle, Policy, Rule

_Class = tuple[Kind, tuple[Circle, ...]]


def decide(facts: Facts, policy: Policy, now: datetime) -> Decision:
    """Return what every recipient of the mail gets, and why. Never raises.

    `now` is the time of acceptance, aware.
    """
    mail = Mail(facts, policy.domains, now)
    joined = policy.joined.of([rule for rule in policy.rules if rule.applies(mail)])
    outcomes, assigned = outcomes_of(
        mail, policy, joined, zip(facts.envelope.recipients, mail.external, strict=True)
    )
    whole = joined.whole
    tells = may_be_told(facts.envelope, policy)
    return Decision(
        digest=policy.digest,
        outcomes=outcomes,
        assigned=assigned,
        refusals=joined.refusals,
        reasons=joined.reasons,
        notify_sender=whole.notify_sender and tells,
        notify=whole.notify,
        internal=policy.internal,
        to_line=policy.to_line,
        tag_names=policy.tag_names,
        language=policy.language,
        bcc_to=whole.bcc_to,
        report_to=whole.report_to,
        watched=tuple([_watched(mail, rule) for rule in joined.watching]) if joined.watching else (),
        tells_dropped=tells and any(each.demands.drop for each in outcomes),
        tell_left=whole.tell_left and tells,
        colleagues_may_stop=whole.colleagues_may_stop,
        texts=_texts(policy, outcomes) if policy.disclaimers else (),
    )


def _texts(policy: Policy, outcomes: Iterable[Outcome]) -> tuple[Disclaimer, ...]:
    return asked_for(policy.disclaimers, (key for each in outcomes for key in each.demands.disclaimers))


def _watched(mail: Mail, rule: Rule) -> Watched:
    """Return what a rule that only watches would have asked for."""
    asked = [
        demands
        for address, external in zip(mail.facts.envelope.recipients, mail.external, strict=True)
        if (demands := asked_by(rule, mail, external=external, chosen=_chooses(rule, address))) != NOTHING
    ]
    return Watched(rule.id, len(asked), join_all(asked), rule.for_mail)


def may_be_told(envelope: Envelope, policy: Policy) -> bool:
    """Tell whether the sender is one of us: signed in, or inside.

    A stranger whose mail a trusted relay brings would learn from a hold notice whom an alias stands for, and could
    cancel the mail.
    """
    inside = envelope.sender is not None and policy.domains.matches(envelope.sender)
    return inside or envelope.client.authenticated


def outcomes_of(
    mail: Mail, policy: Policy, joined: Joined, people: Iterable[tuple[Address, bool]]
) -> tuple[tuple[Outcome, ...], tuple[int, ...]]:
    """Return what these rules ask for people, of whom each is external or not: the outcomes, and whose is which."""
    choosy, seats = joined.choosy, policy.seats
    classes: list[_Class] = []
    for address, external in people:
        hits = tuple([_chooses(rule, address) for rule in choosy]) if choosy else ()
        circles = seats.get(address.key, ()) if seats and external and not address.ambiguous else ()
        classes.append(((external, hits), circles))
    of_class = {each: _outcome(mail, joined, each) for each in dict.fromkeys(classes)}
    if len(of_class) == 1:
        return tuple(of_class.values()), (0,) * len(classes)
    numbers = {outcome: number for number, outcome in enumerate(dict.fromkeys(of_class.values()))}
    places = {each: numbers[outcome] for each, outcome in of_class.items()}
    return tuple(numbers), tuple([places[each] for each in classes])


def _chooses(rule: Rule, address: Address) -> bool:
    """Tell whether a rule that chooses among the recipients chose this one; in doubt it did."""
    return rule.matching is not None and rule.matching.include(address, in_doubt=True)


def _outcome(mail: Mail, joined: Joined, kind: _Class) -> Outcome:
    alike, circles = kind
    outcome = joined.outcome(mail, alike)
    if not circles or outcome.demands.form is Form.ORIGINAL:
        return outcome
    return Outcome(
        outcome.external,
        outcome.demands,
        _companions(mail, joined.hiding(mail, alike), circles),
        outcome.rules,
    )


def _companions(mail: Mail, hiding: Iterable[str], circles: tuple[Circle, ...]) -> tuple[str, ...]:
    """Return whom this recipient may see: only those whom the circles of every hiding rule's own file allow.

    Circles of another file do not count, or adding a file could show people that a floor policy hides. Nor does a Bcc.
    """
    visible = {address.key for address in mail.visible_external if not address.ambiguous} - mail.facts.blind
    for file in hiding:
        visible &= frozenset().union(*[circle.members for circle in circles if circle.file == file])
    return tuple(sorted(visible))
