"""Cases: mails written down beside a policy, with the outcome its author expects. Pure; `sekisho policy test` runs them.

A case's mail becomes real octets and goes the same way as mail that arrives: gather, then decide. Only what `expect` names
is compared, except a refusal: a mail that is refused unexpectedly is always a difference.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BeforeValidator, RootModel, model_validator

from gateway.message.address import Address, parse_path
from gateway.message.address_list import parse_mailboxes
from gateway.message.envelope import Client, Envelope
from gateway.message.facts import Facts
from gateway.message.gather import gather
from gateway.message.header import split
from gateway.policy import values
from gateway.policy.case_content import CaseFile, CaseInside, content_of, domains_of, look_alikes_of
from gateway.policy.case_history import CaseHistory, evidence_of, reply_fields
from gateway.policy.case_mail import MAX_ATTACHMENT, wire_form, write_mail
from gateway.policy.decide import decide
from gateway.policy.decision import Decision, Outcome
from gateway.policy.demands import NO_TIME, Form
from gateway.policy.model import Policy
from gateway.policy.values import told
from gateway.units import format_duration, parse_duration
from gateway.yaml_source import Hinted, load, validate

CASE_TIME = datetime(2026, 1, 5, 10, 0)  # noqa: DTZ001 - by the clocks of the policy's zone: a Monday in office hours
_CLIENT = Client(ip="192.0.2.1", helo="client.example.com")


def _attachment_size(size: int) -> int:
    if size > MAX_ATTACHMENT:
        raise Hinted(f"an attachment of {size} octets in a case", f"write at most {MAX_ATTACHMENT >> 20}MiB")
    return size


def _moment(value: object) -> datetime:
    if isinstance(value, datetime):
        return value
    try:
        at = datetime.fromisoformat(str(value).strip())
    except ValueError:
        raise Hinted(f"not a date and time: {value!r}", "write it as 2026-05-03T10:00") from None
    if not 2000 <= at.year <= 2099:
        raise Hinted(f"a time far away: {value!r}", "write a year from 2000 to 2099")
    return at


def _path(text: str) -> str:
    return text if text in ("", "<>") else str(parse_path(text))


def _any_number(value: object) -> object:
    """Take a single text for a list of one; an empty list says that nothing is expected."""
    return [value] if isinstance(value, str) else value


Lines = Annotated[tuple[str, ...], BeforeValidator(values.one_or_many)]
Moment = Annotated[datetime, BeforeValidator(_moment)]
Wait = Annotated[timedelta, BeforeValidator(parse_duration)]


class CaseAttachment(CaseFile):
    """A file that hangs on the case's mail."""

    name: str = told("ファイル名", "the file's name", ...)
    size: Annotated[values.Octets, AfterValidator(_attachment_size)] = told(
        "大きさ(例 `20KiB`)", "its size, such as `20KiB`", 16
    )


class CaseMail(CaseHistory, CaseInside):
    """A mail. `to` and `cc` stand in its header; the envelope holds `to`, `cc` and `bcc` unless it is written out.

    `at` is when it arrives: 2026-05-03T10:00.
    """

    from_: str = told(
        "From 欄。`file` か `raw` があれば不要",
        "the From field; required, but with `file` or `raw`",
        "",
        "from",
    )
    envelope_from: Annotated[str, AfterValidator(_path)] | None = told(
        'エンベロープの差出人(`from` の代わり)。なしは `"<>"`',
        'the sender of the envelope, instead of `from`; `"<>"` for none',
    )
    to: Lines = told("To 欄", "the To field", ())
    cc: Lines = told("Cc 欄", "the Cc field", ())
    bcc: Lines = told(
        "どの欄にも見えないエンベロープの宛先", "recipients of the envelope that no field shows", ()
    )
    envelope: values.Addresses | None = told(
        "エンベロープの宛先(`to`、`cc`、`bcc` の代わり)",
        "the recipients of the envelope, instead of `to`, `cc` and `bcc`",
    )
    subject: str = told("件名", "the subject", "")
    at: Moment | None = told(
        "受け付けた日時(組織の時間帯)。既定は月曜日の10時",
        "when it arrives, in the organisation's time zone: `2026-05-03T10:00`; without it a Monday at 10:00",
    )
    raw: str | None = told(
        "メール全体(ヘッダーと本文)。`from`、`to` などの代わり",
        "the whole mail, header section and all, instead of `from`, `to` and the like; its sender and recipients are the "
        "envelope's unless `envelope` and `envelope_from` are written out",
    )
    file: str | None = told(
        "メール全体のファイル(`.eml`)。場所は cases ファイルから見たもの",
        "a file that holds the whole mail, seen from the file of the cases: `mails/bulk.eml`",
    )
    attachments: tuple[CaseAttachment, ...] = told("添付ファイル", "the attached files", ())
    header: dict[values.FieldName, str] = told(
        "そのほかのヘッダー欄、または壊れた欄: `{To: a@example.com; b@example.com}`",
        "further header fields, or broken ones: `{To: a@example.com; b@example.com}`",
        {},
    )

    @model_validator(mode="after")
    def _one_mail(self) -> Self:
        whole = [key for key in ("file", "raw") if getattr(self, key) is not None]
        if not whole and not self.from_:
            raise Hinted("the key from is missing", "write from:, raw: or file:")
        beside = self.model_fields_set & {"from_", "to", "cc", "subject", "body", "attachments", "header"}
        if len(whole) == 2:
            raise Hinted("the mail stands in `file` and in `raw`", "write one of the two")
        if whole and beside:
            raise Hinted(
                f"the mail stands in `{whole[0]}`", "write beside it only envelope:, envelope_from: and bcc:"
            )
        return self

    def with_file(self, octets: bytes) -> CaseMail:
        """Return the same with the mail that its file holds."""
        return self.model_copy(update={"raw": octets.decode("utf-8", "surrogateescape")})


