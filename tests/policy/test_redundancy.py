"""A rule that is said to add nothing adds nothing, whatever the mail; and what is plain is found."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from gateway.message.facts import Facts
from gateway.policy.calendars import Calendar
from gateway.policy.compile import compile_policy
from gateway.policy.conditions.condition import Condition, build
from gateway.policy.conditions.context import Context
from gateway.policy.decide import decide
from gateway.policy.decision import Decision
from gateway.policy.handle import plan
from gateway.policy.handling import Attached, Seen
from gateway.policy.implication import implies
from gateway.policy.load import compile_sources, load_sources
from gateway.policy.mail import Mail
from gateway.policy.model import Policy
from gateway.policy.redundancy import adds_nothing, idle_beside_others
from gateway.policy.schema import PolicyFile
from gateway.policy.unmatched import never_met
from tests.policy.generated import floors
from tests.policy.generated_conditions import CALENDARS, CIRCLES, CONDITIONS, GROUPS, LISTS, PATTERNS, Json
from tests.policy.generated_facts import EXTERNAL, NOW, facts
from tests.thoroughness import examples

thorough = settings(max_examples=examples(200), deadline=None, suppress_health_check=[HealthCheck.too_slow])
CONTEXT = Context(
    circles={name: frozenset(EXTERNAL[:3]) for name in CIRCLES},
    senders=dict.fromkeys(GROUPS, PATTERNS[:4]),
    keywords=dict.fromkeys(LISTS, ("通知",)),
    calendars=dict.fromkeys(CALENDARS, Calendar(UTC, ((9 * 60, 17 * 60),), frozenset(range(5)))),
)


@st.composite
def narrowed(draw: st.DrawFn, condition: Json) -> Json:
    """Draw a condition that is likely narrower: keys of another one beside, ranges and lists cut."""
    more = {**draw(CONDITIONS), **condition}
    for key, value in condition.items():
        if isinstance(value, list) and draw(st.booleans()):
            more[key] = value[:1]
        if isinstance(value, dict) and "at_least" in value and draw(st.booleans()):
            more[key] = {**value, "at_least": min(value["at_least"] + 1, value.get("at_most", 9))}
    return more


@thorough
@given(st.data(), CONDITIONS, facts())
def test_what_implies_never_fits_alone(data: st.DataObject, wide: Json, mail: Facts) -> None:
    narrow = data.draw(narrowed(wide) | CONDITIONS)
    inner, outer = Condition.model_validate(narrow), Condition.model_validate(wide)
    if not implies(inner, outer):
        return
    event("implied")
    seen = Mail(mail, policy(FLOOR).domains, NOW)
    for in_doubt in (True, False):
        fits_inner = build(inner, CONTEXT, in_doubt=in_doubt)(seen)
        assert not fits_inner or build(outer, CONTEXT, in_doubt=in_doubt)(seen)


FLOOR: Json = {
    "version": 1,
    "organisation": {"name": "x", "internal": ["city.example.lg.jp", ".city.example.lg.jp"]},
}


def policy(*files: Json) -> Policy:
    return compile_policy({f"{n}.yaml": PolicyFile.model_validate(file) for n, file in enumerate(files)}, "d")


@st.composite
def with_a_copy(draw: st.DrawFn) -> Json:
    """Draw a floor in which one rule is likely implied by another."""
    floor = draw(floors())
    original = draw(st.sampled_from(floor["rules"]))
    kept = draw(st.lists(st.sampled_from(sorted(original["then"])), min_size=1, unique=True))
    copy = {**original, "id": "copy", "then": {key: original["then"][key] for key in kept}}
    if draw(st.booleans()):
        copy["when"] = draw(narrowed(original.get("when", {})))
    return {**floor, "rules": [*floor["rules"], copy]}


FILES = (
    Attached(2, "a.pdf", "pdf", 10, "plain"),
    Attached(3, "b.txt", "text", 10, "plain"),
    Attached(4, "c.zip", "zip", 10, "encrypted"),
)


def effects(decision: Decision) -> tuple[object, ...]:
    each = [decision.of(n) for n in range(len(decision.assigned))]
    plans = [plan(o.demands.protections, Seen(FILES)) for o in each]
    return (
        [(o.external, replace(o.demands, protections=frozenset()), o.companions) for o in each],
        [handling and replace(handling, rules=()) for handling in plans],
        decision.refusals, decision.notify_sender, decision.notify, decision.bcc_to, decision.report_to,
        decision.tell_left, decision.colleagues_may_stop,
        decision.tag_names, decision.watched,
    )  # fmt: skip


@thorough
@given(with_a_copy(), facts())
def test_a_rule_that_adds_nothing_changes_nothing_but_reasons(floor: Json, mail: Facts) -> None:
    whole = policy(floor)
    compiled = {rule.id: rule for rule in whole.rules}
    written = {rule.id: rule for rule in PolicyFile.model_validate(floor).rules}
    for rule in written:
        if any(
            adds_nothing(written[rule], compiled[rule], written[o], compiled[o]) for o in written if o != rule
        ):
            event("adds nothing")
            without = policy({**floor, "rules": [each for each in floor["rules"] if each["id"] != rule]})
            assert effects(decide(mail, without, NOW)) == effects(decide(mail, whole, NOW))


def warned(*rules: str, second_file: str = "") -> list[str]:
    head = "version: 1\norganisation: {name: x, internal: [city.example.lg.jp]}\ncircles: {c: [a@example.com]}\nrules:\n"
    files = {"a.yaml": head + "".join(f"  - {{reason: x, {rule}}}\n" for rule in rules)}
    if second_file:
        files["b.yaml"] = f"version: 1\nrules:\n  - {{reason: x, {second_file}}}\n"
    sources = load_sources(files)
    found = compile_sources(sources, json.dumps(files))
    return [str(each) for each in (*idle_beside_others(sources, found), *never_met(sources, found.domains))]


BULK = "id: bulk, when: {external: {at_least: 20}}, then: {hold: 10m}"


@pytest.mark.parametrize(
    "rules",
    [
        ("id: all, then: {hold: 10m}", BULK),
        (BULK, "id: all, then: {hold: 1h}"),
        (BULK, BULK.replace("bulk", "same")),
        ("id: all, when: {external: {at_least: 2}}, then: {hold: {window: 1h, for: all}, notify: sender}", BULK),
        ("id: some, when: {recipient: [a@example.com, example.net]}, then: {hold: {window: 1h, for: matching}}",
         "id: one, when: {recipient: example.net}, then: {hold: {window: 1h, for: matching}}"),
        ("id: a, unless: {circle: c}, then: {hold: 1h}", "id: b, unless: {circle: c}, then: {hold: 10m}"),
        ("id: a, when: {subject: {contains: [x, y]}}, then: {hold: 1h}",
         "id: b, when: {subject: {contains: x}}, then: {hold: 1h}"),
        ("id: a, when: {attachments: {name: '*.exe'}}, then: {hold: 1h}",
         "id: b, when: {attachments: {name: '*.exe', at_least: 2}}, then: {hold: 1h}"),
        ("id: a, when: {ppap: any}, then: {hold: 1h}",
         "id: b, when: {ppap: {how: [same-mail, following], within: 2h, certain: true}}, then: {hold: 1h}"),
        ("id: a, then: {attachments: link}", "id: b, then: {attachments: {protect: link, keep: pdf}}"),
        ("id: a, then: {attachments: {protect: native, password_by: sms}}",
         "id: b, when: {external: {at_least: 2}}, then: {attachments: {protect: zip-legacy, password_by: [sms, sender]}}"),
        ("id: a, then: {attachments: {protect: block, for: all, within: 1h}}", "id: b, then: {attachments: native}"),
    ],
)  # fmt: skip
def test_what_adds_nothing_is_said_once(rules: tuple[str, ...]) -> None:
    [said] = warned(*rules)
    assert "adds nothing: " in said
    assert "a.yaml:" in said


@pytest.mark.parametrize(
    "rules",
    [
        ("id: all, then: {hold: 5m}", BULK),
        ("id: all, unless: {circle: c}, then: {hold: 1h}", BULK),
        ("id: all, then: {hold: 1h}, monitor: true", BULK),
        ("id: all, then: {hold: 1h}", BULK + ", monitor: true"),
        ("id: all, then: {refuse: no}", "id: same, then: {refuse: no}"),
        ("id: all, then: {hold: {window: 2h, for: external}}", "id: b, then: {hold: {window: 1h, for: all}}"),
        ("id: some, when: {recipient: example.net}, then: {hold: {window: 2h, for: matching}}",
         "id: two, when: {recipient: [a@example.com, example.net]}, then: {hold: {window: 1h, for: matching}}"),
        ("id: a, when: {attachments: {name: '*.exe'}}, then: {hold: 1h}",
         "id: b, when: {attachments: {at_least: 1}}, then: {hold: 1h}"),
        ("id: a, when: {ppap: same-mail}, then: {hold: 1h}",
         "id: b, when: {ppap: [following, preceding]}, then: {hold: 1h}"),
        ("id: a, when: {ppap: any}, then: {hold: {window: 2h}}",
         "id: b, when: {ppap: {how: any, certain: true}}, then: {hold: {window: 3h}}"),
        ("id: b, then: {attachments: zip-aes256}", "id: a, then: {attachments: native}"),  # whose style and order count
        ("id: a, then: {attachments: {protect: link, keep: pdf}}", "id: b, then: {attachments: native}"),
        ("id: a, then: {attachments: link}", "id: b, then: {attachments: native}"),  # the way for the key is another
        ("id: a, then: {attachments: native}", "id: b, then: {attachments: {protect: native, hide_names: true}}"),
        ("id: a, then: {attachments: native}", "id: b, then: {attachments: {protect: native, key: {bits: 80}}}"),
    ],
)  # fmt: skip
def test_what_adds_something_is_left_alone(rules: tuple[str, ...]) -> None:
    assert warned(*rules) == []


def test_hiding_rules_of_other_files_count_for_their_own_circles() -> None:
    hide = "id: {}, then: {{recipients: bcc}}"
    assert len(warned(hide.format("a"), hide.format("b"))) == 1
    assert warned(hide.format("a"), second_file=hide.format("b")) == []


@pytest.mark.parametrize(
    ("when", "said"),
    [
        (
            "{circle: c, external: {at_most: 0}, visible_external: {at_most: 0}}",
            "a circle asks for somebody outside",
        ),
        ("{recipient: [example.com, a@example.net], external: {at_most: 0}}", "these people are outside"),
    ],
)
def test_rules_that_never_match_are_said(when: str, said: str) -> None:
    assert [said in each for each in warned(f"id: a, when: {when}, then: {{tag: {{X-A: b}}}}")] == [True]


@pytest.mark.parametrize(
    "when",
    [
        "{recipient: .example.com, external: {at_most: 0}}",
        "{recipient: [example.com, city.example.lg.jp], external: {at_most: 0}}",
    ],
)
def test_rules_that_may_match_are_not(when: str) -> None:
    assert warned(f"id: a, when: {when}, then: {{tag: {{X-A: b}}}}") == []
