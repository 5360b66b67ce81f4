"""The condition on a file that goes with its password: one mail or two, and what fits where nobody could tell."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.message.evidence import PASSWORD_OF, Content, Evidence, FileEvidence, Halves
from gateway.message.facts import Attachment, Facts
from gateway.message.halves import FILE, PASSWORD, PERHAPS_FILE, halves_of, holds_both
from gateway.policy.cases import load_cases, run_case
from gateway.policy.conditions.context import Need
from gateway.yaml_source import Problems
from tests.policy.test_history import ANA, BOTH, DOUBT, NEITHER, fits, mail, policy

HOUR = 3600
SEALED = FileEvidence(kind="zip", encrypted=True)
PLAIN = FileEvidence(kind="pdf", encrypted=False)
UNTOLD = FileEvidence(unread="damaged", encrypted=None)


def of(password: str | None, *files: FileEvidence, **changes: object) -> Content:
    return replace(Content(password_of=password, files=files), **changes)  # type: ignore[arg-type]


def facts_of(content: Content | None, halves: Halves | None = None, files: int | None = None) -> Facts:
    found = mail(Evidence(content=content, halves=halves), ANA)
    count = len(content.files) if content is not None and files is None else files or 0
    return replace(found, attachments=(Attachment("a.zip", 1, "application/zip"),) * count)


SAME_MAIL = [
    (of("file", SEALED), BOTH),
    (of("unsaid", SEALED), BOTH),
    (of("elsewhere", SEALED), NEITHER),
    (of("none", SEALED), NEITHER),
    (of("file", PLAIN), NEITHER),
    (of("file"), NEITHER),
    (of("file", PLAIN, SEALED), BOTH),
    (of("elsewhere", replace(SEALED, key_told=True)), BOTH),
    (of("none", replace(SEALED, key_told=True)), BOTH),
    (of("unsaid", replace(SEALED, key_told=False)), NEITHER),
    (of("file", replace(SEALED, key_told=False)), BOTH),
    (of("none", replace(SEALED, key_told=False)), NEITHER),
    (of("unsaid", replace(SEALED, key_told=False), SEALED), BOTH),
    (of("file", UNTOLD), DOUBT),
    (of("none", UNTOLD), NEITHER),
    (of(None, SEALED), DOUBT),
    (of(None, PLAIN), NEITHER),
    (of("none", SEALED, body_unread="too-large"), DOUBT),
    (of("file", FileEvidence(kind="p7m", encrypted=True)), NEITHER),
    (of("none", SEALED, body_unread="encrypted", mail_is=frozenset({"smime-encrypted"})), NEITHER),
    (of("file", SEALED, mail_is=frozenset({"pgp-encrypted"})), NEITHER),
]


@pytest.mark.parametrize(("content", "expected"), SAME_MAIL)
def test_in_one_mail(content: Content, expected: tuple[bool, bool]) -> None:
    assert fits("ppap: same-mail", facts_of(content)) == expected
    assert fits("ppap: {how: same-mail, certain: true}", facts_of(content)) == (expected[1], expected[1])


def test_what_nobody_looked_into() -> None:
    assert fits("ppap: same-mail", facts_of(None)) == NEITHER
    assert fits("ppap: same-mail", facts_of(None, files=1)) == DOUBT
    assert fits("ppap: same-mail", facts_of(of("file"), files=1)) == DOUBT
    unclear = replace(facts_of(of("file", SEALED)), unclear=frozenset({"boundary"}))
    assert fits("ppap: same-mail", unclear) == DOUBT


FOLLOWING = [
    (of("file"), Halves(file=HOUR), BOTH),
    (of("unsaid"), Halves(file=HOUR), BOTH),
    (of("elsewhere"), Halves(file=HOUR), NEITHER),
    (of("none"), Halves(file=HOUR), NEITHER),
    (of("file"), Halves(file=25 * HOUR), NEITHER),
    (of("file"), Halves(password=HOUR), NEITHER),
    (of("file"), Halves(), NEITHER),
    (of("file"), None, DOUBT),
    (of("none"), None, NEITHER),
    (of(None), Halves(file=HOUR), DOUBT),
    (of("file"), Halves(perhaps_file=HOUR), DOUBT),
    (of("file"), Halves(file=HOUR, perhaps_file=0), BOTH),
    (of("none", body_unread="damaged"), Halves(file=0), DOUBT),
    (of("none", body_unread="encrypted", mail_is=frozenset({"smime-encrypted"})), Halves(file=0), NEITHER),
    (None, Halves(file=0), DOUBT),
    (None, Halves(), NEITHER),
]
PRECEDING = [
    (of("none", SEALED), Halves(password=HOUR), BOTH),
    (of("none", SEALED), Halves(file=HOUR), NEITHER),
    (of("none", SEALED), Halves(password=25 * HOUR), NEITHER),
    (of("none", PLAIN), Halves(password=HOUR), NEITHER),
    (of("none", UNTOLD), Halves(password=HOUR), DOUBT),
    (of("none", SEALED), None, DOUBT),
    (of("none"), None, NEITHER),
]


@pytest.mark.parametrize(
    ("how", "content", "halves", "expected"),
    [("following", *each) for each in FOLLOWING] + [("preceding", *each) for each in PRECEDING],
)
def test_in_two_mails(
    how: str, content: Content | None, halves: Halves | None, expected: tuple[bool, bool]
) -> None:
    assert fits(f"ppap: {how}", facts_of(content, halves)) == expected
    assert fits("ppap: any", facts_of(content, halves)) == expected


def test_how_far_apart() -> None:
    late = facts_of(of("file"), Halves(file=2 * HOUR))
    assert fits("ppap: {how: following, within: 1h}", late) == NEITHER
    assert fits("ppap: {how: following, within: 2h}", late) == BOTH
    with pytest.raises(Problems, match="at most 7d"):
        policy("ppap: {how: following, within: 8d}")


def test_what_is_looked_up() -> None:
    assert policy("ppap: same-mail").needs == Need.CONTENT
    assert policy("ppap: [same-mail, following]").needs == Need.CONTENT | Need.HALVES
    assert policy("ppap: any").needs == Need.CONTENT | Need.HALVES
    assert policy("password_follows: true").needs == Need.CONTENT


def test_what_is_noted_for_later_mail() -> None:
    assert halves_of(of("file", SEALED), 1) == FILE | PASSWORD
    assert halves_of(of("none", UNTOLD), 1) == PERHAPS_FILE
    assert halves_of(of("elsewhere", PLAIN), 1) == 0
    assert halves_of(None, 1) == PERHAPS_FILE
    assert halves_of(None, 0) == 0


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (Content(password_follows=True), BOTH),
        (Content(password_follows=False), NEITHER),
        (Content(password_follows=False, body_unread="damaged"), DOUBT),
        (Content(), DOUBT),
        (None, DOUBT),
    ],
)
def test_a_password_that_is_announced(content: Content | None, expected: tuple[bool, bool]) -> None:
    assert fits("password_follows: true", facts_of(content)) == expected


contents = st.builds(
    Content,
    password_of=st.none() | st.sampled_from(PASSWORD_OF),
    body_unread=st.sampled_from(["", "damaged"]),
    files=st.lists(
        st.builds(
            FileEvidence,
            encrypted=st.sampled_from([None, False, True]),
            key_told=st.sampled_from([None, False, True]),
        ),
        max_size=3,
    ).map(tuple),
)


@given(contents, st.integers(0, 3))
def test_knowing_less_is_never_another_answer(content: Content, number: int) -> None:
    """Law: what nobody looked into may turn an answer into doubt, not into its opposite."""
    known = holds_both(content, len(content.files))
    files = [replace(each, encrypted=None) if at == number else each for at, each in enumerate(content.files)]
    less = holds_both(replace(content, files=tuple(files)), len(files))
    assert less is None or less is known
    unread = holds_both(replace(content, password_of=None, body_unread="too-slow"), len(content.files))
    assert unread is None or unread is known


CASES = """
- name: 同じメール
  mail: {from: a@example.jp, to: b@example.com, body: "PW: Kx8-22mQ", attachments: [{name: a.zip, encrypted: true}]}
  expect: {rules: [r]}
- name: a password that is said to be of nothing opens it
  mail:
    from: a@example.jp
    to: b@example.com
    attachments: [{name: a.zip, encrypted: true, key_told: true}]
  expect: {rules: [r]}
- name: the password follows
  mail: {from: a@example.jp, to: b@example.com, body: "pw: Kx8-22mQ", encrypted_file_before: 2h}
  expect: {rules: [r]}
- name: the password goes first
  mail: {from: a@example.jp, to: b@example.com, password_before: 1h, attachments: [{name: a.zip, encrypted: true}]}
  expect: {rules: [r]}
- name: the password is told by telephone
  mail:
    from: a@example.jp
    to: b@example.com
    body: パスワードは電話でお伝えします
    attachments: [{name: a.zip, encrypted: true}]
  expect: {rules: []}
"""


def test_cases_can_say_it() -> None:
    results: list[Any] = [run_case(case, policy("ppap: any")) for case in load_cases(CASES, "x.cases.yaml")]
    assert [result.differences for result in results] == [()] * 5