class ExpectedRecipient(values.Part):
    """What one recipient is to get. `hold: 0s` is at once; `sees` are the external people it may see.

    `firm` is the part of the window that the sender cannot waive; `waive: nobody` says that it is all of it.
    """

    hold: Wait | None = told("保留時間。`0s` はすぐに", "how long it waits; `0s` is at once")
    firm: Wait | None = told("だれも短縮できない部分", "the part that nobody can waive")
    waive: Literal["sender", "nobody"] | None = told(
        "短縮できる人: `sender`、`nobody`", "who may waive the window: `sender` or `nobody`"
    )
    form: Literal["original", "bcc", "individual"] | None = told(
        "届く形: `original`(元のまま)、`bcc`、`individual`",
        "the form it gets: `original`, `bcc` or `individual`",
    )
    sees: tuple[str, ...] | None = told("見える外部の宛先", "external people who stay visible")
    tags: dict[str, str] | None = told("加わるヘッダー欄", "the header fields that are added")
    drop: values.Flag | None = told("`true`: この宛先には届けない", "`true`: does not get it")
    route: Lines | None = told("次の中継先", "the next hops that rules ask for")
    disclaimers: Annotated[tuple[str, ...], BeforeValidator(_any_number)] | None = told(
        "本文の下に付く文面(`confidential`、`confidential:en`)",
        "the texts that rules ask for (`confidential`, `confidential:en`)",
    )


class Expected(values.Part):
    """The outcome. `refused` is false, true, or the id of the rule that refuses; `rules` are all that apply."""

    refused: bool | values.RuleId = told(
        "`false`(既定)、`true`、または拒否するルールの `id`",
        "`false` (default), `true`, or the id of the rule that refuses",
        False,
    )
    recipients: dict[Annotated[str, AfterValidator(_path)], ExpectedRecipient] = told(
        "宛先ごとの結果。書いたものだけを比べます",
        "what each address is to get; only what is written is compared",
        {},
    )
    rules: tuple[str, ...] | None = told("適用されるルールのすべて", "all rules that apply")
    notify: tuple[str, ...] | None = told("通知される人のすべて", "everybody who is told")
    bcc_to: Annotated[tuple[str, ...], BeforeValidator(_any_number)] | None = told(
        "控えを受け取る人のすべて", "everybody who gets a copy"
    )
    report_to: Annotated[tuple[str, ...], BeforeValidator(_any_number)] | None = told(
        "報告を受け取る人のすべて", "everybody who gets the report"
    )


class Case(values.Part):
    """One mail and what is to become of it."""

    name: values.Sentence = told("何を確かめるか", "what the case is about", ...)
    mail: CaseMail = told("メール", "the mail", ...)
    expect: Expected = told("期待する結果", "the outcome expected", ...)


class _Cases(RootModel[tuple[Case, ...]]):
    """A `*.cases.yaml` file: a list of cases."""


@dataclass(frozen=True, slots=True)
class Result:
    """How a case went: no difference is a pass."""

    name: str
    differences: tuple[str, ...]


def load_cases(text: str, file: str) -> tuple[Case, ...]:
    """Read a file of cases; raises `Problems`."""
    return validate(_Cases, load(text, file)).root


def run_case(case: Case, policy: Policy, facts: Facts | None = None) -> Result:
    """Send the case's mail through the policy and compare; `facts` as for `decided`."""
    decision = decided(case, policy, facts)
    return Result(case.name, tuple(_differences(case.expect, envelope_of(case.mail), decision)))


def decided(case: Case, policy: Policy, facts: Facts | None = None) -> Decision:
    """Return what the policy decides about the case's mail; `facts` are those of it, where somebody looked further into it."""
    return decide(facts_of(case.mail) if facts is None else facts, policy, arrives_at(case.mail, policy))


def arrives_at(mail: CaseMail, policy: Policy) -> datetime:
    """Return when the case's mail is accepted, aware; what a case writes is the time in the organisation's time zone."""
    at = mail.at or CASE_TIME
    return at if at.tzinfo is not None else at.replace(tzinfo=policy.zone)


