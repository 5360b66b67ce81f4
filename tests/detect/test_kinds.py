"""What a file is: by its octets, whatever its name says."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.detect.containers import MAX_ENTRIES, MAX_MEMBERS, kind_of_ole
from gateway.detect.kinds import KINDS, fits_name, kind_of
from tests.detect.files import DISGUISED, FILES, archive, ole


@pytest.mark.parametrize(("name", "octets", "kind"), [*FILES, *DISGUISED])
def test_a_file(name: str, octets: bytes, kind: str) -> None:
    assert kind_of(name, octets) == kind
    assert kind in KINDS or not kind


@pytest.mark.parametrize(("name", "octets", "kind"), FILES, ids=[name for name, _, _ in FILES])
def test_a_file_of_its_own_name_fits_it(name: str, octets: bytes, kind: str) -> None:
    assert fits_name(kind_of(name, octets), name) is True


@pytest.mark.parametrize(
    ("kind", "name", "fits"),
    [
        ("exe", "report.pdf", False),
        ("exe", "report.pdf.EXE", True),
        ("exe", "report.pdf. ", False),
        ("xlsm", "a.xlsx", False),
        ("xlsx", "a.xlsm", True),
        ("jpeg", "a.JPG", True),
        ("jpeg", "a.png", False),
        ("text", "a.csv", True),
        ("text", "a.docx", False),
        ("zip", "a.docx", False),
        ("", "a.pdf", None),
        ("pdf", "plan", True),
        ("pdf", "plan.2026", True),
        ("pdf", ".pdf", True),
        ("exe", "a.exe", True),
    ],
)
def test_a_name_fits_a_kind(kind: str, name: str, fits: bool | None) -> None:
    assert fits_name(kind, name) is fits


@given(st.sampled_from([octets for _, octets, _ in FILES]), st.binary(max_size=40), st.integers(0, 700))
def test_damaged_files_are_something_too(octets: bytes, noise: bytes, at: int) -> None:
    broken = octets[:at] + noise + octets[at + len(noise) :]
    assert kind_of("a.docx", broken) is not None
    assert kind_of("a.docx", octets[:at]) is not None


def test_names_in_an_archive_are_read_up_to_a_bound() -> None:
    made = archive(
        *[f"{number}.txt" for number in range(MAX_MEMBERS)], "[Content_Types].xml", "word/document.xml"
    )
    assert kind_of("a.zip", made) == "zip"


def test_a_directory_that_runs_in_a_circle_ends() -> None:
    made = bytearray(ole("x"))
    made[512 + 4 : 512 + 8] = (1).to_bytes(4, "little")  # the directory's sector follows itself
    assert kind_of_ole(bytes(made)) == "ole"
    assert MAX_ENTRIES >= 1000
