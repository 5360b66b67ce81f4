"""A mail that nobody sent, for people who want to see a letter before it is needed: its rows as they come from the spool.

The composers write the samples from it, so a sample has every value that a letter will have. Pure.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from gateway.message.address import parse_path
from gateway.message.envelope import Client, Envelope
from gateway.policy.decision import Decision, Outcome, Reason
from gateway.policy.demands import NO_TIME, Approval, Approver, Demands, Form, Language, Step, Text
from gateway.spool.halt_contract import Freeze
from gateway.spool.lifecycle import State
from gateway.spool.notice import Glance, Notice, NoticeKind
from gateway.spool.second_look import Consent, fresh_looks
from gateway.spool.values import Recipient, Stored

AT = datetime(2026, 4, 3, 1, 15, tzinfo=UTC)
QUEUE_ID = "0SAMPLE0QUEUE0ID"
SENDER, APPROVER, OFFICE = (
    "clerk@sports.example.jp",
    "manager@sports.example.jp",
    "privacy@city.example.lg.jp",
)
OUTSIDE = ("sato@example.com", "suzuki@example.net", "takahashi@example.com")
_WINDOW = timedelta(minutes=10)
_SUBJECTS = {Language.JA: "テニス教室のお知らせ", Language.EN: "Tennis class: dates in May"}
_RULES = (
    Reason(
        "hide-recipients", Text("外部の宛先が2件以上見えます", "two or more external recipients are visible")
    ),
    Reason("cancel-window", Text("外部宛てのメールです", "the mail goes outside")),
)


def subject(language: Language) -> str:
    """Return what the mail is about."""
    return _SUBJECTS[language]


def held(language: Language) -> Stored:
    """Return the mail, held for ten minutes for whom is outside, on its way to whom is inside."""
    demands = Demands(window=_WINDOW, form=Form.BCC)
    return _stored(language, demands, State.HELD)


def asking(language: Language) -> Stored:
    """Return the mail, waiting for an approval."""
    approval = Approval(
        "bulk", "approvers", 1, timedelta(hours=4), "cancel", (Step(NO_TIME, (Approver(APPROVER),)),)
    )
    return _stored(language, Demands(form=Form.BCC, approvals=frozenset([approval])), State.HELD)


def approved(language: Language) -> Stored:
    """Return the mail that was approved, and has gone to nearly everybody."""
    message = asking(language)
    word = Consent(APPROVER, AT + timedelta(minutes=5), _COMMENT[language])
    looks = tuple(replace(look, consents=(word,), met_at=word.at, due_at=None) for look in message.looks)
    states = (State.DELIVERED, State.BOUNCED, State.CANCELLED, State.DELIVERED)
    return replace(_in_states(message, *states), looks=looks)


def rejected(language: Language) -> Stored:
    """Return the mail after an approver said no."""
    message = asking(language)
    word = Consent(APPROVER, AT + timedelta(minutes=5), _COMMENT[language])
    looks = tuple(replace(look, rejected=word, due_at=None) for look in message.looks)
    return replace(_in_states(message, *[State.CANCELLED] * 3, State.DELIVERED), looks=looks)


def frozen(language: Language) -> Stored:
    """Return a mail whose timer somebody stopped."""
    until = AT + timedelta(days=10)
    return replace(held(language), frozen=Freeze(AT, until, "admin", "admin"))


def cancelled(language: Language) -> Stored:
    """Return the mail after somebody stopped it."""
    return _in_states(held(language), *[State.CANCELLED] * 3, State.DELIVERED)


def glance(language: Language, number: int) -> Glance:
    """Return one of several mails, as a letter of many sees it."""
    return Glance(
        queue_id=f"{QUEUE_ID}{number}",
        received_at=AT + timedelta(minutes=number),
        subject=subject(language),
        decision=replace(held(language).decision, assigned=()),
        total=3,
        held=3,
        outside=3,
        ends_at=AT + timedelta(minutes=number) + _WINDOW,
        addresses=OUTSIDE[:2],
    )


def notice(kind: NoticeKind, to: str = SENDER, actor: str = "") -> Notice:
    """Return a row of the outbox about the recipients outside."""
    return Notice(1, kind, QUEUE_ID, to, (0, 1, 2), AT + timedelta(minutes=20), actor)


def raw(language: Language) -> bytes:
    """Return the mail itself, with one attachment."""
    lines = (
        f"From: <{SENDER}>",
        "To: " + ",\r\n ".join(OUTSIDE),
        "MIME-Version: 1.0",
        'Content-Type: multipart/mixed; boundary="b"',
        "",
        "--b",
        "Content-Type: text/plain",
        "",
        "",
        "--b",
        f"Content-Disposition: attachment; filename={_FILES[language]}",
        "Content-Type: application/pdf",
        "",
        "%PDF",
        "--b--",
        "",
    )
    return "\r\n".join(lines).encode()


def comment(language: Language) -> str:
    """Return something that somebody wrote."""
    return _COMMENT[language]


_COMMENT = {Language.JA: "宛先を確認しました。", Language.EN: "I have looked at the recipients."}
_FILES = {Language.JA: "annai.pdf", Language.EN: "dates.pdf"}


def _stored(language: Language, demands: Demands, state: State) -> Stored:
    addresses = tuple(parse_path(text) for text in (*OUTSIDE, OFFICE))
    names = tuple(reason.rule for reason in _RULES)
    outcomes = (Outcome(True, demands, rules=names), Outcome(False, Demands()))
    decision = Decision(
        digest="5d41402abc4b2a76b9719d911017c592ae8d7f1c6f8e2f7a3c5e3b9f1d0a7c44",
        outcomes=outcomes,
        assigned=(0, 0, 0, 1),
        reasons=_RULES,
        notify_sender=True,
        internal=("sports.example.jp", ".example.lg.jp"),
        language=language,
    )
    rows = (
        *(
            Recipient(index, addresses[index], True, state, AT + _WINDOW, 0, changed_at=AT)
            for index in range(3)
        ),
        Recipient(3, addresses[3], False, State.DELIVERED, None, 1, "250 ok", AT),
    )
    envelope = Envelope(parse_path(SENDER), addresses, Client("192.0.2.10", "pc.sports.example.jp", "clerk"))
    looks = fresh_looks(decision, AT)
    return Stored(QUEUE_ID, envelope, decision, AT, subject(language), 48_213, False, rows, looks=looks)


def _in_states(message: Stored, *states: State) -> Stored:
    at = AT + timedelta(minutes=12)
    rows = tuple(
        replace(
            row,
            state=state,
            due_at=None,
            changed_at=at,
            reply="550 5.1.1 no such user" if state is State.BOUNCED else "",
        )
        for row, state in zip(message.recipients, states, strict=True)
    )
    return replace(message, recipients=rows)
