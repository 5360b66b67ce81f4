"""All detectors over one text at once."""

from __future__ import annotations

from unicodedata import category

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.detect.findings import findings
from gateway.detect.plain import folded
from gateway.message.evidence import Findings
from tests.detect.number_texts import card, company, my, spaced

TEXT = f"""佐藤様
パスワードは Sports#2026 です。電話 045-671-2121、office@example.jp まで。
東京都千代田区霞が関1-1-1
個人番号：{my("12345678901")} 職員の番号は{" " * 80}{my("98765432109")}{" " * 80}
法人番号 {company("700012050002")}
VISA {spaced(card("453201511283036"))}
氏名,住所
佐藤花子,横浜市中区
鈴木一郎,川崎市幸区
"""


def test_everything_in_a_text_is_counted() -> None:
    assert findings(folded(TEXT)) == Findings(
        my_number=1,
        my_number_possible=1,
        corporate_number=1,
        card=1,
        phone=1,
        postal_address=1,
        mail_address=1,
        person=2,
        password=1,
    )


def test_a_person_in_the_text_and_in_a_table_counts_once() -> None:
    sheet = [["氏名", "住所"], ["佐藤花子", "横浜市中区"], ["田中次郎", "横浜市西区"]]
    assert findings(folded(TEXT), [sheet]).person == 3
    assert findings("", [sheet, sheet]).person == 2


def test_nothing_is_found_in_nothing() -> None:
    assert findings("") == Findings()


@given(st.text(max_size=200))
def test_any_text_is_read(text: str) -> None:
    findings(folded(text))


@pytest.mark.parametrize(
    "piece", ["1 ", "T-1 ", "0(", "東京都区", "パスワード(", "a@a.", "名,", "|", "添付", "ー1"]
)
def test_hostile_texts_are_read_to_their_end(piece: str) -> None:
    findings(folded(piece * (30_000 // len(piece)) + "1x"))


def test_short_texts_are_folded_like_long_ones() -> None:
    filling = "件名" * 500
    signs = [sign for sign in map(chr, range(0x10000)) if category(sign) in ("Pd", "Zs", "Cf", "Cc", "Sm")]
    assert len(signs) > 200
    for sign in signs:
        assert folded(f"あ{sign}あ{filling}") == folded(f"あ{sign}あ") + filling
