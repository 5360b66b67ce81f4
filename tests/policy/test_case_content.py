"""Cases that say what is inside: texts go through the detectors, the rest is as it is said."""

from __future__ import annotations

import pytest

from gateway.policy.cases import load_cases, run_case
from gateway.policy.load import load_policy

POLICY = """version: 1
organisation: {name: x, internal: [city.example.lg.jp]}
keywords: {secret: [社外秘]}
rules:
  - {id: a, reason: why, when: {%s}, then: {hold: 5m}}
"""
MAIL = "from: a@city.example.lg.jp, to: p@example.com"
FILE = "attachments: [{name: a.xlsx, %s}]"


@pytest.mark.parametrize(
    ("condition", "said", "applies"),
    [
        ("phones: {at_least: 1}", "body: 電話 045-671-2121", True),
        ("phones: {at_least: 1}", "body: 電話", False),
        ("phones: {at_least: 1}", "body_unread: damaged", True),
        ("persons: {at_least: 2}", FILE % 'text: "氏名,住所\\n佐藤,中区\\n鈴木,西区"', True),
        ("text: {keywords: secret, in: attachments}", FILE % "text: 社外秘", True),
        ("text: {keywords: secret, in: attachments}", FILE % "text: 公開", False),
        ("attachments: {kind: xlsx}", FILE % "size: 1KiB", True),
        ("attachments: {kind: exe}", FILE % "kind: exe", True),
        ("attachments: {encrypted: true}", FILE % "encrypted: true", True),
        ("unread: encrypted", FILE % "encrypted: true", True),
        ("unread: true", FILE % "size: 1", False),
        ("attachments: {macros: true}", FILE % "macros: true", True),
        ("attachments: {member: '*.exe'}", FILE % "members: [b.exe]", True),
        ("attachment_forgotten: true", "body: 資料を添付します。", True),
        ("attachment_forgotten: true", "body: お知らせです。", False),
        ("greets_other: true", "body: 佐藤様", False),
        ("domain_state: missing", "domain_states: {example.com: missing}", True),
        ("domain_state: missing", "subject: x", False),
        ("look_alike: true", "known: [a@exampel.com]", True),
        ("look_alike: true", "known: [a@example.com]", False),
    ],
)
def test_a_case_says_what_is_inside(condition: str, said: str, applies: bool) -> None:
    rules = "[a]" if applies else "[]"
    text = f"- {{name: x, mail: {{{MAIL}, {said}}}, expect: {{rules: {rules}}}}}\n"
    [case] = load_cases(text, "x.cases.yaml")
    assert run_case(case, load_policy({"policy.yaml": POLICY % condition})).differences == ()
