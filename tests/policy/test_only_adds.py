"""Rules only ever add: no rule and no file can weaken what another one asks for, in whatever order they stand."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from random import Random

from hypothesis import HealthCheck, assume, event, given, settings
from hypothesis import strategies as st

from gateway.message.evidence import NOTHING_LOOKED_UP
from gateway.message.facts import Facts
from gateway.message.status_request import Notify
from gateway.policy.compile import compile_policy
from gateway.policy.copies import as_handed_in, with_copies
from gateway.policy.decide import decide
from gateway.policy.decision import Decision
from gateway.policy.demands import Demands, Form, join_all
from gateway.policy.handle import plan
from gateway.policy.handling import Attached, Seen
from gateway.policy.load import load_policy
from gateway.policy.model import Policy
from gateway.policy.schema import PolicyFile
from gateway.policy.stored_decision import from_json, to_json
from gateway.yaml_source import Problems
from tests.policy.generated import additions, floors, local_files, rules
from tests.policy.generated_conditions import GROUPS, Json
from tests.policy.generated_facts import EXTERNAL, TIMES, facts
from tests.thoroughness import examples

thorough = settings(max_examples=examples(120), deadline=None, suppress_health_check=[HealthCheck.too_slow])


FILES = (Attached(2, "a.pdf", "pdf", 10, "plain"), Attached(3, "b.txt", "text", 10, "plain"))


def policy_of(files: Mapping[str, Json]) -> Policy:
    """Compile generated files without the detour over text; idle rules are drawn too, and must be harmless."""
    return compile_policy({name: PolicyFile.model_validate(file) for name, file in files.items()}, "digest")


def assert_not_weaker(after: Decision, before: Decision) -> None:
    """Compare two decisions on the same mail, recipient by recipient."""
    assert set(before.refusals) <= set(after.refusals)
    assert set(before.reasons) <= set(after.reasons)
    assert before.notify <= after.notify
    assert after.notify_sender >= before.notify_sender
    assert after.tell_left >= before.tell_left
    assert after.colleagues_may_stop >= before.colleagues_may_stop
    assert before.bcc_to <= after.bcc_to
    assert before.report_to <= after.report_to
    assert set(before.texts) <= set(after.texts)
    assert after.tells_dropped >= before.tells_dropped
    for number in range(len(before.assigned)):
        was, then = before.of(number), after.of(number)
        assert then.external == was.external
        assert then.demands.covers(was.demands)
        assert set(was.rules) <= set(then.rules)
        if was.demands.form > Form.ORIGINAL:
            assert set(then.companions) <= set(was.companions)
            event("a hiding recipient was compared")


@thorough
@given(floors(), additions(), facts(), TIMES)
def test_a_file_added_weakens_nobody(floor: Json, addition: Json, mail: Facts, now: datetime) -> None:
    before = decide(mail, policy_of({"floor.yaml": floor}), now)
    after = decide(mail, policy_of({"floor.yaml": floor, "added.yaml": addition}), now)
    assert_not_weaker(after, before)


@thorough
@given(floors(), rules("added"), facts(), TIMES)
def test_a_rule_added_to_the_same_file_weakens_nobody(
    floor: Json, rule: Json, mail: Facts, now: datetime
) -> None:
    before = decide(mail, policy_of({"floor.yaml": floor}), now)
    longer = {**floor, "rules": [*floor["rules"], rule]}
    assert_not_weaker(decide(mail, policy_of({"floor.yaml": longer}), now), before)


@thorough
@given(floors(), additions(), facts(), st.randoms(use_true_random=False), TIMES)
def test_the_order_of_rules_and_files_does_not_matter(
    floor: Json, addition: Json, mail: Facts, random: Random, now: datetime
) -> None:
    first = decide(mail, policy_of({"a.yaml": floor, "b.yaml": addition}), now)
    for file in (floor, addition):
        random.shuffle(file["rules"])
    assert decide(mail, policy_of({"z.yaml": floor, "b.yaml": addition}), now) == first


@thorough
@given(floors(), rules("watching"), facts(), TIMES)
def test_a_rule_that_only_watches_changes_nothing(
    floor: Json, rule: Json, mail: Facts, now: datetime
) -> None:
    longer = {**floor, "rules": [*floor["rules"], {**rule, "monitor": True}]}
    acting = {**floor, "rules": [*floor["rules"], {**rule, "monitor": False}]}
    before = decide(mail, policy_of({"floor.yaml": floor}), now)
    watched = decide(mail, policy_of({"floor.yaml": longer}), now)
    assert replace(watched, watched=before.watched) == before
    acts = decide(mail, policy_of({"floor.yaml": acting}), now)
    seen = next((each for each in watched.watched if each.rule == rule["id"]), None)
    assert (seen is not None) is any(reason.rule == rule["id"] for reason in acts.reasons)
    if seen is not None:
        touched = [n for n in range(len(acts.assigned)) if rule["id"] in acts.of(n).rules]
        assert seen.recipients == len(touched)
        assert join_all([acts.of(n).demands for n in touched]).covers(seen.demands)


@thorough
@given(floors(), additions(), st.lists(st.tuples(facts(), TIMES), min_size=2, max_size=6))
def test_what_a_policy_decided_before_does_not_matter(
    floor: Json, addition: Json, mails: list[tuple[Facts, datetime]]
) -> None:
    files = {"a.yaml": floor, "b.yaml": addition}
    policy = policy_of(files)
    for mail, now in mails:
        assert decide(mail, policy, now) == decide(mail, policy_of(files), now)


@thorough
@given(floors(), facts(), TIMES)
def test_decide_is_total_and_gives_everybody_an_outcome(floor: Json, mail: Facts, now: datetime) -> None:
    decision = decide(mail, policy_of({"floor.yaml": floor}), now)
    assert len(decision.assigned) == len(mail.envelope.recipients)
    assert set(decision.assigned) == set(range(len(decision.outcomes)))
    assert len(set(decision.outcomes)) == len(decision.outcomes)
    assert from_json(to_json(decision), decision.assigned) == decision
    for number, address in enumerate(mail.envelope.recipients):
        outcome = decision.of(number)
        assert outcome.external or not address.ambiguous
        assert outcome.demands.firm <= outcome.demands.window


@thorough
@given(floors(), facts(), TIMES)
def test_doubt_never_frees_a_recipient(floor: Json, mail: Facts, now: datetime) -> None:
    """What certainty about the same header section would ask for, doubt asks for as well, apart from counting more."""
    policy = policy_of({"floor.yaml": floor})
    certain = decide(replace(mail, confident=True, unclear=frozenset()), policy, now)
    doubtful = decide(replace(mail, confident=False, unclear=frozenset({"boundary"})), policy, now)
    assert_not_weaker(doubtful, certain)


@thorough
@given(floors(), additions(), facts(), TIMES)
def test_copies_are_recipients_like_others_and_wait_for_them(
    floor: Json, addition: Json, mail: Facts, now: datetime
) -> None:
    policies = [policy_of({"floor.yaml": floor}), policy_of({"floor.yaml": floor, "added.yaml": addition})]
    decided = [decide(mail, policy, now) for policy in policies]
    (_, before), (envelope, after) = (
        with_copies(mail, decision, policy, now) for decision, policy in zip(decided, policies, strict=True)
    )
    there = len(decided[1].assigned)
    assert after.assigned[:there] == decided[1].assigned
    assert after.outcomes[: len(decided[1].outcomes)] == decided[1].outcomes
    assert len(envelope.recipients) == len(after.assigned) == there + after.copied
    assert len({address.key for address in envelope.recipients}) == len(envelope.recipients)
    assert set(after.assigned) == set(range(len(after.outcomes)))
    assert from_json(to_json(after), after.assigned) == after
    assert as_handed_in(envelope, after)[0] == mail.envelope
    assert as_handed_in(envelope, after)[1].assigned == decided[1].assigned
    if not after.refusals:
        assert after.bcc_to <= {address.key for address in envelope.recipients}
        assert before.copied <= after.copied or before.refusals
    others = [after.of(number).demands for number in range(there)]
    for number in range(there, len(after.assigned)):
        event("a copy was compared")
        asked = after.of(number).demands
        assert after.is_copy(number)
        assert not envelope.request(number).wants(Notify.FAILURE)
        assert asked.drop or any(not other.drop for other in others)
        for other in others:
            if not other.drop:
                assert asked.window >= other.window
                assert asked.firm >= other.firm
                assert asked.confirm >= other.confirm
                assert asked.approvals >= other.approvals


@thorough
@given(floors(), facts(), TIMES)
def test_what_was_not_looked_up_frees_nobody(floor: Json, mail: Facts, now: datetime) -> None:
    """Whatever a look-up would have told, not to have looked asks for as much; but not of rules that say `certain: true`."""
    assume('"certain": true' not in json.dumps(floor))
    policy = policy_of({"floor.yaml": floor})
    told = decide(mail, policy, now)
    blind = decide(replace(mail, evidence=NOTHING_LOOKED_UP), policy, now)
    assert_not_weaker(blind, told)


def loaded(floor: Json, local: Json | None = None) -> Policy:
    """Load generated files as text, without their rules that can never do anything; raises `Problems` for anything else."""
    files = {"floor/a.yaml": floor, "local/b.yaml": local} if local is not None else {"floor/a.yaml": floor}
    while True:
        try:
            return load_policy({name: json.dumps(file, ensure_ascii=False) for name, file in files.items()})
        except Problems as found:
            if not (idle := {(p.file, int(i[1])) for p in found.problems if (i := _IDLE.match(p.where))}):
                raise
            for name, file in files.items():
                rules = [rule for n, rule in enumerate(file["rules"]) if (name, n) not in idle]
                files[name] = {
                    **file,
                    "rules": rules or [{"id": f"left-{name[0]}", "reason": "why", "then": {"hold": "1m"}}],
                }


_IDLE = re.compile(r"rules\[(\d+)\]\.(?:when|unless|then)")


@thorough
@given(floors(), local_files(), facts(), TIMES)
def test_whatever_a_local_file_says_it_is_refused_or_weakens_nobody(
    floor: Json, local: Json, mail: Facts, now: datetime
) -> None:
    floor["groups"] = {name: group for name, group in floor["groups"].items() if "proxies" not in group}
    floor["groups"] |= {name: {"senders": list(EXTERNAL)} for name in GROUPS if name not in floor["groups"]}
    alone = loaded(floor)
    try:
        both = loaded(floor, local)
    except Problems:
        event("refused")
        return
    assert both.has_floor
    before, after = decide(mail, alone, now), decide(mail, both, now)
    assert_not_weaker(after, before)
    if not after.refusals and not all(after.of(number).demands.drop for number in range(len(after.assigned))):
        assert _reached(mail, after, both, now) >= before.bcc_to & _reached(mail, before, alone, now)
    for number in range(len(before.assigned)):
        was, then = before.of(number).demands, after.of(number).demands
        assert all(a >= b for a, b in zip(_forms(then), _forms(was), strict=True))
        assert then.routes == was.routes or not alone.routes
        for name, _ in was.tags:
            assert {said for tag, said in then.tags - was.tags if tag == name} <= _values(alone, name)


def _forms(demands: Demands) -> list[int]:
    """Return how strongly each of some files is protected, 0 where it is not."""
    planned = plan(demands.protections, Seen(FILES))
    forms = dict(planned.forms) if planned is not None else {}
    return [int(forms.get(file.place, 0)) for file in FILES]


def _reached(mail: Facts, decision: Decision, policy: Policy, now: datetime) -> set[str]:
    """Return the keys of everybody, copies included, who is not dropped."""
    envelope, whole = with_copies(mail, decision, policy, now)
    return {a.key for n, a in enumerate(envelope.recipients) if not whole.of(n).demands.drop}


def _values(policy: Policy, name: str) -> set[str]:
    """Return the values of a tag that the rules of a policy set."""
    return {
        value for rule in policy.rules for ask in rule.asks for tag, value in ask.demands.tags if tag == name
    }
