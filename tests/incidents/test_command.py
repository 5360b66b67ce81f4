"""`sekisho incident`, beside a gateway that may run: it reads, and writes a draft into a new file."""

from __future__ import annotations

import json
from io import BytesIO
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from docx import Document

from gateway.cli import main
from gateway.incidents.contract import Answer, Asking
from gateway.incidents.door import Duty, Incidents
from gateway.spool.sql import open_spool
from gateway.store.keys import MasterKey
from tests.incidents.cases import CLERK, LATER, OFFICER, OFFICIAL, opened, ordering


@pytest.fixture
async def filled(tmp_path: Path) -> tuple[Path, str, str]:
    """A state directory with an open incident and a closed one."""
    folder = tmp_path / "state"
    folder.mkdir(mode=0o700)
    spool = open_spool(folder, MasterKey.create(folder / "master.key"))
    incidents = Incidents(spool.database, Duty(officers=(OFFICER,)), ordering)
    first = await opened(spool, incidents, 1, persons=130)
    await incidents.ask(first, Asking((1,)), CLERK, LATER)
    await incidents.answer(first, 1, Answer.DELETED, "", LATER)
    second = await opened(spool, incidents)
    await incidents.close(second, "終わりました\x1b[2J", OFFICIAL, LATER)
    await spool.close()
    return folder, first, second


def run(state: Path, *words: str, code: int = 0) -> Result:
    result = CliRunner().invoke(main, ["incident", *words, "--state", str(state)])
    assert result.exit_code == code, result.output
    return result


def test_lists_and_shows(filled: tuple[Path, str, str]) -> None:
    state, first, second = filled
    lines = run(state, "list").stdout.splitlines()
    assert {line.split()[0] for line in lines} == {first, second}
    (only,) = run(state, "list", "--open").stdout.splitlines()
    assert only.startswith(first)
    assert "asked 1, answered 1" in only
    (told,) = json.loads(run(state, "list", "--open", "--json").stdout)
    assert (told["persons"], told["open"]) == (130, True)
    said = run(state, "show", first).stdout
    assert "More than 100 persons" in said
    assert "r1@example.com: Has all of it: this cannot be undone; says: deleted" in said
    assert "取り違えました" in said
    assert "\x1b" not in run(state, "show", second).stdout
    found = json.loads(run(state, "show", first, "--json").stdout)
    assert found["wrong"] == ["r1@example.com"]
    assert [each["report"] for each in found["clocks"]] == ["preliminary", "final"]


def test_writes_a_draft_and_over_nothing(filled: tuple[Path, str, str], tmp_path: Path) -> None:
    state, first, _ = filled
    file = tmp_path / "draft.docx"
    run(state, "report", first, str(file))
    text = "\n".join(each.text for each in Document(BytesIO(file.read_bytes())).paragraphs)
    assert "130人" in text
    assert "File exists" in run(state, "report", first, str(file), code=1).output


def test_what_is_not_there_is_said(filled: tuple[Path, str, str]) -> None:
    state, *_ = filled
    assert "no incident about 3K7Q" in run(state, "show", "3K7Q", code=1).output
