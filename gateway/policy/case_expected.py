"""What a case expects, and how a decision differs from it. Only what is written down is compared, and a refusal always."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator

from gateway.message.address import parse_path
from gateway.message.envelope import Envelope
from gateway.policy import values
from gateway.policy.actions.attachments import ProtectWord, WayWord
from gateway.policy.case_given import Lines, read_path
from gateway.policy.decision import Decision, Outcome
from gateway.policy.demands import NO_TIME, Form
from gateway.policy.handling import Handling
from gateway.policy.parts import Part, told
from gateway.units import format_duration, parse_duration


def _any_number(value: object) -> object:
    """Take a single text for a list of one; an empty list says that nothing is expected."""
    return [value] if isinstance(value, str) else value


AnyNumber = Annotated[tuple[str, ...], BeforeValidator(_any_number)]
KeyBy = WayWord | Literal["nobody-knows", "no-key"]
Forms = Annotated[tuple[ProtectWord, ...], BeforeValidator(_any_number)]
Wait = Annotated[timedelta, BeforeValidator(parse_duration)]


class ExpectedRecipient(Part):
    """What one recipient is to get. `hold: 0s` is at once; `sees` are the external people it may see.

    `firm` is the part of the window that the sender cannot waive; `waive: nobody` says that it is all of it.
    """

    hold: Wait | None = told("保留時間。`0s` はすぐに", "how long it waits; `0s` is at once")
    firm: Wait | None = told("だれも短縮できない部分", "the part that nobody can waive")
    waive: Literal["sender", "reason", "nobody"] | None = told(
        "短縮できる人: `sender`、`reason`、`nobody`",
        "who may waive the window: `sender`, `reason` (with one) or `nobody`",
    )
    form: Literal["original", "bcc", "individual"] | None = told(
        "届く形: `original`(元のまま)、`bcc`、`individual`",
        "the form it gets: `original`, `bcc` or `individual`",
    )
    sees: AnyNumber | None = told("見える外部の宛先", "external people who stay visible")
    tags: dict[str, str] | None = told("加わるヘッダー欄", "the header fields that are added")
    drop: values.Flag | None = told("`true`: この宛先には届けない", "`true`: does not get it")
    route: Lines | None = told("次の中継先", "the next hops that rules ask for")
    confirm: AnyNumber | None = told(
        "送信者が確認するもの: `recipients`、`attachments`、`both`。何もなければ `[]`",
        "what its sender has to tick: `recipients`, `attachments` or `both`; `[]` for nothing",
    )
    approve: AnyNumber | None = told(
        "承認を求めるルールの `id`。なければ `[]`",
        "the ids of the rules that want an approval; `[]` for none",
    )
    disclaimers: AnyNumber | None = told(
        "本文の下に付く文面(`confidential`、`confidential:en`)",
        "the texts that rules ask for (`confidential`, `confidential:en`)",
    )
    attachments: Forms | None = told(
        "添付ファイルの形: `native`、`link` など。そのままなら `[]`",
        "what becomes of the files: `native`, `zip-aes256`, `link`, ...; `[]` where they stay as they are",
    )
    key_by: KeyBy | None = told(
        "鍵の伝え方。決まらず送信者を待つときは `nobody-knows`、鍵がなければ `no-key`",
        "by which way the key gets there: `sms`, `sender`, ...; `nobody-knows` where it waits for the sender to say, `no-key` "
        "where none is needed",
    )
    obstacle: str | None = told(
        "保護できずに保留される理由(`signed`、`unclear` など)。なければ空",
        'why the files cannot be protected and the mail is held: `signed`, `unclear`, ...; `""` for nothing',
    )


class Expected(Part):
    """The outcome. `refused` is false, true, or the id of the rule that refuses; `rules` are all that apply."""

    refused: bool | values.RuleId = told(
        "`false`(既定)、`true`、または拒否するルールの `id`",
        "`false` (default), `true`, or the id of the rule that refuses",
        False,
    )
    recipients: dict[Annotated[str, AfterValidator(read_path)], ExpectedRecipient] = told(
        "宛先ごとの結果。書いたものだけを比べます",
        "what each address is to get; only what is written is compared",
        {},
    )
    rules: AnyNumber | None = told("適用されるルールのすべて", "all rules that apply")
    watched: AnyNumber | None = told(
        "試行中(`monitor`)で、適用されたはずのルール", "the rules that only watch and would apply"
    )
    notify: AnyNumber | None = told("通知される人のすべて", "everybody who is told")
    tell_left: values.Flag | None = told(
        "送信が済んだことを送信者に知らせるか", "whether the sender is told that the mail has left"
    )
    colleagues_may_stop: values.Flag | None = told(
        "内部の受信者が外部への送信を止められるか", "whether recipients inside can stop the rest"
    )
    bcc_to: AnyNumber | None = told("控えを受け取る人のすべて", "everybody who gets a copy")
    report_to: AnyNumber | None = told("報告を受け取る人のすべて", "everybody who gets the report")


def differences(expect: Expected, envelope: Envelope, decision: Decision) -> Iterator[str]:
    """Yield a sentence for each difference."""
    yield from _refusal(expect.refused, decision)
    if expect.rules is not None:
        applied = [reason.rule for reason in decision.reasons]
        yield from _differ("rules", sorted(expect.rules), sorted(applied))
    if expect.notify is not None:
        told = [*decision.notify, *(["sender"] if decision.notify_sender else [])]
        yield from _differ("notify", sorted(expect.notify), sorted(told))
    if expect.tell_left is not None:
        yield from _differ("tell_left", expect.tell_left, decision.tell_left)
    if expect.colleagues_may_stop is not None:
        yield from _differ("colleagues_may_stop", expect.colleagues_may_stop, decision.colleagues_may_stop)
    for key, wanted, asked in (
        ("bcc_to", expect.bcc_to, decision.bcc_to),
        ("report_to", expect.report_to, decision.report_to),
        ("watched", expect.watched, [each.rule for each in decision.watched]),
    ):
        if wanted is not None:
            yield from _differ(key, sorted(wanted), sorted(asked))
    numbers = {address.key: index for index, address in enumerate(envelope.recipients)}
    for text, expected in expect.recipients.items():
        index = numbers.get(parse_path(text).key)
        if index is None:
            yield f"{text}: is no recipient of this mail"
        else:
            yield from _recipient(text, expected, decision.of(index))


def _refusal(expected: bool | str, decision: Decision) -> Iterator[str]:
    refusing = [refusal.rule for refusal in decision.refusals]
    if isinstance(expected, str):
        met, wanted = expected in refusing, f"a refusal by {expected}"
    else:
        met, wanted = bool(refusing) is expected, "a refusal" if expected else "no refusal"
    if not met:
        yield f"expected {wanted}, got {', '.join(refusing) or 'none'}"


def _recipient(text: str, expected: ExpectedRecipient, outcome: Outcome) -> Iterator[str]:
    for key, got in _got(outcome).items():
        wanted = getattr(expected, key)
        if wanted is not None:
            yield from _differ(f"{text}: {key}", _comparable(wanted), got)


def _got(outcome: Outcome) -> dict[str, object]:
    """Return what a recipient gets, by the keys of `ExpectedRecipient` and in the form in which they are compared."""
    demands = outcome.demands
    nobody = demands.firm == demands.window and demands.window > NO_TIME
    reason = demands.reasoned == demands.window and demands.window > NO_TIME
    return {
        "hold": format_duration(demands.window),
        "firm": format_duration(demands.firm),
        "waive": "nobody" if nobody else "reason" if reason else "sender",
        "form": form_name(demands.form),
        "sees": sorted(outcome.companions),
        "tags": sorted(demands.tags),
        "drop": demands.drop,
        "route": sorted(demands.routes),
        "confirm": sorted({each.items for each in demands.confirm}),
        "approve": sorted({each.rule for each in demands.approvals}),
        "disclaimers": sorted(demands.disclaimers),
        "attachments": sorted({how.word for _, how in outcome.handling.forms} if outcome.handling else ()),
        "key_by": _key_by(outcome.handling),
        "obstacle": outcome.handling.obstacle if outcome.handling is not None else "",
    }


def _key_by(handling: Handling | None) -> str:
    if handling is not None and handling.way is not None:
        return handling.way.value
    return "nobody-knows" if handling is not None and handling.needs_key else "no-key"


def _comparable(wanted: object) -> object:
    if isinstance(wanted, timedelta):
        return format_duration(wanted)
    if isinstance(wanted, dict):
        return sorted(wanted.items())
    return sorted(wanted) if isinstance(wanted, tuple) else wanted


def _differ(what: str, expected: object, got: object) -> Iterator[str]:
    if expected != got:
        yield f"{what}: expected {_show(expected)}, got {_show(got)}"


def _show(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(_show(v) for v in value) or "nothing"
    return ": ".join(value) if isinstance(value, tuple) else str(value) or "nothing"


def form_name(form: Form) -> str:
    """Return the word policies use for a form."""
    return form.name.lower()
