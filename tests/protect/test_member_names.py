"""Names inside archives: what people called their files, and nothing that does harm where it is unpacked."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.protect.member_names import MAX_NAME_OCTETS, member_names


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("令和8年度 名簿（体育館）.csv", "令和8年度 名簿（体育館）.csv"),
        ("①見積書 髙橋様 ㈱.xlsx", "①見積書 髙橋様 ㈱.xlsx"),
        ("𠮷田😀.txt", "𠮷田😀.txt"),
        (unicodedata.normalize("NFD", "ガイドが.pdf"), "ガイドが.pdf"),
        ("../../etc/passwd", "_.._etc_passwd"),
        ("..\\..\\a.exe", "_.._a.exe"),
        ("/absolute.txt", "_absolute.txt"),
        ("C:\\windows\\a.txt", "C__windows_a.txt"),
        ("a\x00b\r\nc.txt", "a b  c.txt"),
        ("report\u202efdp.exe", "report_fdp.exe"),
        ("zero\u200bwidth.txt", "zero_width.txt"),
        ("con", "_con"),
        ("NUL.txt", "_NUL.txt"),
        ("com1.tar.gz", "_com1.tar.gz"),
        ("console.txt", "console.txt"),
        ("trailing. . .", "trailing"),
        (".htaccess", "htaccess"),
        ("", "file"),
        ("...", "file"),
        ("   ", "file"),
        ('a<b>c:"d"|e?f*.txt', "a_b_c__d__e_f_.txt"),
    ],
)
def test_one_name(name: str, expected: str) -> None:
    assert member_names([name]) == (expected,)


def test_equal_names_are_numbered_also_where_capitals_do_not_count() -> None:
    names = ["名簿.csv", "名簿.csv", "A.TXT", "a.txt", "名簿 (2).csv", "名簿.csv"]
    assert member_names(names) == (
        "名簿.csv",
        "名簿 (2).csv",
        "A.TXT",
        "a (2).txt",
        "名簿 (2) (2).csv",
        "名簿 (3).csv",
    )


def test_a_long_name_keeps_its_suffix() -> None:
    (name,) = member_names(["長" * 300 + ".xlsx"])
    assert name.endswith("長.xlsx")
    assert len(name.encode()) <= MAX_NAME_OCTETS
    _, second = member_names(["長" * 300 + ".xlsx"] * 2)
    assert second.endswith(" (2).xlsx")


@given(st.lists(st.text(max_size=400), max_size=20))
def test_whatever_the_names_are(names: list[str]) -> None:
    given_out = member_names(names)
    assert len(given_out) == len(names)
    assert len({each.casefold() for each in given_out}) == len(names)
    for name in given_out:
        assert 0 < len(name.encode()) <= MAX_NAME_OCTETS
        assert not set(name) & set('/\\:*?"<>|')
        assert name.replace("\u3000", " ").isprintable()
        assert name not in (".", "..")
        assert name[-1] not in ". "
