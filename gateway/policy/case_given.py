"""The mail of a case: what an author writes down, and the octets, the envelope and the facts that this makes."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Annotated, Self

from pydantic import AfterValidator, BeforeValidator, model_validator

from gateway.message.address import Address, parse_path
from gateway.message.address_list import parse_mailboxes
from gateway.message.envelope import Client, Envelope
from gateway.message.facts import Facts
from gateway.message.gather import gather
from gateway.message.header import split
from gateway.policy import values
from gateway.policy.case_attached import CaseKeys
from gateway.policy.case_content import CaseFile, CaseInside, content_of
from gateway.policy.case_history import CaseHistory, evidence_of, reply_fields
from gateway.policy.case_mail import MAX_ATTACHMENT, wire_form, write_mail
from gateway.policy.model import Policy
from gateway.policy.parts import told
from gateway.yaml_source import Hinted

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


def read_path(text: str) -> str:
    """Return an address in its usual spelling; the null sender stays as it is written."""
    return text if text in ("", "<>") else str(parse_path(text))


Lines = Annotated[tuple[str, ...], values.OneOrMany]
Moment = Annotated[datetime, BeforeValidator(_moment)]


class CaseAttachment(CaseFile):
    """A file that hangs on the case's mail."""

    name: str = told("ファイル名", "the file's name", ...)
    size: Annotated[values.Octets, AfterValidator(_attachment_size)] = told(
        "大きさ(例 `20KiB`)", "its size, such as `20KiB`", 16
    )


class CaseMail(CaseHistory, CaseInside, CaseKeys):
    """A mail. `to` and `cc` stand in its header; the envelope holds `to`, `cc` and `bcc` unless it is written out.

    `at` is when it arrives: 2026-05-03T10:00.
    """

    from_: str = told(
        "From 欄。`file` か `raw` があれば不要",
        "the From field; required, but with `file` or `raw`",
        "",
        "from",
    )
    envelope_from: Annotated[str, AfterValidator(read_path)] | None = told(
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


def arrives_at(mail: CaseMail, policy: Policy) -> datetime:
    """Return when the case's mail is accepted, aware; what a case writes is the time in the organisation's time zone."""
    at = mail.at or CASE_TIME
    return at if at.tzinfo is not None else at.replace(tzinfo=policy.zone)


def facts_of(mail: CaseMail) -> Facts:
    """Return the facts of the case's mail, as they would be gathered of it."""
    facts = gather(envelope_of(mail), octets_of(mail))
    content = content_of(mail, [(file.name, file) for file in mail.attachments], facts)
    return replace(facts, evidence=replace(evidence_of(mail, facts), content=content))


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
