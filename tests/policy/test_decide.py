"""What every condition and demand means, one line each."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from gateway.message.address import Address, parse_path
from gateway.message.envelope import Envelope
from gateway.message.facts import Attachment, Facts
from gateway.message.header import split
from gateway.policy import joined
from gateway.policy.decide import decide
from gateway.policy.decision import Decision
from gateway.policy.demands import Demands, Form, Text
from gateway.policy.load import load_policy
from gateway.policy.text_match import MAX_TEXT
from tests.policy.generated_facts import CLIENT, NOW, address

HEAD = """version: 1
organisation: {name: x, internal: [city.example.lg.jp, .city.example.lg.jp]}
circles: {club: [p@example.com, q@example.com], board: [r@example.net]}
groups: {hall: {senders: ["@hall.example.jp", desk@city.example.lg.jp]}}
rules:
"""


def mail(
    to: str = "p@example.com",
    visible: str | None = None,
    sender: str = "desk@city.example.lg.jp",
    authors: str | None = None,
    **more: object,
) -> Facts:
    """Build facts; addresses stand in one string, `?` before one makes it ambiguous."""
    recipients = people(to)
    base = Facts(
        envelope=Envelope(next(iter(people(sender)), None), recipients, CLIENT),
        header=split(b"X-Mailer: Batch 2\r\nX-Note: =?utf-8?b?56S+5aSW56eY?=\r\n\r\n")[0],
        visible=recipients if visible is None else people(visible),
        confident=True,
        authors=people(sender if authors is None else authors),
        subject="【社外秘】 Minutes",
        attachments=(Attachment("名簿.XLSX", 2000, "x/y"), Attachment("ａ.ｅｘｅ", 10, "x/y")),
        size_bytes=5000,
    )
    return replace(base, **more)  # type: ignore[arg-type]


def people(text: str) -> tuple[Address, ...]:
    return tuple(address(word.removeprefix("?"), word.startswith("?")) for word in text.split())


def decision(rules: str, facts: Facts, head: str = HEAD) -> Decision:
    return decide(facts, load_policy({"policy.yaml": head + rules}), NOW)


def applies(conditions: str, facts: Facts) -> bool:
    rule = f"  - {{id: a, reason: why, {conditions}, then: {{notify: sender}}}}\n"
    return bool(decision(rule, facts).reasons)


IN, OUT = "a@city.example.lg.jp", "p@example.com"

WHEN = [
    ("external: {at_least: 1}", mail(OUT), True),
    ("external: {at_least: 1}", mail(IN, visible=OUT), False),
    ("external: {at_least: 2}", mail(f"{OUT} {IN}"), False),
    ("external: {at_most: 1}", mail(f"{OUT} q@example.com"), False),
    ("external: {at_least: 1}", mail("a@deep.city.example.lg.jp"), False),
    ("external: {at_least: 1}", mail("a@evilcity.example.lg.jp"), True),
    ("external: {at_least: 1}", mail(f"?{IN}"), True),
    ("internal: {at_least: 1}", mail(f"{OUT} {IN}"), True),
    ("internal: {at_least: 1}", mail(f"?{IN}"), False),
    ("visible_external: {at_least: 2}", mail(OUT, visible="p@example.com q@example.com"), True),
    ("visible_external: {at_least: 2}", mail("p@example.com q@example.com", visible=""), False),
    (
        "visible_external: {at_least: 2}",
        mail("p@example.com q@example.com", visible="", confident=False),
        True,
    ),
    ("visible_external: {at_most: 0}", mail(OUT, visible="", confident=False), True),
    ("sender: hall.example.jp", mail(sender="x@hall.example.jp"), True),
    ("sender: hall.example.jp", mail(sender="x@deep.hall.example.jp"), False),
    ("sender: [.hall.example.jp, y@example.jp]", mail(sender="x@deep.hall.example.jp"), True),
    ("sender: hall.example.jp", mail(sender="", authors="x@hall.example.jp"), True),
    ("sender: hall.example.jp", mail(sender="x@example.com", authors="x@hall.example.jp"), True),
    ("sender: DESK@City.Example.lg.jp", mail(), True),
    ("sender_in: hall", mail(), True),
    ("sender_in: hall", mail(sender="other@city.example.lg.jp"), False),
    ("recipient: example.com", mail(f"{IN} {OUT}"), True),
    ("recipient: example.com", mail("?p@example.com"), True),
    ("recipient: [.example.com, example.net]", mail(OUT), False),
    ("circle: club", mail("p@example.com q@example.com"), True),
    ("circle: club", mail("p@example.com", visible="p@example.com r@example.net"), False),
    ("circle: club", mail(IN), False),
    ("circle: [club, board]", mail("r@example.net"), True),
    ("circle: [club, board]", mail("r@example.net p@example.com"), False),
    ("attachments: {at_least: 2}", mail(), True),
    ("attachments: {at_least: 3}", mail(), False),
    ("attachments: {name: ['*.exe']}", mail(), True),
    ("attachments: {name: ['*.pdf', '名簿.*']}", mail(), True),
    ("attachments: {name: '?.exe', size: {at_least: 11}}", mail(), False),
    ("attachments: {name: '*.pdf', at_most: 0}", mail(), True),
    ("attachments: {size: {at_least: 1KiB}}", mail(), True),
    ("subject: {contains: [minutes, nothing]}", mail(), True),
    ("subject: {contains: minutes, matches: '^minutes'}", mail(), False),
    ("subject: {matches: '社外秘|内部限'}", mail(), True),
    ("header: {x-mailer: {contains: batch}}", mail(), True),
    ("header: {X-Note: {contains: 社外秘}}", mail(), True),
    ("header: {X-Mailer: {contains: batch}, X-Absent: {contains: a}}", mail(), False),
    # What stands behind the characters that are looked at is in doubt: padding is no way past a rule.
    ("subject: {contains: secret}", mail(subject="x" * 70_000 + "secret"), True),
    ("subject: {matches: secret}", mail(subject="x" * MAX_TEXT + "secret"), True),
    ("subject: {matches: secret}", mail(subject="x" * 5000), False),
    ("subject: {matches: secret}", mail(subject="㍿" * 2000 + "secret"), True),
    (
        "header: {X-A: {contains: secret}}",
        mail(header=split(b"X-A: a\r\n" * 100 + b"X-A: secret\r\n\r\n")[0]),
        True,
    ),
    ("size: {at_least: 4KiB, at_most: 5KiB}", mail(), True),
    ("size: {at_least: 5KiB}", mail(), False),
    ("null_sender: true", mail(sender=""), True),
    ("null_sender: false", mail(sender=""), False),
    ("external: {at_least: 1}, sender_in: hall", mail(IN), False),
]

UNLESS = [
    ("subject: {matches: public}", mail(subject="x" * MAX_TEXT + "public"), True),
    ("subject: {matches: public}", mail(subject="public" + "x" * 5000), False),
    ("visible_external: {at_most: 1}", mail(OUT), False),
    ("visible_external: {at_most: 1}", mail(OUT, confident=False), True),
    (
        "visible_external: {at_least: 2}",
        mail("p@example.com q@example.com", visible="", confident=False),
        True,
    ),
    ("sender: city.example.lg.jp", mail(), False),
    ("sender: city.example.lg.jp", mail(authors="boss@example.com"), True),
    ("sender: city.example.lg.jp", mail(sender="", authors=IN), True),
    ("sender_in: hall", mail(sender="?desk@city.example.lg.jp"), True),
    ("recipient: example.com", mail(f"{OUT} {IN}"), False),
    ("recipient: example.com", mail(f"{OUT} r@example.net"), True),
    ("recipient: example.com", mail(OUT, visible=f"{OUT} r@example.net"), True),
    ("recipient: example.com", mail(OUT, confident=False), True),
    ("recipient: example.com", mail(f"?{OUT}"), True),
    ("circle: club", mail(OUT), False),
    ("circle: club", mail(OUT, confident=False), True),
    ("circle: club", mail(f"?{OUT}"), True),
    ("attachments: {at_most: 5}", mail(), False),
    ("attachments: {at_most: 5}", mail(unclear=frozenset({"boundary"})), True),
]


@pytest.mark.parametrize(("condition", "facts", "expected"), WHEN)
def test_when(condition: str, facts: Facts, expected: bool) -> None:
    assert applies(f"when: {{{condition}}}", facts) is expected


@pytest.mark.parametrize(("condition", "facts", "expected"), UNLESS)
def test_unless_needs_certainty(condition: str, facts: Facts, expected: bool) -> None:
    assert applies(f"unless: {{{condition}}}", facts) is expected


def rule(name: str, then: str, when: str = "external: {at_least: 1}") -> str:
    return f"  - {{id: {name}, reason: {{ja: 理由, en: why}}, when: {{{when}}}, then: {{{then}}}}}\n"


def test_more_sets_of_rules_than_are_remembered_are_decided_on_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(joined, "MAX_REMEMBERED", 1)
    rules = rule("a", "hold: {window: 1h, for: matching}", "recipient: example.com") + rule(
        "b", "hold: {window: 2h, for: matching}", "recipient: example.net"
    )
    policy = load_policy({"policy.yaml": HEAD + rules})
    for _ in range(2):
        for to, windows in ((OUT, [60]), ("r@example.net", [120]), (f"{OUT} r@example.net", [60, 120])):
            decided = decide(mail(to), policy, NOW)
            assert [decided.of(n).demands.window for n in range(len(windows))] == [
                timedelta(minutes=each) for each in windows
            ]


def test_demands_are_for_external_recipients_unless_said_otherwise() -> None:
    both = f"{OUT} {IN}"
    default = decision(rule("a", "hold: 10m, recipients: bcc"), mail(both))
    assert default.of(0).demands == Demands(timedelta(minutes=10), form=Form.BCC, hide_internal=True)
    assert default.of(1).demands == Demands()
    assert default.of(1).rules == ()
    everybody = decision(rule("a", "hold: {window: 10m, for: all, waive: nobody}"), mail(both))
    assert everybody.of(0).demands == everybody.of(1).demands
    assert everybody.of(1).demands.firm == timedelta(minutes=10)


def test_matching_means_the_recipients_the_rule_names() -> None:
    named = rule("a", "hold: {window: 1h, for: matching}", "recipient: [example.net, city.example.lg.jp]")
    result = decision(named, mail(f"{OUT} r@example.net {IN}"))
    assert [result.of(n).demands.window for n in range(3)] == [
        timedelta(0),
        timedelta(hours=1),
        timedelta(hours=1),
    ]


def test_rules_join_and_say_so_in_the_order_of_their_ids() -> None:
    rules = rule("b", "hold: 5m, recipients: {form: individual, internal: keep}") + rule(
        "a", "hold: {window: 2m, waive: nobody}, recipients: bcc, tag: {X-A: b}, notify: [x@example.jp]"
    )
    result = decision(rules, mail())
    assert result.of(0).demands == Demands(
        timedelta(minutes=5), timedelta(minutes=2), Form.INDIVIDUAL, True, frozenset({("X-A", "b")})
    )
    assert result.of(0).rules == ("a", "b")
    assert [(r.rule, r.text) for r in result.reasons] == [
        ("a", Text("理由", "why")),
        ("b", Text("理由", "why")),
    ]
    assert (result.notify_sender, result.notify) == (False, frozenset({"x@example.jp"}))


def test_a_refusal_keeps_its_words() -> None:
    result = decision(rule("a", "refuse: {en: no}"), mail())
    assert [(r.rule, r.text) for r in result.refusals] == [("a", Text("no", "no"))]


def test_a_circle_sees_itself_and_nobody_else() -> None:
    result = decision(
        rule("a", "recipients: bcc"), mail("p@example.com q@example.com r@example.net t@example.org")
    )
    club = ("p@example.com", "q@example.com")
    assert [result.of(n).companions for n in range(4)] == [club, club, ("r@example.net",), ()]


@pytest.mark.parametrize("name", ["a", "z"])
def test_a_circle_of_an_added_file_shows_nobody_whom_the_floor_hides(name: str) -> None:
    floor = HEAD.replace("q@example.com", "u@example.com") + rule(name, "recipients: bcc")
    added = "version: 1\ncircles: {all: [p@example.com, q@example.com]}\nrules:\n"
    files = {"floor.yaml": floor, "added.yaml": added + rule("b", "recipients: bcc")}
    result = decide(mail("p@example.com q@example.com"), load_policy(files), NOW)
    assert [result.of(n).companions for n in range(2)] == [("p@example.com",), ()]


def test_an_ambiguous_recipient_has_no_companions() -> None:
    result = decision(rule("a", "recipients: bcc"), mail("?p@example.com q@example.com"))
    assert result.of(0).companions == ()
    assert result.of(1).companions == ("q@example.com",)


def test_forty_thousand_recipients_share_few_outcomes() -> None:
    everybody = tuple(Address(f"p{n}", f"d{n % 500}.example.com") for n in range(40_000))
    base = mail()
    facts = replace(base, envelope=replace(base.envelope, recipients=everybody), visible=everybody)
    result = decision(rule("a", "recipients: bcc, hold: 10m"), facts)
    assert len(result.outcomes) == 1
    assert len(result.assigned) == 40_000


def test_a_mail_without_recipients_is_decided() -> None:
    result = decision(rule("a", "refuse: no", "size: {at_least: 1}"), mail(""))
    assert result.outcomes == ()
    assert result.assigned == ()
    assert result.refusals


@pytest.mark.parametrize(
    ("sender", "account", "told"),
    [
        ("office@sports.example.jp", None, True),
        ("stranger@example.org", "front-desk", True),
        ("stranger@example.org", None, False),
        ("office%example.org@sports.example.jp", None, False),
    ],
)
def test_a_stranger_is_told_nothing_about_a_hold(sender: str, account: str | None, told: bool) -> None:
    facts = mail()
    envelope = replace(facts.envelope, sender=parse_path(sender), client=replace(CLIENT, account=account))
    head = HEAD.replace("internal: [", "internal: [sports.example.jp, ")
    result = decision(rule("a", "hold: 5m, notify: sender"), replace(facts, envelope=envelope), head)
    assert result.notify_sender is told


@pytest.mark.parametrize(
    ("written", "held", "left", "others"),
    [
        ("sender", True, False, []),
        ("{sender: left}", False, True, []),
        ("{sender: [hold, left], x@city.example.lg.jp: hold}", True, True, ["x@city.example.lg.jp"]),
    ],
)
def test_of_what_people_are_told(written: str, held: bool, left: bool, others: list[str]) -> None:
    head = HEAD.replace("internal: [", "internal: [sports.example.jp, ")
    envelope = replace(mail().envelope, sender=parse_path("office@sports.example.jp"))
    result = decision(rule("a", f"hold: 5m, notify: {written}"), replace(mail(), envelope=envelope), head)
    assert (result.notify_sender, result.tell_left, sorted(result.notify)) == (held, left, others)
