"""Turn checked policy files into a `Policy`. Everything that can be wrong was found before (load.py)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from gateway.message.domains import DomainSet
from gateway.policy import schema
from gateway.policy.conditions import Circles, Senders, Test, build
from gateway.policy.decision import NO_TIME, Demands, Form, Language, Refusal, ToLine
from gateway.policy.model import Ask, Circle, Policy, Rule
from gateway.policy.people import People

_FORMS = {"bcc": Form.BCC, "individual": Form.INDIVIDUAL}


def compile_policy(files: Mapping[str, schema.PolicyFile], digest: str) -> Policy:
    """Build the policy of all files together; exactly one of them has the organisation."""
    organisation = next(f.organisation for f in files.values() if f.organisation is not None)
    circles = {name: frozenset(m) for f in files.values() for name, m in f.circles.items()}
    senders = {name: group.senders for f in files.values() for name, group in f.groups.items()}
    rules = [_rule(rule, name, circles, senders) for name, f in files.items() for rule in f.rules]
    return Policy(
        digest=digest,
        organisation=organisation.name,
        internal=organisation.internal,
        domains=DomainSet(organisation.internal),
        to_line=ToLine(organisation.to_line.group),
        language=Language(organisation.language),
        rules=tuple(sorted(rules, key=lambda rule: rule.id)),
        seats=_seats(files),
        tag_names=frozenset(
            name.lower() for rule in rules for ask in rule.asks for name, _ in ask.demands.tags
        ),
    )


def _seats(files: Mapping[str, schema.PolicyFile]) -> dict[str, tuple[Circle, ...]]:
    seats: dict[str, tuple[Circle, ...]] = {}
    for name, file in files.items():
        for members in file.circles.values():
            circle = Circle(name, frozenset(members))
            for key in circle.members:
                seats[key] = (*seats.get(key, ()), circle)
    return seats


def _rule(rule: schema.Rule, file: str, circles: Circles, senders: Senders) -> Rule:
    wanted = rule.when.recipient if rule.when is not None else None
    notify = frozenset(rule.then.notify or ())
    return Rule(
        id=rule.id,
        file=file,
        reason=rule.reason.text(),
        applies=_applies(rule, circles, senders),
        asks=tuple(_asks(rule.then)),
        matching=People(wanted) if wanted is not None else None,
        refusal=Refusal(rule.id, rule.then.refuse.text()) if rule.then.refuse is not None else None,
        notify_sender="sender" in notify,
        notify=notify - {"sender"},
    )


def _applies(rule: schema.Rule, circles: Circles, senders: Senders) -> Test:
    when = build(rule.when, circles, senders, in_doubt=True) if rule.when is not None else _always
    if rule.unless is None:
        return when
    unless = build(rule.unless, circles, senders, in_doubt=False)
    return lambda mail: when(mail) and not unless(mail)


def _always(_mail: object) -> bool:
    return True


def _asks(then: schema.Action) -> Iterator[Ask]:
    if then.hold is not None:
        window = then.hold.window
        firm = window if then.hold.waive == "nobody" else NO_TIME
        yield Ask(then.hold.for_, Demands(window=window, firm=firm))
    if then.recipients is not None:
        hide_internal = then.recipients.internal == "hide"
        form = _FORMS[then.recipients.form]
        yield Ask(then.recipients.for_, Demands(form=form, hide_internal=hide_internal))
    if then.tag is not None:
        yield Ask("all", Demands(tags=frozenset(then.tag.items())))
