"""`sekisho policy explain` knows the mail and nobody else: what it did not look up it says, and takes for doubt."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from gateway.cli import main

POLICY = """version: 1
organisation: {name: x, internal: [example.jp]}
rules:
  - {id: new, reason: why, when: {new_recipient: sender}, then: {hold: 10m}}
  - {id: added, reason: why, when: {added_to_reply: {at_least: 1}}, then: {hold: 20m}}
"""
MAIL = "From: clerk@example.jp\nTo: ana@example.com\n{}Subject: hi\n\nbody\n"


@pytest.mark.parametrize(
    ("field", "rules"), [("", {"new"}), ("In-Reply-To: <a@example.com>\n", {"new", "added"})]
)
def test_what_was_not_looked_up_is_told(tmp_path: Path, field: str, rules: set[str]) -> None:
    (tmp_path / "p.yaml").write_text(POLICY, encoding="utf-8")
    (tmp_path / "mail.eml").write_text(MAIL.format(field), encoding="utf-8")
    people = ("--from", "clerk@example.jp", "--to", "ana@example.com", "--policies", str(tmp_path))
    command = ["policy", "explain", str(tmp_path / "mail.eml"), *people]
    data = json.loads(CliRunner().invoke(main, [*command, "--json"]).stdout)
    assert data["not_looked_up"] == ["writers", "earlier"]
    assert all(f'"{rule}"' in json.dumps(data) for rule in rules)
    assert ('"added"' in json.dumps(data)) is ("added" in rules)
    assert "not looked up here" in CliRunner().invoke(main, [*command, "--language", "en"]).stdout
    assert "照会していない" in CliRunner().invoke(main, command).stdout


def test_nothing_is_said_where_nothing_is_asked_for(tmp_path: Path) -> None:
    (tmp_path / "p.yaml").write_text(
        POLICY.replace("new_recipient: sender", "external: {at_least: 1}").replace(
            "added_to_reply: {at_least: 1}", "replies: true"
        ),
        encoding="utf-8",
    )
    (tmp_path / "mail.eml").write_text(MAIL.format(""), encoding="utf-8")
    people = ("--from", "clerk@example.jp", "--to", "ana@example.com", "--policies", str(tmp_path))
    result = CliRunner().invoke(main, ["policy", "explain", str(tmp_path / "mail.eml"), *people])
    assert result.exit_code == 0
    assert "照会" not in result.stdout