def facts_of(mail: CaseMail) -> Facts:
    """Return the facts of the case's mail, as they would be gathered of it."""
    facts = gather(envelope_of(mail), octets_of(mail))
    recipients = facts.envelope.recipients
    evidence = replace(
        evidence_of(mail, facts),
        content=content_of(mail, [(file.name, file) for file in mail.attachments], facts),
        domains=domains_of(mail, recipients),
        look_alikes=look_alikes_of(recipients, _known_domains(mail, facts)),
    )
    return replace(facts, evidence=evidence)


def _known_domains(mail: CaseMail, facts: Facts) -> list[str]:
    """Return the domains of those who write and of those to whom mail was delivered before."""
    return [*(a.domain for a in facts.authors), *(text.rpartition("@")[2] for text in mail.known)]


def octets_of(mail: CaseMail) -> bytes:
    """Return the mail as it would come over the wire; raises ValueError where nobody read its file."""
    if mail.raw is not None:
        return wire_form(mail.raw.encode("utf-8", "surrogateescape"))
    if mail.file is not None:
        raise ValueError(f"the mail in {mail.file} was not read")
    fields = {"From": mail.from_, "To": ", ".join(mail.to), "Cc": ", ".join(mail.cc), "Subject": mail.subject}
    attachments = [(a.name, a.size) for a in mail.attachments]
    written = {**{k: v for k, v in fields.items() if v}, **reply_fields(mail, mail.header), **mail.header}
    return write_mail(written, attachments, mail.body or None)


def envelope_of(mail: CaseMail) -> Envelope:
    """Return the envelope the mail would come in."""
    if mail.envelope is not None:
        recipients = tuple(parse_path(text) for text in mail.envelope)
    else:
        shown = (*_named(mail, "to"), *_named(mail, "cc")) if mail.raw is not None else (*mail.to, *mail.cc)
        recipients = tuple(a for text in (*shown, *mail.bcc) for a in _addresses(text))
    distinct = tuple({address.key: address for address in recipients}.values())
    client = replace(_CLIENT, account="case") if mail.authenticated else _CLIENT
    return Envelope(_sender(mail), distinct, client)


def _sender(mail: CaseMail) -> Address | None:
    if mail.envelope_from is not None:
        return parse_path(mail.envelope_from) if mail.envelope_from not in ("", "<>") else None
    authors = _named(mail, "from") if mail.raw is not None else [mail.from_]
    return next((address for text in authors for address in _addresses(text)), None)


def _named(mail: CaseMail, field: str) -> list[str]:
    """Return what stands in the fields of that name of a whole mail."""
    header, _ = split(octets_of(mail))
    return [found.value.decode("utf-8", "surrogateescape") for found in header.all(field)]


def _addresses(text: str) -> list[Address]:
    return [mailbox.address for mailbox in parse_mailboxes(text.encode("utf-8", "surrogateescape")).items]


def _differences(expect: Expected, envelope: Envelope, decision: Decision) -> Iterator[str]:
    yield from _refusal(expect.refused, decision)
    if expect.rules is not None:
        applied = [reason.rule for reason in decision.reasons]
        yield from _differ("rules", sorted(expect.rules), sorted(applied))
    if expect.notify is not None:
        told = [*decision.notify, *(["sender"] if decision.notify_sender else [])]
        yield from _differ("notify", sorted(expect.notify), sorted(told))
    for key, wanted, asked in (
        ("bcc_to", expect.bcc_to, decision.bcc_to),
        ("report_to", expect.report_to, decision.report_to),
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
    demands = outcome.demands
    if expected.hold is not None:
        wait = (format_duration(expected.hold), format_duration(demands.window))
        yield from _differ(f"{text}: hold", *wait)
    if expected.firm is not None:
        firm = (format_duration(expected.firm), format_duration(demands.firm))
        yield from _differ(f"{text}: firm", *firm)
    if expected.waive is not None:
        nobody = demands.firm == demands.window and demands.window > NO_TIME
        yield from _differ(f"{text}: waive", expected.waive, "nobody" if nobody else "sender")
    if expected.form is not None:
        yield from _differ(f"{text}: form", expected.form, form_name(demands.form))
    if expected.sees is not None:
        yield from _differ(f"{text}: sees", sorted(expected.sees), sorted(outcome.companions))
    if expected.tags is not None:
        yield from _differ(f"{text}: tags", sorted(expected.tags.items()), sorted(demands.tags))
    if expected.drop is not None:
        yield from _differ(f"{text}: drop", expected.drop, demands.drop)
    if expected.route is not None:
        yield from _differ(f"{text}: route", sorted(expected.route), sorted(demands.routes))
    if expected.disclaimers is not None:
        yield from _differ(f"{text}: disclaimers", sorted(expected.disclaimers), sorted(demands.disclaimers))


def _differ(what: str, expected: object, got: object) -> Iterator[str]:
    if expected != got:
        yield f"{what}: expected {_show(expected)}, got {_show(got)}"


def _show(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(_show(v) for v in value) or "nothing"
    return ": ".join(value) if isinstance(value, tuple) else str(value)


def form_name(form: Form) -> str:
    """Return the word policies use for a form."""
    return form.name.lower()
