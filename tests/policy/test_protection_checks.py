"""Warnings about protections: what is weak, what means nothing, and rules that leave no way for a key when they meet."""

from __future__ import annotations

import pytest

from gateway.policy.load import load_sources
from gateway.policy.protection_checks import weak_protections

HEAD = "version: 1\norganisation: {name: x, internal: [city.example.lg.jp]}\nrules:\n"


def warned(*rules: str) -> list[str]:
    text = HEAD + "".join(f"  - {{reason: x, {rule}}}\n" for rule in rules)
    return [str(each) for each in weak_protections(load_sources({"a.yaml": text}))]


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ("zip-legacy", "the cipher of zip-legacy is broken"),
        ("{protect: native, hide_names: true}", "native keeps the names of files in sight"),
        ("block", "the sender is not told before the mail has left"),
        ("{protect: native, key: {bits: 40}}", "a key of 40 bits is tried out"),
        ("{protect: native, password_by: [sms, second-mail]}", "second-mail goes where the mail went"),
        ("{protect: link, password_by: [sender, code-page, sms]}", "code-page is weak, and is tried last"),
        ("link", "they get no page to see who opened a link"),
    ],
)
def test_what_is_weak_is_said_with_its_place(keys: str, said: str) -> None:
    [warning] = warned(f"id: a, then: {{attachments: {keys}}}")
    assert said in warning
    assert warning.startswith("a.yaml:4:")


@pytest.mark.parametrize(
    "then",
    [
        "{attachments: native}",
        "{attachments: link, notify: sender}",
        "{attachments: {protect: link, password_by: [sms, sender, code-page]}}",
        "{attachments: {protect: link, key: {bits: 40}, password_by: sms}, notify: sender}",
        "{attachments: {protect: zip-aes256, hide_names: true}}",
        "{attachments: block, confirm: attachments}",
        "{attachments: block, hold: 5m}",
    ],
)
def test_what_is_sound_is_left_alone(then: str) -> None:
    assert warned(f"id: a, then: {then}") == []


AGREED = "id: a, when: {recipient: partner.example.com}, then: {attachments: {protect: native, password_by: preagreed%s}}"


@pytest.mark.parametrize(
    "rules",
    [
        (AGREED % "", "id: b, then: {attachments: {protect: zip-aes256, password_by: [sms, sender]}}"),
        ("id: a, then: {attachments: {protect: native, password_by: sms}}",
         "id: b, then: {attachments: {protect: link, password_by: sender}}"),
        (AGREED % ", for: matching",
         "id: b, when: {recipient: x@partner.example.com},"
         " then: {attachments: {protect: native, password_by: sms, for: all}}"),
    ],
)  # fmt: skip
def test_rules_that_leave_no_way_when_they_meet_are_named(rules: tuple[str, ...]) -> None:
    [warning] = warned(*rules)
    assert "where a (a.yaml:4) applies too, no way for the key is left" in warning


@pytest.mark.parametrize(
    "rules",
    [
        (AGREED % "", "id: b, then: {attachments: native}"),
        (AGREED % "", "id: b, then: {attachments: {protect: block, for: all}, hold: 5m}"),
        (AGREED % "", "id: b, monitor: true, then: {attachments: {protect: native, password_by: sms}}"),
        (AGREED % ", for: matching",
         "id: b, when: {recipient: .example.net}, then: {attachments: {protect: native, password_by: sms, for: matching}}"),
        ("id: a, when: {external: {at_most: 3}}, then: {attachments: {protect: native, password_by: sms}}",
         "id: b, when: {external: {at_least: 4}}, then: {attachments: {protect: native, password_by: sender}}"),
    ],
)  # fmt: skip
def test_rules_that_agree_or_never_meet_are_left_alone(rules: tuple[str, ...]) -> None:
    assert warned(*rules) == []
