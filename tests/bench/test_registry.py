"""The registry, the page and the command line tell the same."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.bench import __main__ as command
from tests.bench.figures import Aim
from tests.bench.markdown import HEAD
from tests.bench.registry import TASKS, named

PAGE = (Path(__file__).parents[2] / "docs" / "performance.md").read_text(encoding="utf-8")


def test_the_page_names_every_task_and_no_other() -> None:
    listed = re.search(r"(?ms)^\| task \|.*?\n\n", PAGE)
    assert listed is not None
    assert re.findall(r"(?m)^\| `([\w-]+)` \|", listed[0]) == [task.name for task in TASKS]


def test_the_page_has_a_place_for_the_table() -> None:
    begin, end = PAGE.index("<!-- bench: begin -->"), PAGE.index("<!-- bench: end -->")
    assert HEAD[0] in PAGE[begin:end]


def test_every_promise_of_the_page_is_one_of_a_figure() -> None:
    promised = {figure.name for task in TASKS for figure in task.figures if isinstance(figure.aim, Aim)}
    listed = re.search(r"(?ms)^\| promise \|.*?\n\n", PAGE)
    assert listed is not None
    assert set(re.findall(r"`([\w-]+)`", listed[0])) == promised


def test_names_are_used_once_and_what_is_not_promised_says_why() -> None:
    figures = [figure for task in TASKS for figure in task.figures]
    for names in ([task.name for task in TASKS], [figure.name for figure in figures]):
        assert len(names) == len(set(names))
    for figure in figures:
        assert figure.aim != ""
        assert isinstance(figure.aim, str) or figure.aim.of == "value" or figure.peer
        if isinstance(figure.aim, Aim):
            assert (figure.better == "less") == (figure.aim.bound == "most")


def test_tasks_are_chosen_by_name_in_the_order_given() -> None:
    assert [task.name for task in named(["e2e", "hold"])] == ["e2e", "hold"]
    assert named([]) == list(TASKS)


def test_the_list_names_every_figure(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["--list"]) == 0
    text = capsys.readouterr().out
    assert all(figure.name in text and figure.title in text for task in TASKS for figure in task.figures)


@pytest.mark.parametrize(
    "words", [["holt"], ["--rounds", "0"], ["--scale", "1000"], ["--minutes", "-1"], ["--workers", "x"]]
)
def test_what_cannot_be_done_is_refused_before_anything_starts(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as refused:
        command.main(words)
    assert refused.value.code == 2
    assert "error:" in capsys.readouterr().err
