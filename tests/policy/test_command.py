"""`sekisho policy`: what it prints and how it ends."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from gateway.cli import main

ROOT = Path(__file__).parents[2]
SHIPPED = str(ROOT / "policies")
MAIL = "From: desk@sports.example.jp\nTo: p@example.com, q@example.com\nSubject: hi\n\nbody\n"


def sekisho(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["policy", *arguments])


@pytest.fixture
def broken(tmp_path: Path) -> str:
    (tmp_path / "a.yaml").write_text("version: 1\nrulez: []\n", encoding="utf-8")
    return str(tmp_path)


@pytest.fixture
def mail(tmp_path: Path) -> str:
    path = tmp_path / "mail.eml"
    path.write_text(MAIL, encoding="utf-8")
    return str(path)


def test_check_of_a_good_folder() -> None:
    result = sekisho("check", SHIPPED)
    assert result.exit_code == 0
    assert result.stdout.startswith("ok: 2 rules, 8 cases, ")
    assert json.loads(sekisho("check", SHIPPED, "--json").stdout)["ok"] is True


def test_check_prints_every_problem(broken: str) -> None:
    result = sekisho("check", broken)
    assert result.exit_code == 1
    assert "a.yaml:2:1: rulez: unknown key 'rulez' (did you mean 'rules'?)" in result.stdout
    problems = json.loads(sekisho("check", broken, "--json").stdout)["problems"]
    assert [problem["line"] for problem in problems] == [2]


def test_check_says_what_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "default.yaml").write_text((ROOT / "policies/default.yaml").read_text("utf-8"), "utf-8")
    (tmp_path / "more.yml").write_text("version: 1\n", encoding="utf-8")
    result = sekisho("check", str(tmp_path))
    assert result.exit_code == 1
    assert "more.yml:1:1: this file is not read" in result.stdout


def test_cases_run_and_differences_end_with_1(tmp_path: Path) -> None:
    assert sekisho("test", SHIPPED).stdout == "8 of 8 cases as expected\n"
    (tmp_path / "default.yaml").write_text((ROOT / "policies/default.yaml").read_text("utf-8"), "utf-8")
    assert sekisho("test", str(tmp_path)).exit_code == 1
    case = "- {name: n, mail: {from: a@example.jp, to: b@example.com}, expect: {rules: []}}\n"
    (tmp_path / "x.cases.yaml").write_text(case, encoding="utf-8")
    result = sekisho("test", str(tmp_path))
    assert result.exit_code == 1
    assert "rules: expected nothing, got cancel-window" in result.stdout
    assert "0 of 1 cases as expected" in result.stdout


def test_explain_shows_the_header_each_would_see(mail: str) -> None:
    people = ("--from", "desk@sports.example.jp", "--to", "p@example.com", "--to", "x@city.example.lg.jp")
    result = sekisho("explain", mail, *people, "--policies", SHIPPED, "--language", "en")
    assert result.exit_code == 0
    outside, inside = result.stdout.split("x@city.example.lg.jp [internal]")
    assert "recipients hidden (bcc)" in outside
    assert "q@example.com" not in outside
    assert "rule hide-recipients (default.yaml:27): two or more external addresses are visible" in outside
    assert "To: p@example.com, q@example.com" in inside
    assert "leaves at once" in inside


def test_explain_speaks_the_organisations_language_and_json(mail: str) -> None:
    people = ("--from", "<>", "--to", "p@example.com", "--policies", SHIPPED)
    assert "外部の宛先が2件以上見えています" in sekisho("explain", mail, *people).stdout
    data = json.loads(sekisho("explain", mail, *people, "--json").stdout)
    assert data["recipients"][0]["form"] == "bcc"
    assert "q@example.com" not in data["recipients"][0]["header"]
    assert data["notify"] == []  # the null sender is told nothing


def test_wrong_use_ends_with_2(mail: str) -> None:
    assert (
        sekisho(
            "explain", mail, "--from", "no address", "--to", "a@example.com", "--policies", SHIPPED
        ).exit_code
        == 2
    )
    assert sekisho("check", "/no/such/folder").exit_code == 2
    assert sekisho("explain", mail).exit_code == 2


def test_schema_is_the_published_one() -> None:
    assert sekisho("schema").stdout == (ROOT / "policies" / "schema.json").read_text("utf-8")


def test_docs_prints_the_reference_and_renews_a_page(tmp_path: Path) -> None:
    assert sekisho("docs").stdout.startswith("# Policy reference\n")
    assert sekisho("docs", "--language", "ja").stdout.startswith("# ポリシーのキー一覧\n")
    page = tmp_path / "page.md"
    page.write_text(
        "by hand\n<!-- keys: Hold -->\nold\n<!-- end -->\n<!-- keys: * -->\n<!-- end -->\nby hand\n", "utf-8"
    )
    assert sekisho("docs", "--write", str(page)).exit_code == 0
    text = page.read_text("utf-8")
    assert text.startswith("by hand\n<!-- keys: Hold -->\n| key | meaning | 意味 |\n")
    assert text.endswith("<!-- end -->\nby hand\n")
    page.write_text("nothing\n", "utf-8")
    assert sekisho("docs", "--write", str(page)).exit_code == 1
    assert page.read_text("utf-8") == "nothing\n"


def test_check_warns_of_what_proves_nothing(tmp_path: Path) -> None:
    text = (ROOT / "policies/default.yaml").read_text("utf-8")
    more = "  - {id: longer, reason: x, when: {external: {at_least: 3}}, then: {hold: 5m}}\n"
    (tmp_path / "default.yaml").write_text(text + more, encoding="utf-8")
    cases = (
        "- {name: a, mail: {from: a@sports.example.jp, to: b@sports.example.jp}, expect: {}}\n"
        "- {name: b, mail: {from: a@sports.example.jp}, expect: {rules: []}}\n"
    )
    (tmp_path / "x.cases.yaml").write_text(cases, encoding="utf-8")
    result = sekisho("check", str(tmp_path))
    assert result.exit_code == 0
    for said in (
        "default.yaml:47:5: rules[2]: adds nothing: cancel-window (default.yaml:38) applies wherever it does",
        "default.yaml:47:5: rules[2]: no case meets longer",
        "x.cases.yaml:1:3: [0]: no rule applies to this mail",
        "x.cases.yaml:1:3: [0]: nothing is expected but that the mail is not refused",
        "x.cases.yaml:2:3: [1]: a case without a mail: it goes to nobody",
    ):
        assert f"warning: {tmp_path}/{said}" in result.stdout
    assert result.stdout.splitlines()[-1].startswith("ok: 3 rules, 2 cases, ")
    assert sekisho("check", str(tmp_path), "--strict").exit_code == 1
    assert len(json.loads(sekisho("check", str(tmp_path), "--json").stdout)["warnings"]) == 7
    assert sekisho("check", SHIPPED, "--strict").exit_code == 0


def test_check_names_problems_of_policies_and_cases_together(broken: str) -> None:
    Path(broken, "x.cases.yaml").write_text("- {nam: x}\n", encoding="utf-8")
    result = sekisho("check", broken)
    assert result.exit_code == 1
    assert f"{broken}/a.yaml:2:1: rulez: unknown key 'rulez'" in result.stdout
    assert f"{broken}/x.cases.yaml:1:4: [0].nam: unknown key 'nam'" in result.stdout


LEAVING = """\
version: 1
organisation: {name: x, internal: [sports.example.jp]}
disclaimers: {note: 文面です}
rules:
  - {id: gone, reason: r, when: {recipient: q@example.com}, then: {drop_recipient: true}}
  - {id: copy, reason: r, then: {bcc_to: boss@sports.example.jp, report_to: boss@sports.example.jp}}
  - {id: way, reason: r, then: {route: archive, disclaimer: note}}
