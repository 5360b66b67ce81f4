"""Cases may write their mail out, or keep it in a file; its content is read as the gateway reads it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from gateway.cli import main
from gateway.policy.case_given import CaseMail, envelope_of, octets_of
from gateway.policy.cases import load_cases
from gateway.yaml_source import Problems

POLICY = """
version: 1
organisation: {name: x, internal: [sports.example.jp]}
rules:
  - {id: number, reason: x, when: {content: {has: my_number, certain: true}}, then: {refuse: だめ}}
  - {id: wait, reason: x, when: {external: {at_least: 1}}, then: {hold: 10m}}
"""
MAIL = "From: 体育館 <desk@sports.example.jp>\nTo: p@example.com\nCc: q@example.com\nSubject: x\n\n本文\n"


def sekisho(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, ["policy", *map(str, arguments)])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "a.yaml").write_text(POLICY, "utf-8")
    (tmp_path / "mails").mkdir()
    (tmp_path / "mails" / "x.eml").write_text(MAIL, "utf-8")
    return tmp_path


def write(folder: Path, *mails: str, expect: str = "{rules: [wait]}") -> Path:
    cases = "".join(f"- {{name: n{n}, mail: {mail}, expect: {expect}}}\n" for n, mail in enumerate(mails))
    (folder / "x.cases.yaml").write_text(cases, "utf-8")
    return folder


def test_a_mail_in_a_file_and_one_written_out(folder: Path) -> None:
    written = json.dumps(MAIL, ensure_ascii=False)
    result = sekisho("test", write(folder, "{file: mails/x.eml}", f"{{raw: {written}}}"))
    assert result.stdout == "2 of 2 cases as expected\n"
    assert sekisho("diff", folder, folder).exit_code == 0


def test_whose_mail_it_is_stands_in_it_unless_it_is_written_out() -> None:
    whole = CaseMail(raw=MAIL, bcc=("b@example.net",))
    assert str(envelope_of(whole).sender) == "desk@sports.example.jp"
    assert list(map(str, envelope_of(whole).recipients)) == [
        "p@example.com",
        "q@example.com",
        "b@example.net",
    ]
    other = CaseMail(raw=MAIL, envelope=("z@example.com",), envelope_from="<>")
    assert envelope_of(other).sender is None
    assert list(map(str, envelope_of(other).recipients)) == ["z@example.com"]


def test_octets_of_a_file_stay_as_they_are() -> None:
    octets = b"From: a@example.jp\r\n\r\n" + "日本語".encode("iso-2022-jp") + b"\xff\xfe\r\n"
    assert octets_of(CaseMail(file="x").with_file(octets)) == octets
    with pytest.raises(ValueError, match="was not read"):
        octets_of(CaseMail(file="x"))


def test_the_content_of_a_case_is_read(folder: Path) -> None:
    number = "マイナンバーは123456789018です。"
    raw = (
        f"From: a@sports.example.jp\nTo: p@example.com\nContent-Type: text/plain; charset=utf-8\n\n{number}\n"
    )
    mails = [
        f"{{raw: {json.dumps(raw, ensure_ascii=False)}}}",
        "{from: a@sports.example.jp, to: p@example.com}",
    ]
    result = sekisho("test", write(folder, *mails, expect="{refused: number}"))
    assert result.exit_code == 1
    assert "1 of 2 cases as expected" in result.stdout
    assert f"{folder}/x.cases.yaml:2: n1\n    expected a refusal by number, got none\n" in result.stdout
    assert "    rules that applied: wait (a.yaml:6)\n" in result.stdout
    first, second = json.loads(sekisho("test", folder, "--json").stdout)
    assert (first["differences"], first["line"]) == ([], 1)
    assert second["applied"] == ["wait (a.yaml:6)"]


@pytest.mark.parametrize(
    ("mail", "said"),
    [
        ("{subject: x}", "the key from is missing (write from:, raw: or file:)"),
        ("{file: mails/x.eml, to: a@example.com}", "the mail stands in `file`"),
        ("{raw: x, body: y}", "the mail stands in `raw`"),
        (
            "{file: mails/none.eml}",
            "x.cases.yaml:1:27: [0].mail.file: cannot be read: No such file or directory",
        ),
    ],
)
def test_mistakes_in_mails_have_their_line(folder: Path, mail: str, said: str) -> None:
    for verb in ("check", "test"):
        result = sekisho(verb, write(folder, mail))
        assert result.exit_code == 1
        assert f"{folder}/x.cases.yaml:1:" in result.stdout
        assert said in result.stdout


def test_a_raw_mail_beside_its_file_is_a_mistake() -> None:
    with pytest.raises(Problems, match="file"):
        load_cases("- {name: x, mail: {raw: a, file: b}, expect: {}}\n", "x.cases.yaml")
