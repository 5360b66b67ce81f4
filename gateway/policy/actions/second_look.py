"""`confirm` and `approve`: the mail waits until its sender has ticked what it goes to, or until somebody else agrees.

Neither can wait for ever: each says within which span, and what happens then. Both belong to the lattice as sets of values
(demands.py), so all confirmations and approvals that any rule asks for have to be met.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema

from gateway.message.same_person import is_among, senders_of
from gateway.policy import values
from gateway.policy.actions.ask import Ask, Whom
from gateway.policy.calendars import Calendar, deadline, next_open, until
from gateway.policy.conditions.context import Context
from gateway.policy.demands import NO_TIME, NOTHING, Approval, Approver, Confirmation, Demands, Step
from gateway.policy.mail import Mail
from gateway.policy.parts import Part, Short, told
from gateway.policy.people import read_address

DAY = timedelta(days=1)  # how long a mail waits for people where the rule does not say
MAX_STEPS = 8  # escalations of one approval
MAX_REMINDERS = 8  # of one step: who needs more reads none of them
OWN_APPROVERS = "approvers"  # in `by` and `to`: those of the group that the rule asks for with `sender_in`

Otherwise = Literal["cancel", "release"]


def _deciders(text: str) -> str:
    return read_address(text) if "@" in text else text


def _one_or_many(value: object) -> object:
    return (value,) if isinstance(value, dict) else value


Deciders = Annotated[
    tuple[Annotated[values.Name, AfterValidator(_deciders)], ...], values.OneOrMany, values.FEW_OR_ONE
]

Remind = Annotated[
    tuple[values.Window, ...],
    values.OneOrMany,
    Field(max_length=MAX_REMINDERS),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string"},
                {"type": "array", "items": {"type": "string"}, "maxItems": MAX_REMINDERS},
            ]
        }
    ),
]

_FOR = (
    "だれの分が待つか: `external`(既定)、`all`、`matching`(このルールの `recipient` 条件の宛先)",
    "whose copies wait: `external` (default), `all`, or `matching`: the recipients that the rule's own `recipient` condition "
    "names",
)


class Confirm(Short):
    """The sender ticks each recipient, each attachment, or both."""

    short = "items"

    items: Literal["recipients", "attachments", "both"] = told(
        "送信者が一つずつ確認するもの: `recipients`(宛先)、`attachments`(添付)、`both`(両方)",
        "what the sender has to tick one by one: `recipients`, `attachments` or `both`",
        ...,
    )
    within: values.Window = told(
        "いつまでに(既定 `24h`)", "how long it waits for that: `24h` by default", DAY
    )
    otherwise: Otherwise = told(
        "時間切れのとき: `cancel`(取消、既定)、`release`(送信)",
        "what happens then: `cancel` (default) or `release`",
        "cancel",
    )
    remind: Remind = told(
        "まだ確認がないとき、受付からこの時間の後に送信者へ再度知らせる: `4h`、またはそのリスト",
        "how long after the mail came its sender is told again, if nothing was ticked: `4h`, or a list of these",
        (),
    )
    calendar: values.Name | None = told(
        "`remind` を、このカレンダーの開いている時間だけで数える。閉まっている間は知らせない",
        "`remind` counts in the open hours of this calendar only: nobody is reminded while it is closed",
    )
    for_: Whom = told(*_FOR, "external", "for")


class Escalation(Part):
    """Who may decide as well after a while."""

    to: Deciders = told(
        "加わる承認者: グループ名、アドレス、`approvers`",
        "who may decide as well from then on: as in `by`",
        ...,
    )
    after: values.Window = told("受付からの時間", "how long after the mail came", ...)


class Approve(Short):
    """Somebody other than the sender agrees."""

    short = "by"

    by: Deciders = told(
        "承認者: グループ名(その `approvers`)、アドレス、または `approvers`(`sender_in` のグループの承認者)",
        "who decides: the name of a group (its `approvers`), addresses, or `approvers`: those of the group in `sender_in`; "
        "never the sender",
        ...,
    )
    at_least: Annotated[values.Count, Field(ge=1)] = told(
        "必要な人数(既定 `1`)", "how many of them have to approve: `1` by default", 1
    )
    within: values.Window = told(
        "いつまでに(既定 `24h`)", "how long it waits for that: `24h` by default", DAY
    )
    otherwise: Otherwise = told(
        "時間切れのとき: `cancel`(取消、既定)、`release`(送信)",
        "what happens then: `cancel` (default) or `release`",
        "cancel",
    )
    escalate: Annotated[
        tuple[Escalation, ...], BeforeValidator(_one_or_many), Field(max_length=MAX_STEPS)
    ] = told(
        "不在なら: `{to: …, after: 1h}`、またはそのリスト",
        "who may decide as well after a while, because nobody did: `{to: …, after: 1h}`, or a list of these",
        (),
    )
    remind: Remind = told(
        "各段階で依頼してからこの時間の後、承認できる人のうちまだ承認していない人に再度知らせる: `30m`、またはそのリスト",
        "how long after each step began those who may decide and have not are told again: `30m`, or a list of these",
        (),
    )
    calendar: values.Name | None = told(
        "`within`、`after`、`remind` を、このカレンダーの開いている時間だけで数える",
        "`within`, `after` and `remind` count in the open hours of this calendar only; nobody is reminded while it is closed",
    )
    for_: Whom = told(*_FOR, "external", "for")


class SecondLookKeys(Part):
    """The keys that make mail wait for people."""

    confirm: Confirm | None = told(
        "送信者が宛先・添付を一つずつ確認するまで待つ",
        "the mail waits until the sender has ticked what it goes to",
    )
    approve: Approve | None = told("承認されるまで待つ", "the mail waits until somebody else approves it")


def asks(keys: SecondLookKeys, rule: str, context: Context) -> Iterator[Ask]:
    """Yield the confirmation and the approval; the sender of a mail is never among its approvers."""
    if (confirm := keys.confirm) is not None:
        wanted = Confirmation(rule, confirm.items, confirm.within, confirm.otherwise, confirm.remind)
        hours = context.calendars[confirm.calendar] if confirm.calendar is not None else None
        yield Ask(confirm.for_, worked_out=lambda mail: _confirmed(wanted, hours, mail))
    if keys.approve is not None:
        approval = approval_of(keys.approve, rule, context)
        office = context.calendars[keys.approve.calendar] if keys.approve.calendar is not None else None
        yield Ask(keys.approve.for_, worked_out=lambda mail: _approved(approval, office, mail))


def approval_of(approve: Approve, rule: str, context: Context) -> Approval:
    """Return what the rule asks for, with everybody by name, whoever the sender is."""
    wanted = [(NO_TIME, approve.by), *((each.after, each.to) for each in approve.escalate)]
    steps = [Step(after, people(names, context)) for after, names in sorted(wanted, key=lambda s: s[0])]
    return Approval(
        rule=rule,
        name=", ".join(context.own_group if name == OWN_APPROVERS else name for name in approve.by),
        at_least=approve.at_least,
        within=approve.within,
        otherwise=approve.otherwise,
        steps=tuple(steps),
        remind=approve.remind,
    )


def people(names: tuple[str, ...], context: Context) -> tuple[Approver, ...]:
    """Return the approvers that addresses and names of groups stand for; a name nobody defined stands for none."""
    found: set[Approver] = set()
    for name in names:
        group = context.own_group if name == OWN_APPROVERS else name
        found.update([Approver(name)] if "@" in name else context.approvers.get(group, ()))
    return tuple(sorted(found))


def _confirmed(wanted: Confirmation, hours: Calendar | None, mail: Mail) -> Demands:
    """Ask for ticks on attachments only where there are, or may be, some."""
    if wanted.items == "attachments" and not mail.facts.attachments and not mail.facts.unclear:
        return NOTHING
    remind = reminders(mail.now, [NO_TIME], wanted.remind, wanted.within, hours)
    return Demands(confirm=frozenset([replace(wanted, remind=remind)]))


def _approved(approval: Approval, office: Calendar | None, mail: Mail) -> Demands:
    """Leave the sender out: by the envelope, by From, and by the account; count the spans in the calendar's open hours."""
    own = senders_of(mail.facts.envelope, mail.facts.authors)
    steps = [
        Step(
            deadline(mail.now, step.after, office),
            tuple([a for a in step.approvers if not is_among(a.address, own)]),
        )
        for step in approval.steps
    ]
    within = deadline(mail.now, approval.within, office)
    remind = reminders(mail.now, [step.after for step in approval.steps], approval.remind, within, office)
    asked = replace(approval, within=within, steps=tuple(steps), remind=remind)
    return Demands(approvals=frozenset([asked]))


def reminders(
    now: datetime,
    begins: Iterable[timedelta],
    spans: Iterable[timedelta],
    within: timedelta,
    office: Calendar | None,
) -> tuple[timedelta, ...]:
    """Return when people are reminded, as spans from `now`: each of `spans` after each step began, while the office is open.

    `begins` are as the policy writes them. A reminder that would come with the end, or after it, helps nobody: it is left out.
    """
    wanted = {begin + span for begin in begins for span in spans}
    found = {_while_open(now, deadline(now, span, office), office) for span in wanted}
    return tuple(sorted(span for span in found if NO_TIME < span < within))


def _while_open(now: datetime, span: timedelta, office: Calendar | None) -> timedelta:
    """Move what falls on the closing minute to the next opening."""
    return span if office is None else until(now, next_open(office, now + span))
