"""docs/security.md and the attack files name each other: no row without a proof, no proof that is not told."""

from __future__ import annotations

import re

from tests.attacks.script import FOLDER
from tests.process import ROOT

PAGE = ROOT / "docs" / "security.md"


def rows() -> list[list[str]]:
    """Return the cells of each row of the table."""
    lines = PAGE.read_text("utf-8").splitlines()
    return [
        [cell.strip() for cell in line.strip("|").split("|")] for line in lines if re.match(r"\| \d", line)
    ]


def links(text: str) -> list[str]:
    return re.findall(r"\]\(([^)]+)\)", text)


def test_every_row_stands_there_once() -> None:
    assert [int(row[0]) for row in rows()] == list(range(1, 31))
    assert {len(row) for row in rows()} == {5}


def test_every_row_names_a_proof_that_exists_and_says_what_is_done() -> None:
    for number, attack, does, why, shown in rows():
        assert attack, number
        assert does, number
        assert why, number
        assert links(shown), f"row {number} names no file"
        for link in links(shown):
            assert (PAGE.parent / link).is_file(), link


def test_every_link_of_the_page_leads_somewhere() -> None:
    for link in links(PAGE.read_text("utf-8")):
        assert (PAGE.parent / link).exists(), link


def test_every_attack_file_is_named_in_its_row() -> None:
    named = {int(row[0]): row[4] for row in rows()}
    missing = [path.name for path in FOLDER.glob("*.dlg") if path.name not in named[int(path.name[:2])]]
    assert missing == []


def test_every_reply_that_the_page_quotes_is_expected_by_a_dialogue_or_a_test() -> None:
    played = "".join(path.read_text("utf-8") for path in FOLDER.glob("*.dlg"))
    quoted = {found for row in rows() for found in re.findall(r"`([245]\d\d \d\.\d\.\d[^`]*)`", row[2])}
    assert [reply for reply in sorted(quoted) if f" {reply}" not in played] == []