"""


def test_explain_shows_what_leaves_and_to_whom(tmp_path: Path, mail: str) -> None:
    (tmp_path / "policy.yaml").write_text(LEAVING, encoding="utf-8")
    asked = (
        "explain",
        mail,
        "--from",
        "desk@sports.example.jp",
        "--to",
        "p@example.com",
        "--to",
        "q@example.com",
    )
    told = sekisho(*asked, "--policies", str(tmp_path), "--language", "en").stdout
    for expected in (
        "reports go to: boss@sports.example.jp",
        "leaves by: archive",
        "texts under it: note",
        "does not get it: a rule says so",
        "a copy; nobody else hears of it",
        "charset=utf-8",
    ):
        assert expected in told
    data = json.loads(sekisho(*asked, "--policies", str(tmp_path), "--json").stdout)
    assert [each["dropped"] for each in data["recipients"]] == [False, True, False]
    assert [each["copy"] for each in data["recipients"]] == [False, False, True]
    Path(mail).write_text(
        MAIL.replace("\n\n", "\nContent-Type: application/pkcs7-mime\n\n"), encoding="utf-8"
    )
    told = sekisho(*asked, "--policies", str(tmp_path), "--language", "ja").stdout
    assert "次の文面は付けられません: note(署名または暗号化されたメールのため)" in told


WAITS = """
version: 1
organisation: {name: x, internal: [sports.example.jp], language: ja}
groups: {hall: {senders: ["@sports.example.jp"], approvers: [boss@sports.example.jp, deputy@sports.example.jp]}}
rules:
  - id: waits
    reason: {ja: 一斉送信です, en: bulk mail}
    then:
      hold: {window: 10m, waive: reason}
      confirm: both
      approve: {by: hall, at_least: 1, within: 4h, otherwise: cancel}
  - {id: trial, reason: x, then: {recipients: bcc}, monitor: true}
"""


def test_explain_tells_whom_a_recipient_waits_for(tmp_path: Path, mail: str) -> None:
    folder = tmp_path / "policies"
    folder.mkdir()
    (folder / "hall.yaml").write_text(WAITS, encoding="utf-8")
    people = ("--from", "desk@sports.example.jp", "--to", "p@example.com", "--policies", str(folder))
    text = sekisho("explain", mail, *people, "--language", "en").stdout
    for said in (
        "waits for the sender to confirm recipients and attachments, within",
        "waits for 1 of hall to approve, within 4h, else it is cancelled",
        "may approve: boss@sports.example.jp, deputy@sports.example.jp",
        "the sender may make it leave sooner with a reason",
        "rule waits (hall.yaml:6): bulk mail",
        "a rule that only watches, trial, would apply to 1 recipients",
    ):
        assert said in text
    assert "承認待ち: hall のうち 1名(4h以内、なければ取消)" in sekisho("explain", mail, *people).stdout
    data = json.loads(sekisho("explain", mail, *people, "--json").stdout)
    [one] = data["recipients"]
    assert (one["outcome"], one["confirm"][0]["items"]) == ("approval", "both")
    assert one["approvals"][0]["steps"][0]["approvers"] == [
        "boss@sports.example.jp",
        "deputy@sports.example.jp",
    ]
    assert one["reasoned_until"] is not None
    assert data["rules"] == [
        {"rule": "waits", "ja": "一斉送信です", "en": "bulk mail", "place": "hall.yaml:6"}
    ]
    assert data["watched"] == [{"rule": "trial", "place": "hall.yaml:12", "recipients": 1}]
    assert any("承認待ち" in line for line in one["says"]["ja"])
    assert any("to approve" in line for line in one["says"]["en"])
    assert data["decision"]["digest"] == data["digest"]
