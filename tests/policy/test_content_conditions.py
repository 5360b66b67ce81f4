"""Conditions on what is inside: each key where it fits, where it does not, in doubt, and in `unless`."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gateway.message.address import Address
from gateway.message.evidence import Content, Evidence, FileEvidence, Findings
from gateway.message.facts import Attachment, Facts
from gateway.policy.conditions.context import Need
from gateway.policy.load import load_policy
from tests.policy.test_decide import HEAD, decision, mail

LISTS = HEAD.replace("rules:", "keywords: {confidential: [社外秘, 極秘], names: 名簿}\nrules:")
FILES = (Attachment("名簿.xlsx", 2000, "x/y"), Attachment("report.pdf", 10, "x/y"))
SHEET = FileEvidence("xlsx", False, False, found=Findings(person=30, phone=5, my_number=2))
PROGRAM = FileEvidence("exe", False, False)
LOCKED = FileEvidence("zip", True, None, unread="encrypted")
ZIP = FileEvidence("zip", False, None, ("docs/a.txt", "inner.zip/b.EXE"))


def holding(content: Content | None, attachments: tuple[Attachment, ...] = FILES, **more: object) -> Facts:
    return replace(mail(attachments=attachments, evidence=Evidence(content=content)), **more)  # type: ignore[arg-type]


def files(*found: FileEvidence, **more: object) -> Facts:
    """Return a mail with these attachments, all named report.pdf."""
    named = tuple(Attachment("report.pdf", 10, "x/y") for _ in found)
    return holding(Content(files=found), named, **more)


def body(text: str = "", **more: object) -> Facts:
    return holding(replace(Content(texts={"body": (text,)}), **more), ())  # type: ignore[arg-type]


NOTHING = holding(None)
READ = holding(Content(body=Findings(phone=3, card=1, card_possible=2, password=1), files=(SHEET, SHEET)))
EMPTY = holding(Content(files=(FileEvidence("pdf", False, False), FileEvidence("pdf", False, False))))
UNREAD = holding(Content(files=(SHEET, LOCKED)))
GUEST, STAFF = Address("g", "example.com", False), Address("s", "city.example.lg.jp", False)

# A condition, a mail, whether it may hold (`when`), whether it certainly holds (`unless`).
CASES: list[tuple[str, Facts, bool, bool]] = [
    ("content: {has: my_number}", READ, True, True),
    ("content: {has: [corporate_number, my_number]}", READ, True, True),
    ("content: {has: corporate_number}", READ, False, False),
    ("content: {has: my_number, in: body}", READ, False, False),
    ("content: {has: my_number, at_least: 3}", READ, True, False),  # two in each file: the same or others
    ("content: {has: my_number, at_least: 5}", READ, False, False),
    ("content: {has: card, at_least: 3}", READ, False, False),
    ("content: {has: card, at_least: 3, possible: true}", READ, True, True),
    ("content: {has: card}", UNREAD, True, False),
    ("content: {has: card, certain: true}", UNREAD, False, False),
    ("content: {has: my_number, certain: true}", UNREAD, True, True),
    ("content: {has: card, certain: true}", NOTHING, False, False),
    ("content: {has: card, in: body}", UNREAD, False, False),
    ("content: {has: phone, in: subject}", mail(subject="電話 045-671-2121"), True, True),
    ("content: {has: phone, in: subject}", mail(subject="通知"), False, False),
    ("persons: {at_least: 30}", READ, True, True),
    ("persons: {at_least: 31}", READ, True, False),
    ("persons: {at_most: 29}", READ, False, False),
    ("persons: {at_most: 60}", READ, True, True),
    ("persons: {at_most: 60}", UNREAD, True, False),
    ("phones: {at_least: 14}", READ, False, False),
    ("postal_addresses: {at_least: 1}", READ, False, False),
    ("postal_addresses: {at_least: 1}", UNREAD, True, False),
    ("mail_addresses: {at_least: 1}", NOTHING, True, False),
    ("my_numbers: {at_least: 1}", READ, True, True),
    ("cards: {at_least: 1, at_most: 1}", READ, True, True),
    ("password_in_clear: true", READ, True, True),
    ("password_in_clear: true", EMPTY, False, False),
    ("password_in_clear: true", UNREAD, False, False),
    ("password_in_clear: true", body(body_unread="damaged"), True, False),
    ("password_in_clear: false", EMPTY, True, True),
    ("password_in_clear: true", NOTHING, True, False),
    ("unread: true", UNREAD, True, True),
    ("unread: true", READ, False, False),
    ("unread: false", READ, True, True),
    ("unread: [damaged, encrypted]", UNREAD, True, True),
    ("unread: damaged", UNREAD, False, False),
    ("unread: too-large", body(body_unread="too-large"), True, True),
    ("unread: true", NOTHING, True, False),
    ("greets_other: true", body(greets_other=True), True, True),
    ("greets_other: true", body(greets_other=None), False, False),
    ("greets_other: true", body(body_unread="damaged"), True, False),
    ("greets_other: false", body(greets_other=False), True, True),
    ("greets_other: true", NOTHING, True, False),
    ("attachment_forgotten: true", body(speaks_of_attachment=True), True, True),
    ("attachment_forgotten: true", body(speaks_of_attachment=False), False, False),
    ("attachment_forgotten: true", holding(Content(speaks_of_attachment=True)), False, False),
    ("attachment_forgotten: true", holding(None, ()), True, False),
    ("attachment_forgotten: true", NOTHING, False, False),
    (
        "attachment_forgotten: true",
        holding(Content(speaks_of_attachment=True), (Attachment("logo.png", 9, "image/png", inline=True),)),
        True,
        False,
    ),
    ("mail_is: [tnef, calendar]", body(mail_is=frozenset({"calendar"})), True, True),
    ("mail_is: smime-signed", body(mail_is=frozenset({"calendar"})), False, False),
    ("mail_is: tnef", holding(Content(), unclear=frozenset({"boundary"})), True, False),
    ("mail_is: tnef", NOTHING, True, False),
    ("invited_external: {at_least: 1}", body(invited=(GUEST, STAFF, GUEST)), True, True),
    ("invited_external: {at_least: 2}", body(invited=(GUEST, STAFF, GUEST)), False, False),
    ("invited_external: {at_least: 1}", body(invited=(STAFF,)), False, False),
    ("invited_external: {at_least: 1}", UNREAD, True, False),
    ("invited_external: {at_most: 5}", NOTHING, True, False),
    ("text: {contains: 社外秘}", body("この資料は社外秘です"), True, True),
    ("text: {contains: 社外秘, in: body}", body("通知"), False, False),
    ("text: {contains: 社外秘}", body("通知"), True, True),  # in the subject
    ("text: {contains: ＡＢＣ, in: body}", body("abc"), True, True),
    ("text: {matches: '第\\d+号', in: [body, attachments]}", body("第１２号"), True, True),
    ("text: {contains: 第, matches: '^号', in: body}", body("第１２号"), False, False),
    ("text: {keywords: confidential, in: body}", body("極 秘"), False, False),
    ("text: {keywords: [names, confidential], in: body}", body("極秘"), True, True),
    (
        "text: {keywords: names, in: attachments}",
        holding(Content(texts={"attachments": ("", "名簿")})),
        True,
        True,
    ),
    ("text: {keywords: names, in: attachments}", UNREAD, True, False),
    ("text: {keywords: names, in: attachments, certain: true}", UNREAD, False, False),
    ("text: {keywords: names, in: attachments, certain: true}", NOTHING, False, False),
    ("text: {contains: 秘密, in: body}", body("通知", cut=frozenset({"body"})), True, False),
    ("text: {contains: 通知, in: body}", body("通知", cut=frozenset({"body"})), True, True),
    ("text: {contains: 通知, in: body}", body("", body_unread="damaged"), True, False),
    ("text: {contains: 通知, in: subject}", mail(subject="通知"), True, True),
    ("text: {contains: 秘密, in: subject}", NOTHING, False, False),
    ("text: {contains: 秘密}", NOTHING, True, False),
    ("attachments: {kind: exe}", files(PROGRAM, SHEET), True, True),
    ("attachments: {kind: [exe, dll]}", files(SHEET), False, False),
    ("attachments: {kind: exe}", files(FileEvidence("", unread="unknown-kind")), False, False),
    ("attachments: {kind: exe}", files(FileEvidence("", unread="too-slow")), True, False),
    ("attachments: {kind: exe}", NOTHING, True, False),
    ("attachments: {kind: exe, at_most: 0}", NOTHING, True, False),
    ("attachments: {kind: exe, at_most: 0}", EMPTY, True, True),
    ("attachments: {kind: exe, name: '*.txt'}", NOTHING, False, False),
    ("attachments: {encrypted: true}", UNREAD, True, True),
    ("attachments: {encrypted: true}", READ, False, False),
    ("attachments: {encrypted: false, at_least: 2}", READ, True, True),
    ("attachments: {encrypted: true}", files(FileEvidence("7z")), True, False),
    ("attachments: {macros: true}", files(FileEvidence("xlsm", False, True)), True, True),
    ("attachments: {macros: true}", files(LOCKED), True, False),
    ("attachments: {macros: true}", READ, False, False),
    ("attachments: {member: '*.exe'}", files(ZIP), True, True),
    ("attachments: {member: ['b.exe', 'x']}", files(ZIP), True, True),
    ("attachments: {member: 'docs?a.txt'}", files(ZIP), True, True),
    ("attachments: {member: '*.com'}", files(ZIP), False, False),
    ("attachments: {member: '*.com'}", files(replace(ZIP, complete=False)), True, False),
    ("attachments: {member: '*.com'}", files(replace(ZIP, members=(), unread="damaged")), True, False),
    ("attachments: {member: '*.com'}", NOTHING, True, False),
    ("attachments: {unread: true}", files(LOCKED), True, True),
    ("attachments: {unread: [damaged]}", files(LOCKED), False, False),
    ("attachments: {unread: false}", files(SHEET, LOCKED), True, True),
    ("attachments: {unread: true}", NOTHING, True, False),
    ("attachments: {kind_differs: true}", files(PROGRAM), True, True),
    ("attachments: {kind_differs: true}", files(FileEvidence("pdf")), False, False),
    ("attachments: {kind_differs: false}", files(FileEvidence("pdf")), True, True),
    ("attachments: {kind_differs: true}", files(FileEvidence("")), True, False),
    ("attachments: {kind_differs: true}", NOTHING, True, False),
    ("attachments: {kind: exe}", files(PROGRAM, unclear=frozenset({"boundary"})), True, False),
]


@pytest.mark.parametrize(("condition", "facts", "may", "must"), CASES)
def test_a_condition(condition: str, facts: Facts, may: bool, must: bool) -> None:
    assert applies(f"when: {{{condition}}}", facts) is may
    assert applies(f"unless: {{{condition}}}", facts) is not must


def applies(condition: str, facts: Facts) -> bool:
    rule = f"  - {{id: a, reason: why, {condition}, then: {{notify: sender}}}}\n"
    return bool(decision(rule, facts, LISTS).reasons)


@pytest.mark.parametrize(
    "condition", sorted({condition for condition, *_ in CASES if "subject}" not in condition})
)
def test_what_is_inside_has_to_be_looked_up(condition: str) -> None:
    assert needs(condition) == Need.CONTENT


@pytest.mark.parametrize(
    "condition",
    [
        "content: {has: phone, in: subject}",
        "text: {contains: a, in: subject}",
        "attachments: {name: '*.exe', size: {at_least: 1}}",
        "attachments: {at_least: 1}",
    ],
)
def test_what_the_header_tells_has_not(condition: str) -> None:
    assert needs(condition) == Need.NOTHING


def needs(condition: str) -> Need:
    rule = f"  - {{id: a, reason: why, when: {{{condition}}}, then: {{notify: sender}}}}\n"
    return load_policy({"policy.yaml": LISTS + rule}).needs


def test_words_of_recorded_mail_are_in_doubt() -> None:
    facts = body()
    record = replace(facts, recorded=True)
    for condition in ("text: {contains: 秘密, in: body}", "text: {contains: 公開, in: body, certain: true}"):
        assert applies(f"when: {{{condition}}}", record)
        assert applies(f"unless: {{{condition}}}", record)


def test_texts_are_folded_once_for_all_rules() -> None:
    rules = "".join(
        f"  - {{id: r{n}, reason: why, when: {{text: {{contains: ａ{n}, in: body}}}}, then: {{notify: sender}}}}\n"
        for n in range(3)
    )
    assert [reason.rule for reason in decision(rules, body("A0 A2"), LISTS).reasons] == ["r0", "r2"]
