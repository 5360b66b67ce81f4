"""Conditions on domains: each key where it fits, where it does not, in doubt, and in `unless`."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from gateway.message.evidence import Evidence
from gateway.message.facts import Facts
from gateway.policy.conditions.context import Need
from gateway.policy.load import load_policy
from tests.policy.test_decide import HEAD, IN, OUT, applies, mail

FREE, PHONE = "ana@gmail.com", "ben@docomo.ne.jp"


def states(found: Mapping[str, str] | None, to: str = OUT) -> Facts:
    return mail(to, evidence=Evidence(domains=found))


def alike(found: Mapping[str, str] | None, to: str = OUT) -> Facts:
    return mail(to, evidence=Evidence(look_alikes=found))


def bcc(to: str, visible: str, blind: str = "", confident: bool = True) -> Facts:
    facts = mail(to, visible=visible, confident=confident)
    keys = frozenset(
        address.key for address in facts.visible if f"{address.local}@{address.domain}" in blind.split()
    )
    return mail(to, visible=visible, confident=confident, blind=keys)


# A condition, a mail, whether it may hold (`when`), whether it certainly holds (`unless`).
CASES: list[tuple[str, Facts, bool, bool]] = [
    ("external_domains: {at_least: 2}", mail("p@example.com q@example.net"), True, True),
    ("external_domains: {at_least: 2}", mail(f"p@example.com q@example.com {IN}"), False, False),
    ("external_domains: {at_most: 1}", mail(IN), True, True),
    ("free_mail: true", mail(f"{OUT} {FREE}"), True, True),
    ("free_mail: true", mail(f"{OUT} {PHONE}"), False, False),
    ("free_mail: true", mail(f"?{FREE}"), True, False),
    ("free_mail: {of: [carrier, isp]}", mail(PHONE), True, True),
    ("free_mail: {of: isp}", mail(PHONE), False, False),
    ("free_mail: {at_least: 2}", mail(FREE), False, False),
    ("free_mail: {at_most: 0}", mail(FREE), False, False),
    ("free_mail: {at_most: 0}", mail(OUT), True, True),
    ("bcc_only_external: true", bcc(f"{IN} {OUT}", IN), True, True),
    ("bcc_only_external: true", bcc(f"{IN} {OUT}", f"{IN} {OUT}", blind=OUT), True, True),
    ("bcc_only_external: true", bcc(f"{IN} {OUT}", f"{IN} {OUT}"), False, False),
    ("bcc_only_external: true", bcc(f"{IN} {OUT}", f"{IN} q@example.com"), False, False),
    (
        "bcc_only_external: true",
        bcc(OUT, ""),
        False,
        False,
    ),  # To names the sender alone: that is how one writes to many
    ("bcc_only_external: true", bcc(IN, IN), False, False),
    ("bcc_only_external: true", bcc(f"{IN} {OUT}", IN, confident=False), True, False),
    ("bcc_only_external: false", bcc(f"{IN} {OUT}", f"{IN} {OUT}"), True, True),
    ("domain_state: missing", states({"example.com": "missing"}), True, True),
    ("domain_state: [no-mail, null-mx]", states({"example.com": "null-mx"}), True, True),
    ("domain_state: [no-mail, null-mx]", states({"example.com": "accepts"}), False, False),
    ("domain_state: missing", states({"example.com": "unknown"}), True, False),
    ("domain_state: missing", states({}), True, False),
    ("domain_state: missing", states(None), True, False),
    ("domain_state: missing", states(None, IN), False, False),
    ("domain_state: missing", states(None, "p@[192.0.2.1]"), False, False),
    ("look_alike: true", alike({"example.com": "example.co.jp"}), True, True),
    ("look_alike: true", alike({"example.net": "example.co.jp"}), False, False),
    ("look_alike: true", alike({}), False, False),
    ("look_alike: false", alike({}), True, True),
    ("look_alike: true", alike(None), True, False),
    ("look_alike: true", alike(None, IN), False, False),
]


@pytest.mark.parametrize(("condition", "facts", "may", "must"), CASES)
def test_a_condition(condition: str, facts: Facts, may: bool, must: bool) -> None:
    assert applies(f"when: {{{condition}}}", facts) is may
    assert applies(f"unless: {{{condition}}}", facts) is not must


@pytest.mark.parametrize(
    ("condition", "need"),
    [
        ("external_domains: {at_least: 2}, free_mail: true, bcc_only_external: true", Need.NOTHING),
        ("domain_state: missing", Need.DOMAINS),
        ("look_alike: true", Need.LOOK_ALIKES),
        ("look_alike: false, domain_state: missing", Need.LOOK_ALIKES | Need.DOMAINS),
    ],
)
def test_what_has_to_be_looked_up(condition: str, need: Need) -> None:
    rule = f"  - {{id: a, reason: why, when: {{{condition}}}, then: {{notify: sender}}}}\n"
    assert load_policy({"policy.yaml": HEAD + rule}).needs == need
