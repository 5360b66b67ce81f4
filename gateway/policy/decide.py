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
from gateway.policy.decision import Decision, Outcome, Reason, Watched
from gateway.policy.demands import NOTHING, Demands, Form, join_all, join_all_for_mail
from gateway.policy.disclaimers import asked_for
from gateway.policy.mail import Mail
from gateway.policy.model import Circle, Policy, Rule

_Class = tuple[bool, tuple[bool, ...], tuple[Circle, ...]]


def decide(facts: Facts, policy: Policy, now: datetime) -> Decision:
    """Return what every recipient of the mail gets, and why. Never raises.

    `now` is the time of acceptance, aware.
    """
    mail = Mail(facts, policy.domains, now)
    applying = [rule for rule in policy.rules if rule.applies(mail)]
    rules = [rule for rule in applying if not rule.monitor]
    outcomes, assigned = outcomes_of(
        mail, policy, rules, zip(facts.envelope.recipients, mail.external, strict=True)
    )
    whole = join_all_for_mail([rule.for_mail for rule in rules])
    tells = may_be_told(facts.envelope, policy)
    return Decision(
        digest=policy.digest,
        outcomes=outcomes,
        assigned=assigned,
        refusals=tuple(sorted(whole.refusals)) if whole.refusals else (),
        reasons=tuple([Reason(rule.id, rule.reason) for rule in rules]),
        notify_sender=whole.notify_sender and tells,
        notify=whole.notify,
        internal=policy.internal,
        to_line=policy.to_line,
        tag_names=policy.tag_names,
        language=policy.language,
        bcc_to=whole.bcc_to,
        report_to=whole.report_to,
        watched=tuple([_watched(mail, rule) for rule in applying if rule.monitor]),
        tells_dropped=tells and any(each.demands.drop for each in outcomes),
        tell_left=whole.tell_left and tells,
        colleagues_may_stop=whole.colleagues_may_stop,
        texts=asked_for(policy.disclaimers, (key for o in outcomes for key in o.demands.disclaimers)),
    )


def _watched(mail: Mail, rule: Rule) -> Watched:
    """Return what a rule that only watches would have asked for."""
    asked = [
        demands
        for address, external in zip(mail.facts.envelope.recipients, mail.external, strict=True)
        if (demands := join_all(_asked(mail, rule, external, _hits([rule], address)[0]))) != NOTHING
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
    mail: Mail, policy: Policy, rules: list[Rule], people: Iterable[tuple[Address, bool]]
) -> tuple[tuple[Outcome, ...], tuple[int, ...]]:
    """Return what these rules ask for people, of whom each is external or not: the outcomes, and whose is which."""
    choosy = [rule for rule in rules if any(ask.whom == "matching" for ask in rule.asks)]
    numbers: dict[Outcome, int] = {}
    of_class: dict[_Class, int] = {}
    assigned = []
    for address, external in people:
        kind = (external, _hits(choosy, address), _seats(policy, address) if external else ())
        number = of_class.get(kind)
        if number is None:
            outcome = _outcome(mail, rules, choosy, kind)
            number = of_class[kind] = numbers.setdefault(outcome, len(numbers))
        assigned.append(number)
    return tuple(numbers), tuple(assigned)


def _hits(choosy: list[Rule], address: Address) -> tuple[bool, ...]:
    """Tell for each rule that chooses among the recipients whether it chose this one; in doubt it did."""
    if not choosy:
        return ()
    return tuple([r.matching is not None and r.matching.include(address, in_doubt=True) for r in choosy])


def _seats(policy: Policy, address: Address) -> tuple[Circle, ...]:
    return () if address.ambiguous or not policy.seats else policy.seats.get(address.key, ())


def _outcome(mail: Mail, rules: list[Rule], choosy: list[Rule], kind: _Class) -> Outcome:
    external, hits, circles = kind
    chosen = {rule.id for rule, hit in zip(choosy, hits, strict=True) if hit}
    asking = [
        (rule, asked)
        for rule in rules
        if (asked := join_all(_asked(mail, rule, external, rule.id in chosen))) != NOTHING
    ]
    demands = join_all([asked for _, asked in asking])
    hiding = [rule.file for rule, asked in asking if asked.form > Form.ORIGINAL] if circles else []
    companions = _companions(mail, hiding, circles) if hiding else ()
    return Outcome(external, demands, companions, tuple([rule.id for rule, _ in asking]))


def _asked(mail: Mail, rule: Rule, external: bool, chosen: bool) -> list[Demands]:
    touches = {"all": True, "external": external, "matching": chosen}
    return [ask.of(mail) for ask in rule.asks if touches[ask.whom]]


def _companions(mail: Mail, hiding: list[str], circles: tuple[Circle, ...]) -> tuple[str, ...]:
    """Return whom this recipient may see: only those whom the circles of every hiding rule's own file allow.

    Circles of another file do not count, or adding a file could show people that a floor policy hides. Nor does a Bcc.
    """
    visible = {address.key for address in mail.visible_external if not address.ambiguous} - mail.facts.blind
    for file in set(hiding):
        visible &= frozenset().union(*[circle.members for circle in circles if circle.file == file])
    return tuple(sorted(visible))
