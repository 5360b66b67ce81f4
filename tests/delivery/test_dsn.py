"""Status notifications: the structure of RFC 3464, the words, and whom they name."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP

import pytest

from gateway.delivery.dsn import MAX_RETURNED, dsn_composers
from gateway.message.address import Address
from gateway.message.envelope import Client, Envelope
from gateway.message.status_request import NOTHING_ASKED, MailRequest, Notify, RecipientRequest, Return
from gateway.policy.decision import Decision, Outcome
from gateway.policy.demands import Demands, Language
from gateway.spool.lifecycle import State
from gateway.spool.notice import Notice, NoticeKind
from gateway.spool.values import Recipient, Stored

NOW = datetime(2026, 11, 2, 9, 30, tzinfo=UTC)
SENDER = Address("sender", "example.jp")
PEOPLE = (Address("a", "example.com"), Address("b", "example.net"), Address("名前", "example.com"))
RAW = b"Message-ID: <m1@example.jp>\r\nTo: a@example.com\r\nSubject: test\r\n\r\nthe body stays here\r\n"
REPLIES = ("550 5.1.1 no such user", "451 4.3.0 later", "553 what")

composers = dsn_composers("gw.example.jp", "sekisho@gw.example.jp", "Sekisho 関所", timedelta(days=5))


def stored(state: State = State.BOUNCED, language: Language = Language.EN) -> Stored:
    rows = tuple(
        Recipient(number, person, True, state, None, 2, reply, NOW)
        for number, (person, reply) in enumerate(zip(PEOPLE, REPLIES, strict=True))
    )
    return Stored(
        queue_id="Q1",
        envelope=Envelope(SENDER, PEOPLE, Client("192.0.2.1")),
        decision=Decision("d", (Outcome(True, Demands()),), (0, 0, 0), language=language),
        received_at=NOW - timedelta(hours=5),
        subject="講座の\r\nBcc: x@example.com お知らせ",
        size_bytes=100,
        from_gateway=False,
        recipients=rows,
    )


def notice(*recipients: int, kind: NoticeKind = NoticeKind.FAILED) -> Notice:
    return Notice(7, kind, "Q1", str(SENDER), recipients, NOW)


def compose(message: Stored, row: Notice, raw: bytes | None = RAW) -> tuple[bytes, EmailMessage]:
    octets = composers[row.kind](message, row, raw)
    assert octets is not None
    return octets, message_from_bytes(octets, policy=SMTP)


def text_of(report: EmailMessage) -> str:
    part = next(report.iter_parts())
    return str(part.get_content())


def test_the_structure_is_that_of_a_report() -> None:
    _, report = compose(stored(), notice(0))
    assert report.get_content_type() == "multipart/report"
    assert report.get_param("report-type") == "delivery-status"
    kinds = [part.get_content_type() for part in report.iter_parts()]
    assert kinds == ["text/plain", "message/delivery-status", "text/rfc822-headers"]
    assert report["Auto-Submitted"] == "auto-replied"
    assert str(report["To"]) == "sender@example.jp"
    assert report["In-Reply-To"] == "<m1@example.jp>"
    assert not report.defects


def test_the_status_names_the_failed_recipient() -> None:
    octets, _ = compose(stored(), notice(0))
    for line in (
        b"Reporting-MTA: dns; gw.example.jp\r\n",
        b"Final-Recipient: rfc822; a@example.com\r\nAction: failed\r\nStatus: 5.1.1\r\n",
        b"Diagnostic-Code: smtp; 550 5.1.1 no such user\r\n",
    ):
        assert line in octets


def test_nobody_but_those_concerned_is_named() -> None:
    octets, report = compose(stored(), notice(1))
    shown = octets.decode() + text_of(report)
    assert "b@example.net" in shown
    assert "名前" not in shown
    assert "a@example.com" not in shown.replace("To: a@example.com", "")  # the sender's own header, returned


def test_the_body_is_not_returned() -> None:
    octets, _ = compose(stored(), notice(0))
    assert b"the body stays here" not in octets


@pytest.mark.parametrize(
    "raw",
    [
        b"\r\nthe body stays here\r\n\r\nand here\r\n",
        b"the body stays here\r\n",
        b"the body stays here: yes\r\n\r\nand here\r\n",
    ],
)
def test_the_body_of_a_mail_without_a_header_section_is_not_returned(raw: bytes) -> None:
    octets, report = compose(stored(), notice(0), raw)
    assert b"stays here" not in octets
    assert len(list(report.iter_parts())) == 3


def test_a_temporary_reply_that_became_final_is_4_4_7() -> None:
    octets, _ = compose(stored(), notice(1))
    assert b"Status: 4.4.7\r\n" in octets


def test_a_reply_without_an_enhanced_code_gets_its_class() -> None:
    only_ascii = replace(stored(), recipients=(replace(stored().recipients[0], reply="553 what"),))
    octets, _ = compose(only_ascii, notice(0))
    assert b"Status: 5.0.0\r\n" in octets


def test_an_internationalised_recipient_uses_the_global_form() -> None:
    _, report = compose(stored(), notice(2))
    part = list(report.iter_parts())[1]
    assert part.get_content_type() == "message/global-delivery-status"
    assert part["Content-Transfer-Encoding"] == "base64"


@pytest.mark.parametrize(
    ("language", "words"),
    [(Language.JA, "この宛先は存在しません"), (Language.EN, "This address does not exist")],
)
def test_the_words_are_the_senders(language: Language, words: str) -> None:
    _, report = compose(stored(language=language), notice(0))
    assert words in text_of(report)


def test_a_delay_says_that_nothing_need_be_done() -> None:
    octets, report = compose(stored(State.DEFERRED), notice(1, kind=NoticeKind.DELAYED))
    assert b"Action: delayed\r\n" in octets
    assert b"Will-Retry-Until: Sat, 07 Nov 2026 04:30:00 +0000\r\n" in octets
    assert "do not resend" in text_of(report)


def test_a_delay_that_is_over_is_not_told() -> None:
    assert (
        composers[NoticeKind.DELAYED](stored(State.DELIVERED), notice(1, kind=NoticeKind.DELAYED), RAW)
        is None
    )


def test_no_notification_for_the_null_sender_or_our_own_mail() -> None:
    message = stored()
    null = replace(message, envelope=replace(message.envelope, sender=None))
    assert composers[NoticeKind.FAILED](null, notice(0), RAW) is None
    assert composers[NoticeKind.FAILED](replace(message, from_gateway=True), notice(0), RAW) is None


def test_without_the_original_the_notification_is_still_sent() -> None:
    _, report = compose(stored(), notice(0), None)
    assert [part.get_content_type() for part in report.iter_parts()][1:] == ["message/delivery-status"]


def test_a_subject_cannot_add_a_field() -> None:
    _, report = compose(stored(), notice(0))
    assert report["Bcc"] is None


def test_an_encoded_word_in_subject_or_sender_cannot_add_a_field() -> None:
    hidden = "x =?utf-8?q?=0D=0ABcc:_evil=40example.com?="
    octets, report = compose(replace(stored(), subject=hidden), notice(0))
    assert report["Bcc"] is None
    assert b"\nBcc:" not in octets


def test_a_reply_cannot_add_a_status_field() -> None:
    message = stored()
    row = replace(message.recipients[0], reply="550 5.1.1 no\r\nAction: delivered")
    octets, _ = compose(replace(message, recipients=(row,)), notice(0))
    assert b"\r\nAction: delivered" not in octets


@pytest.mark.parametrize(
    "raw", [b"", b"\r\n", b"X: \xff\x00\r\n\r\n", b"X: " + b"y" * 5000 + b"\r\n\r\n", b"no end"]
)
def test_any_header_section_can_be_returned(raw: bytes) -> None:
    octets, report = compose(stored(), notice(0), raw)
    assert octets.isascii()
    assert max(len(line) for line in octets.split(b"\r\n")) <= 998
    assert octets.count(b"\n") == octets.count(b"\r\n") == octets.count(b"\r")
    assert len(list(report.iter_parts())) == 3


def test_the_returned_header_is_bounded() -> None:
    octets, _ = compose(stored(), notice(0), b"X: y\r\n" * 100_000 + b"\r\n")
    assert len(octets) < MAX_RETURNED + 10_000


def test_the_same_arguments_give_the_same_octets() -> None:
    assert compose(stored(), notice(0))[0] == compose(stored(), notice(0))[0]


KINDS = {
    NoticeKind.FAILED: (State.BOUNCED, Notify.FAILURE),
    NoticeKind.DELAYED: (State.DEFERRED, Notify.DELAY),
    NoticeKind.RELAYED: (State.DELIVERED, Notify.SUCCESS),
}


def asking(message: Stored, *requests: RecipientRequest, mail: MailRequest | None = None) -> Stored:
    envelope = replace(message.envelope, requests=requests, asked=mail or MailRequest())
    return replace(message, envelope=envelope)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("notify", [None, *(Notify(value) for value in range(8))])
def test_the_sender_hears_of_what_was_asked_and_of_nothing_else(
    kind: NoticeKind, notify: Notify | None
) -> None:
    state, occasion = KINDS[kind]
    wish = RecipientRequest(notify)
    message = asking(stored(state), wish, NOTHING_ASKED, NOTHING_ASKED)
    wanted = occasion is not Notify.SUCCESS if notify is None else occasion in notify
    assert (composers[kind](message, notice(0, kind=kind), RAW) is not None) is wanted


def test_who_is_not_to_be_told_of_is_left_out_of_the_notice_about_the_others() -> None:
    message = asking(stored(), RecipientRequest(Notify.NEVER), NOTHING_ASKED, NOTHING_ASKED)
    _, report = compose(message, notice(0, 1))
    _, status, _ = report.iter_parts()
    assert "b@example.net" in status.as_string()
    assert "a@example.com" not in status.as_string() + text_of(report)


def test_a_success_is_told_as_relayed() -> None:
    success = RecipientRequest(Notify.SUCCESS)
    message = asking(stored(State.DELIVERED), success, NOTHING_ASKED, NOTHING_ASKED)
    rows = (replace(message.recipients[0], reply="250 2.6.0 queued"), *message.recipients[1:])
    octets, report = compose(replace(message, recipients=rows), notice(0, 1, kind=NoticeKind.RELAYED))
    assert b"Final-Recipient: rfc822; a@example.com\r\nAction: relayed\r\nStatus: 2.6.0\r\n" in octets
    assert b"b@example.net" not in octets
    assert "handed to the next mail server" in text_of(report)
    assert str(report["Subject"]).startswith("[Handed over]")


@pytest.mark.parametrize("reply", ["250 ok", "550 5.1.1 what", ""])
def test_a_success_never_has_the_status_of_a_failure(reply: str) -> None:
    message = asking(stored(State.DELIVERED), *[RecipientRequest(Notify.SUCCESS)] * 3)
    rows = (replace(message.recipients[0], reply=reply), *message.recipients[1:])
    octets, _ = compose(replace(message, recipients=rows), notice(0, kind=NoticeKind.RELAYED))
    assert b"Status: 2.0.0\r\n" in octets


@pytest.mark.parametrize("kind", KINDS)
def test_nobody_is_told_about_mail_of_the_null_sender(kind: NoticeKind) -> None:
    message = asking(stored(KINDS[kind][0]), *[RecipientRequest(KINDS[kind][1])] * 3)
    null = replace(message, envelope=replace(message.envelope, sender=None))
    assert composers[kind](null, notice(0, kind=kind), RAW) is None


def test_what_the_sender_gave_stands_in_the_report_for_the_recipient_it_was_given_for() -> None:
    wishes = RecipientRequest(None, "rfc822", "+a=@example.org"), RecipientRequest(None, "rfc822", "secret@x")
    message = asking(stored(), *wishes, NOTHING_ASKED, mail=MailRequest(Return.HEADERS, "Job 7"))
    octets, _ = compose(message, notice(0))
    assert b"\r\n\r\nOriginal-Envelope-Id: Job 7\r\nReporting-MTA: " in octets
    assert b"Original-Recipient: rfc822; +a=@example.org\r\nFinal-Recipient: rfc822; a@example.com" in octets
    assert b"secret@x" not in octets


def test_nothing_is_said_about_what_the_sender_did_not_give() -> None:
    octets, _ = compose(stored(), notice(0))
    assert b"Original-" not in octets


def test_an_internationalised_original_recipient_uses_the_global_form() -> None:
    message = asking(stored(), RecipientRequest(None, "utf-8", "名前@example.com"), *[NOTHING_ASKED] * 2)
    _, report = compose(message, notice(0))
    assert list(report.iter_parts())[1].get_content_type() == "message/global-delivery-status"


@pytest.mark.parametrize("returned", [None, *Return])
def test_the_header_section_is_all_that_is_returned(returned: Return | None) -> None:
    octets, report = compose(asking(stored(), *[NOTHING_ASKED] * 3, mail=MailRequest(returned)), notice(0))
    assert list(report.iter_parts())[2].get_content_type() == "text/rfc822-headers"
    assert b"the body stays here" not in octets


@pytest.mark.parametrize(
    ("language", "words"), [(Language.JA, "すでに届いている可能性"), (Language.EN, "may have arrived")]
)
def test_a_mail_that_may_have_arrived_is_told_as_such(language: Language, words: str) -> None:
    message = stored(language=language)
    rows = (replace(message.recipients[0], perhaps=True), *message.recipients[1:])
    _, report = compose(replace(message, recipients=rows), notice(0, 1))
    assert text_of(report).count(words) == 1
    _, report = compose(message, notice(0, 1))
    assert words not in text_of(report)
