"""A key as it is said on the telephone, part by part, so that nobody has to repeat it.

Japanese words in the spelling table of the radio rules (無線局運用規則 別表第5号, 朝日のア), Latin letters to a Japanese
listener by words that everybody there knows, to others by the alphabet of ITU and NATO.
"""

from __future__ import annotations

from string import ascii_lowercase

from gateway.protect.keys import parts_of
from gateway.protect.words import BY_ROMAN

_KANA_WORDS = """
朝日のア いろはのイ 上野のウ 英語のエ 大阪のオ 為替のカ 切手のキ クラブのク 景色のケ 子供のコ
桜のサ 新聞のシ すずめのス 世界のセ そろばんのソ たばこのタ ちどりのチ つるかめのツ 手紙のテ 東京のト
名古屋のナ 日本のニ 沼津のヌ ねずみのネ 野原のノ はがきのハ 飛行機のヒ 富士山のフ 平和のヘ 保険のホ
マッチのマ 三笠のミ 無線のム 明治のメ もみじのモ 大和のヤ 弓矢のユ 吉野のヨ
ラジオのラ りんごのリ るすいのル れんげのレ ローマのロ わらびのワ
"""
_KANA = {each[-1]: each for each in _KANA_WORDS.split()}
_VOICED = dict(zip("ガギグゲゴザズゼゾダデドバビブベボ", "カキクケコサスセソタテトハヒフヘホ", strict=True))
_HALF_VOICED = dict(zip("パピプペポ", "ハヒフヘホ", strict=True))
_LATIN_JA_WORDS = """
アメリカのエー ブラジルのビー チャイナのシー デンマークのディー イングランドのイー フランスのエフ ゴルフのジー
香港のエイチ イタリアのアイ ジャパンのジェー 韓国のケー ロンドンのエル メキシコのエム 日本のエヌ
オーストラリアのオー ポルトガルのピー クイーンのキュー ローマのアール スペインのエス 東京のティー ユニオンのユー
ビクトリーのブイ ワシントンのダブリュー エックス線のエックス 横浜のワイ ゼブラのゼット
"""
_LATIN_EN_WORDS = """
Alfa Bravo Charlie Delta Echo Foxtrot Golf Hotel India Juliett Kilo Lima Mike November Oscar Papa Quebec Romeo
Sierra Tango Uniform Victor Whiskey X-ray Yankee Zulu
"""
_LATIN_JA = dict(zip(ascii_lowercase, _LATIN_JA_WORDS.split(), strict=True))
_LATIN_EN = dict(zip(ascii_lowercase, _LATIN_EN_WORDS.split(), strict=True))
_DIGITS_JA = ("ゼロ", "いち", "に", "さん", "よん", "ご", "ろく", "なな", "はち", "きゅう")
_DIGITS_EN = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_HYPHEN = {"ja": "ハイフン", "en": "hyphen"}


def spoken(key: str, language: str) -> tuple[str, ...]:
    """Return one line for each part of a key, with a line for the hyphen between; any language but `ja` is English."""
    lines: list[str] = []
    for part in parts_of(key):
        if lines:
            lines.append(_HYPHEN.get(language, _HYPHEN["en"]))
        lines.append(_japanese(part) if language == "ja" else _english(part))
    return tuple(lines)


def _japanese(part: str) -> str:
    word = BY_ROMAN.get(part)
    if word is None:
        return f"{part}: " + "、".join(_letter_ja(each) for each in part)
    return f"{part}: {word}（" + "、".join(_kana(each) for each in word) + "）"


def _english(part: str) -> str:
    return f"{part}: " + ", ".join(_letter_en(each) for each in part)


def _letter_ja(character: str) -> str:
    return f"数字の{_DIGITS_JA[int(character)]}" if character.isdigit() else _LATIN_JA[character]


def _letter_en(character: str) -> str:
    return f"digit {_DIGITS_EN[int(character)]}" if character.isdigit() else _LATIN_EN[character]


def _kana(hiragana: str) -> str:
    """Return `桜のサ` for さ, `桜のサに濁点` for ざ; hiragana and katakana are 96 apart (JIS X 0208 rows 4 and 5)."""
    kana = chr(ord(hiragana) + 96)
    plain = _VOICED.get(kana) or _HALF_VOICED.get(kana) or kana
    mark = "に濁点" if kana in _VOICED else "に半濁点" if kana in _HALF_VOICED else ""
    return _KANA[plain] + mark
