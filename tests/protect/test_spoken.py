"""What is said on the telephone."""

from __future__ import annotations

import pytest

from gateway.protect.keys import Style, new_key
from gateway.protect.spoken import spoken
from gateway.protect.words import JAPANESE, romanised
from tests.protect.sample import entropy


@pytest.mark.parametrize(
    ("key", "language", "expected"),
    [
        (
            "sakura-buna",
            "ja",
            (
                "sakura: さくら（桜のサ、クラブのク、ラジオのラ）",
                "ハイフン",
                "buna: ブラジルのビー、ユニオンのユー、日本のエヌ、アメリカのエー",
            ),
        ),
        ("kb7", "ja", ("kb7: 韓国のケー、ブラジルのビー、数字のなな",)),
        ("kb7-x4", "en", ("kb7: Kilo, Bravo, digit seven", "hyphen", "x4: X-ray, digit four")),
        ("acorn", "en", ("acorn: Alfa, Charlie, Oscar, Romeo, November",)),
        ("kb7", "fr", ("kb7: Kilo, Bravo, digit seven",)),
    ],
)
def test_examples(key: str, language: str, expected: tuple[str, ...]) -> None:
    assert spoken(key, language) == expected


def test_voiced_kana_are_told_from_their_plain_ones() -> None:
    assert spoken("tanabata", "ja") == (
        "tanabata: たなばた（たばこのタ、名古屋のナ、はがきのハに濁点、たばこのタ）",
    )


@pytest.mark.parametrize("style", Style)
@pytest.mark.parametrize("language", ["ja", "en"])
def test_every_key_can_be_said(style: Style, language: str) -> None:
    for seed in range(30):
        key = new_key(style, entropy(seed)).text
        lines = spoken(key, language)
        assert [line.partition(":")[0] for line in lines[::2]] == key.split("-")


def test_every_japanese_word_can_be_said() -> None:
    for word in JAPANESE:
        (line,) = spoken(romanised(word), "ja")
        assert line.count("の") >= len(word)
        assert f" {word}（" in line
