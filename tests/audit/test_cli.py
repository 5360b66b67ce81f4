"""`sekisho log` and `sekisho held` as people run them: output, exit codes, nothing a terminal would obey."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from gateway.audit.export import BOM
from gateway.cli import main
from gateway.cli.printable import printable


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def test_query_prints_no_control_characters(state: Path, history: tuple[str, str]) -> None:
    result = run("log", "query", "--state", state, "--sender", "clerk@sports.example.jp")
    assert result.exit_code == 0
    assert len(result.output.splitlines()) == 5
    assert "\x1b" not in result.output
    assert "危険" in result.output


def test_query_as_json_lines(state: Path, history: tuple[str, str]) -> None:
    result = run("log", "query", "--state", state, "--json", "--kind", "accepted", "--queue-id", history[1])
    (entry,) = [json.loads(line) for line in result.output.splitlines()]
    assert (entry["kind"], entry["detail"]["subject"]) == ("accepted", "プール休館")


@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_export_to_a_file_and_to_standard_output_is_the_same(state: Path, history: object, form: str) -> None:
    file = state.parent / "out"
    asked = "log", "export", "--state", state, "--until", "2026-05-01", "--format", form
    assert run(*asked, "--output", file).exit_code == 0
    written = file.read_bytes()
    assert written == run(*asked).stdout_bytes
    assert written.startswith(BOM.encode()) == (form == "csv")


def test_export_to_where_nothing_can_be_written(state: Path, history: object) -> None:
    result = run("log", "export", "--state", state, "--output", state / "no" / "out.csv")
    assert result.exit_code == 1
    assert "out.csv cannot be written: No such file or directory" in result.output


def test_verify_says_so_with_its_exit_code(state: Path, history: object) -> None:
    result = run("log", "verify", "--state", state)
    assert (result.exit_code, "7 events, an unbroken chain, sealed" in result.output) == (0, True)
    with sqlite3.connect(state / "sekisho.db") as connection:
        connection.execute("UPDATE events SET at = 0 WHERE seq = 3")
    connection.close()
    result = run("log", "verify", "--state", state, "--json")
    assert result.exit_code == 1
    assert json.loads(result.stdout)["seq"] == 3


def altered(state: Path, statement: str) -> None:
    with sqlite3.connect(state / "sekisho.db") as connection:
        connection.execute(statement)
    connection.close()


def test_an_altered_detail_is_shown_as_it_stands(state: Path, history: object) -> None:
    altered(state, "UPDATE events SET detail = '{broken' WHERE seq = 3")
    result = run("log", "query", "--state", state)
    assert (result.exit_code, '{"unreadable": "{broken"}' in result.output) == (0, True)
    assert run("log", "export", "--state", state).exit_code == 0


def test_an_event_that_cannot_be_read_is_said_in_one_line(state: Path, history: object) -> None:
    altered(state, "UPDATE events SET at = 'noon' WHERE seq = 3")
    for command in ("query", "export"):
        result = run("log", command, "--state", state)
        assert result.exit_code == 1
        assert "sekisho log verify" in result.stderr.strip().splitlines()[-1]
    assert run("log", "verify", "--state", state).exit_code == 1


@pytest.mark.parametrize("command", ["query", "export", "verify"])
def test_a_database_that_is_none_is_said_in_one_line(state: Path, history: object, command: str) -> None:
    for name in ("sekisho.db-wal", "sekisho.db-shm"):
        (state / name).unlink(missing_ok=True)
    (state / "sekisho.db").write_text("junk")
    result = run("log", command, "--state", state)
    assert (result.exit_code, len(result.stderr.strip().splitlines())) == (1, 1)


def test_verify_without_the_key_says_what_it_did_not_check(state: Path, history: object) -> None:
    (state / "master.key").unlink()
    result = run("log", "verify", "--state", state)
    assert (result.exit_code, "seal not checked" in result.output) == (0, True)


def test_list_and_show(state: Path, history: tuple[str, str]) -> None:
    listed = run("held", "list", "--state", state)
    assert history[1] in listed.output
    assert history[0] not in listed.output
    shown = json.loads(run("held", "show", history[0], "--state", state, "--json").output)
    assert [recipient["state"] for recipient in shown["recipients"]] == ["cancelled", "delivered"]
    assert "\x1b" not in run("held", "show", history[0], "--state", state).output


def test_cancel_and_its_truth(state: Path, history: tuple[str, str]) -> None:
    first = run("held", "cancel", history[1], "--state", state, "--recipient", "R0@example.com")
    assert (first.exit_code, "it does not leave" in first.output) == (0, True)
    again = run("held", "cancel", history[1], "--state", state, "--json")
    assert again.exit_code == 1
    assert json.loads(again.output)["not_done"] == [["r0@example.com", "cancelled"]]


def test_a_cancel_that_may_come_too_late_says_so(state: Path, history: tuple[str, str]) -> None:
    with sqlite3.connect(state / "sekisho.db") as connection:
        connection.execute("UPDATE recipients SET perhaps = 1 WHERE queue_id = ? AND idx = 0", [history[1]])
    connection.close()
    result = run("held", "cancel", history[1], "--state", state)
    assert result.exit_code == 1
    assert "r0@example.com: cancelled, but it may have arrived already" in result.output
    shown = run("held", "show", history[1], "--state", state)
    assert "may have arrived already" in shown.output
    event = run("log", "query", "--state", state, "--json", "--kind", "cancelled", "--queue-id", history[1])
    assert json.loads(event.output.splitlines()[-1])["detail"] == {"may_have_arrived": "0"}


def test_a_record_that_cannot_be_read_is_listed(state: Path, history: tuple[str, str]) -> None:
    with sqlite3.connect(state / "sekisho.db") as connection:
        connection.execute("UPDATE messages SET envelope = '{' WHERE queue_id = ?", [history[1]])
    connection.close()
    result = run("held", "list", "--state", state)
    assert (result.exit_code, "its record cannot be read" in result.output) == (0, True)
    assert run("held", "cancel", history[1], "--state", state).exit_code == 0


def test_release(state: Path, history: tuple[str, str]) -> None:
    result = run("held", "release", history[1], "--state", state)
    assert (result.exit_code, "released" in result.output) == (0, True)


WRONG = [
    (("held", "list"), 2, "--state"),
    (("held", "list", "--state", "nowhere"), 2, "no state directory"),
    (("held", "show", "NOSUCH", "--state", "STATE"), 1, "no message"),
    (("held", "cancel", "SECOND", "--state", "STATE", "--recipient", "x@example.jp"), 2, "no recipient"),
    (("log", "query", "--state", "STATE", "--kind", "nonsense"), 2, "nonsense"),
    (("log", "verify"), 2, "--state"),
]


@pytest.mark.parametrize(("arguments", "code", "text"), WRONG)
def test_wrong_use_is_told(
    state: Path, history: tuple[str, str], arguments: tuple[str, ...], code: int, text: str
) -> None:
    given = {"STATE": str(state), "SECOND": history[1]}
    result = run(*[given.get(argument, argument) for argument in arguments])
    assert (result.exit_code, text in result.output) == (code, True), result.output


def test_the_settings_say_where_the_state_is(state: Path, history: tuple[str, str]) -> None:
    config = state.parent / "sekisho.yaml"
    config.write_text("hostname: mail.example.jp\nstate: state\n")
    assert history[1] in run("held", "list", "--config", config).output


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("件名 plain", "件名 plain"),
        ("a\x1b[2Jb", "a\\x1b[2Jb"),
        ("\u202eevil", "\\u202eevil"),
        ("a\r\nb", "a\\x0d\\x0ab"),
        ("\U000e0001", "\\U000e0001"),
    ],
)
def test_printable(text: str, shown: str) -> None:
    assert printable(text) == shown
