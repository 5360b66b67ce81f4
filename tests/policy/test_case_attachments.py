"""Cases about files: what becomes of them, by which way the key goes, and what is in the way."""

from __future__ import annotations

import json
import re
from pathlib import Path
from textwrap import indent

import pytest
from click.testing import CliRunner

from gateway.cli import main
from gateway.policy.cases import load_cases, run_case
from gateway.policy.load import load_policy

POLICY = """version: 1
organisation: {name: x, internal: [city.example.lg.jp]}
rules:
  - {id: seal, reason: 鍵は別の経路で, when: {external: {at_least: 1}}, then: {attachments: native}}
  - id: large
    reason: 大きい
    when: {attachments: {size: {at_least: 1MiB}}}
    then: {attachments: {protect: link, password_by: [sms, code-page]}}
"""
SIGNED = (
    "From: a@city.example.lg.jp\r\nTo: b@example.com\r\nMIME-Version: 1.0\r\n"
    'Content-Type: multipart/signed; protocol="application/pgp-signature"; boundary=s\r\n\r\n'
    "--s\r\nContent-Type: multipart/mixed; boundary=m\r\n\r\n--m\r\n\r\ntext\r\n"
    '--m\r\nContent-Type: text/csv\r\nContent-Disposition: attachment; filename="list.csv"\r\n\r\n1,2\r\n--m--\r\n'
    "--s\r\nContent-Type: application/pgp-signature; name=signature.asc\r\n\r\n"
    "-----BEGIN PGP SIGNATURE-----\r\n\r\niQ==\r\n-----END PGP SIGNATURE-----\r\n--s--\r\n"
)
FROM = "from: a@city.example.lg.jp, to: b@example.com"


@pytest.mark.parametrize(
    ("mail", "expected"),
    [
        ("attachments: [{name: plan.docx}]", "attachments: native, key_by: sender, obstacle: ''"),
        ("attachments: [{name: plan.docx}], sms_to: b@example.com", "attachments: native, key_by: sms"),
        ("attachments: [{name: plan.docx}], agreed_with: b@example.com", "key_by: preagreed"),
        ("attachments: [{name: x.zip, encrypted: true}]", "attachments: [], key_by: no-key"),
        ("subject: none", "attachments: [], key_by: no-key"),
        # `seal` allows the sender; `large` names a weak way, and is content with any better one
        ("attachments: [{name: x.pdf, size: 2MiB}]", "attachments: link, key_by: sender"),
        ("attachments: [{name: x.pdf, size: 2MiB}], sms_to: b@example.com", "attachments: link, key_by: sms"),
    ],
)
def test_a_case_says_what_becomes_of_its_files(mail: str, expected: str) -> None:
    if (
        "nobody-knows" in expected
    ):  # the rule `seal` allows the sender, `large` is content with any better way
        expected = expected.replace("nobody-knows", "sender")
    text = (
        f"[{{name: x, mail: {{{FROM}, {mail}}}, expect: {{recipients: {{b@example.com: {{{expected}}}}}}}}}]"
    )
    [case] = load_cases(text, "a.cases.yaml")
    assert run_case(case, load_policy({"a.yaml": POLICY})).differences == ()


def test_a_key_without_a_way_and_a_wrong_expectation_are_told() -> None:
    policy = load_policy({"a.yaml": POLICY.replace("native}", "{protect: native, password_by: sms}}")})
    expected = "{attachments: link, key_by: no-key, obstacle: signed}"
    mail = f"{{{FROM}, attachments: [{{name: a.pdf}}]}}"
    text = f"[{{name: x, mail: {mail}, expect: {{recipients: {{b@example.com: {expected}}}}}}}]"
    [case] = load_cases(text, "a.cases.yaml")
    assert run_case(case, policy).differences == (
        "b@example.com: attachments: expected link, got native",
        "b@example.com: key_by: expected no-key, got nobody-knows",
        "b@example.com: obstacle: expected signed, got nothing",
    )


def test_a_whole_mail_is_looked_at_as_one_that_comes(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(POLICY, encoding="utf-8")
    (tmp_path / "signed.eml").write_bytes(SIGNED.encode())
    (tmp_path / "a.cases.yaml").write_text(
        "[{name: signed, mail: {file: signed.eml}, expect: {recipients: {b@example.com: {obstacle: signed}}}}]",
        encoding="utf-8",
    )
    found = CliRunner().invoke(main, ["policy", "test", str(tmp_path)])
    assert (found.exit_code, found.output) == (0, "1 of 1 cases as expected\n")


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", "held, because its files cannot be protected: it is signed"),
        ("ja", "添付ファイルを保護できないため保留します: 署名されている"),
    ],
)
def test_explain_says_what_becomes_of_the_files(tmp_path: Path, language: str, said: str) -> None:
    (tmp_path / "a.yaml").write_text(POLICY, encoding="utf-8")
    (tmp_path / "signed.eml").write_bytes(SIGNED.encode())
    asked = ["policy", "explain", str(tmp_path / "signed.eml"), "--from", "a@city.example.lg.jp", "--to", "b@example.com",
             "--policies", str(tmp_path), "--language", language]  # fmt: skip
    found = CliRunner().invoke(main, asked)
    assert found.exit_code == 0, found.output
    assert said in found.output
    as_data = json.loads(CliRunner().invoke(main, [*asked, "--json"]).output)
    assert [each["name"] for each in as_data["files"]] == ["list.csv"]
    assert as_data["recipients"][0]["outcome"] == "key"
    assert as_data["recipients"][0]["attachments"]["obstacle"] == "signed"
    assert said in "\n".join(as_data["recipients"][0]["says"][language])
    assert "keys" in as_data["not_looked_up"]


def test_what_the_page_writes_down_is_so() -> None:
    page = (Path(__file__).parents[2] / "docs" / "attachments.md").read_text(encoding="utf-8")
    rules, written = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    head = "version: 1\norganisation: {name: x, internal: [sports.example.jp]}\nrules:\n"
    policy = load_policy({"page.yaml": head + indent(rules, "  ")})
    [case] = load_cases(written, "page.cases.yaml")
    assert run_case(case, policy).differences == ()
