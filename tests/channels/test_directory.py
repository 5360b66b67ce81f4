"""The directory file: what administrators and their spreadsheets write."""

from __future__ import annotations

from pathlib import Path

import pytest
from structlog.testing import capture_logs

from gateway.channels import directory as module
from gateway.channels.directory import Directory, read
from gateway.yaml_source import Problems

NUMBERS = {"a@example.com": "+819012345678", "b@example.net": "+818011112222"}


def write(path: Path, text: str, encoding: str = "utf-8") -> Path:
    path.write_bytes(text.encode(encoding))
    return path


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("a@example.com,090-1234-5678\nb@example.net,080-1111-2222\n", "utf-8"),
        ("address,number\r\nA@Example.COM,+81 90 1234 5678\r\nb@example.net,08011112222\r\n", "utf-8-sig"),
        ("# 相手先\n\na@example.com , ０９０－１２３４－５６７８,\nb@example.net,080-1111-2222,,\n", "utf-8"),
        ('"a@example.com","090-1234-5678"\n"b@example.net","080-1111-2222"', "utf-8"),
        (
            "a@example.com,090-1234-5678\nb@example.net,080-1111-2222\na@example.com,+819012345678\n",
            "utf-8",
        ),
    ],
)
def test_what_spreadsheets_write_is_read(tmp_path: Path, text: str, encoding: str) -> None:
    assert read(write(tmp_path / "d.csv", text, encoding)) == NUMBERS


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("a@example.com,90-1234-5678\n", 1, "country"),
        ("a@example.com,090-1234-5678\nb@example.net,090-1111-222\n", 2, "digits"),
        ("a@example.com,03-1234-5678\n", 1, "landline"),
        ("a@example.com,9.01E+10\n", 1, "no digit"),
        ("a@example.com,\n", 1, "two columns"),
        ("a@example.com,090-1234-5678,Tanaka\n", 1, "two columns"),
        ("tanaka,090-1234-5678\n", 1, "no address"),
        ("a%example.com@example.net,090-1234-5678\n", 1, "two ways"),
        ("a@example.com,090-1234-5678\nA@example.com,080-1111-2222\n", 2, "another number"),
        ('a@example.com,"090-1234-5678\n', 1, "not CSV"),
        ("number,address\n", 1, "no address"),
    ],
)
def test_a_problem_names_its_line_and_no_number(tmp_path: Path, text: str, line: int, words: str) -> None:
    with pytest.raises(Problems, match=words) as caught:
        read(write(tmp_path / "d.csv", text))
    assert [problem.line for problem in caught.value.problems] == [line]
    assert "1234" not in str(caught.value)


def test_all_problems_are_told_at_once_but_not_thousands(tmp_path: Path) -> None:
    with pytest.raises(Problems) as caught:
        read(write(tmp_path / "d.csv", "x\n" * 1000))
    assert [problem.line for problem in caught.value.problems] == [*range(1, module.MAX_PROBLEMS + 1)]


def test_another_encoding_is_told_with_its_line(tmp_path: Path) -> None:
    path = write(tmp_path / "d.csv", "a@example.com,090-1234-5678\n# 田中\n", "cp932")
    with pytest.raises(Problems, match="UTF-8") as caught:
        read(path)
    assert caught.value.problems[0].line == 2


def test_size_and_number_of_entries_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path / "d.csv", "".join(f"a{n}@example.com,090-1234-5678\n" for n in range(12)))
    monkeypatch.setattr(module, "MAX_ENTRIES", 10)
    with pytest.raises(Problems, match="more than 10 entries"):
        read(path)
    monkeypatch.setattr(module, "MAX_OCTETS", 100)
    with pytest.raises(Problems, match="larger than"):
        read(path)


def test_numbers_are_found_however_an_address_is_written(tmp_path: Path) -> None:
    directory = Directory(write(tmp_path / "d.csv", "a@example.com,090-1234-5678\n"))
    asked = ["A@EXAMPLE.com", "c@example.com", "@relay.example:a@example.com", "nonsense"]
    assert directory.numbers_known(asked) == {"A@EXAMPLE.com"}
    assert directory.number_of("a@example.com") == "+819012345678"


def test_without_a_file_nobody_has_a_number() -> None:
    directory = Directory(None)
    directory.refresh()
    assert directory.numbers_known(["a@example.com"]) == frozenset()


def test_a_file_that_is_broken_from_the_start_is_told_and_mended_later(tmp_path: Path) -> None:
    with capture_logs() as logs:
        directory = Directory(tmp_path / "d.csv")
    assert is_broken(directory)
    assert [each["event"] for each in logs] == ["directory.broken"]
    assert directory.numbers_known(["a@example.com"]) == frozenset()
    replace(tmp_path / "d.csv", "a@example.com,090-1234-5678\n")
    directory.refresh()
    assert not is_broken(directory)
    assert directory.numbers_known(["a@example.com"]) == {"a@example.com"}


def test_a_change_is_read_and_a_broken_edit_keeps_what_was_good(tmp_path: Path) -> None:
    path = write(tmp_path / "d.csv", "a@example.com,090-1234-5678\n")
    directory = Directory(path)
    replace(path, "a@example.com,080-1111-2222\n")
    directory.refresh()
    assert directory.number_of("a@example.com") == "+818011112222"
    replace(path, "a@example.com,090\n")
    with capture_logs() as logs:
        directory.refresh()
        directory.refresh()
    assert [each["event"] for each in logs] == ["directory.broken"]
    assert is_broken(directory)
    assert directory.number_of("a@example.com") == "+818011112222"
    path.unlink()
    directory.refresh()
    assert directory.number_of("a@example.com") == "+818011112222"
    replace(path, "a@example.com,090-1234-5678\n")
    directory.refresh()
    assert not is_broken(directory)
    assert directory.number_of("a@example.com") == "+819012345678"


def test_no_number_is_logged(tmp_path: Path) -> None:
    path = write(tmp_path / "d.csv", "a@example.com,090-1234-5678\n")
    directory = Directory(path)
    with capture_logs() as logs:
        replace(path, "a@example.com,090-1234-56789\nb@example.com,03-1234-5678\n")
        directory.refresh()
        replace(path, "a@example.com,090-1234-9999\n")
        directory.refresh()
    assert "1234" not in repr(logs)


def is_broken(directory: Directory) -> bool:
    return directory.problems is not None


def replace(path: Path, text: str) -> None:
    """Put another version in the file's place, as careful editors do."""
    new = write(path.with_suffix(".new"), text)
    new.replace(path)
