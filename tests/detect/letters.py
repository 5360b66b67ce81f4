"""Tops of letters that greet whom they go to, somebody else, or nobody by name."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Letter:
    """The top of a letter, the local parts it goes to, and whether it greets somebody else."""

    text: str
    to: tuple[str, ...]
    wrong: bool
    names: tuple[str, ...] = ()
    note: str = ""
    missed: bool = False


LETTERS = [
    Letter("佐藤様\n\nお世話になっております。", ("suzuki",), True),
    Letter("株式会社見本\n営業部 佐藤 様", ("t.suzuki",), True),
    Letter("田中先生\n先日はありがとうございました", ("yamada.hanako",), True),
    Letter("渡辺さん、こんにちは", ("takahashi",), True),
    Letter("○○小学校 保護者 伊藤 太郎 様", ("kobayashi0401",), True),
    Letter("鈴木様へ", ("satoh-y",), True),
    Letter("佐藤様", ("x1",), True, ("鈴木 一郎",), "named by its display name alone"),
    Letter("佐藤様", ("sato",), False),
    Letter("佐藤様", ("h_satoh",), False),
    Letter("清水様", ("simizu.t",), False, note="another spelling"),
    Letter("大野様", ("ono",), False, note="a long vowel that nobody writes"),
    Letter("佐藤様、鈴木様", ("suzuki",), False),
    Letter("佐藤様", ("suzuki", "satou"), False),
    Letter("佐藤様", ("info",), False, note="nobody knows who that is"),
    Letter("佐藤様", ("suzuki",), False, ("佐藤 花子",), "the name says it is she"),
    Letter("皆様\nお世話になっております", ("tanaka",), False),
    Letter("佐藤様の件でご連絡します", ("suzuki",), False, note="about him, not to him"),
    Letter("いつもお世話になっております。" * 5 + "\n佐藤様", ("tanakayuki",), True),
    Letter("市民の皆さま\n教室のお知らせです", ("yamamoto",), False),
    Letter("お疲れさまです。鈴木です。", ("tanaka",), False, note="who writes, not who is greeted"),
    Letter("関係者様", ("tanaka",), False),
    Letter("\n".join(["案内"] * 30) + "\n佐藤様", ("suzuki",), False, note="far below the top"),
    Letter("鈴木一郎様\n\nお世話になっております", ("takahashi",), True),
    Letter("高橋様\nいつもありがとうございます", ("h.tanaka",), True),
    Letter("見本株式会社\n総務部 伊藤様", ("watanabe-k",), True),
    Letter("山本先生", ("nakamura",), True),
    Letter("小林さん\nこんにちは", ("kato.y",), True),
    Letter("吉田 様", ("yamada",), True),
    Letter("加藤様、佐々木様", ("suzuki",), True),
    Letter("山口様へ", ("matsumoto",), True),
    Letter("（株）見本 井上様", ("kimura",), True),
    Letter("清水 花子 様", ("hayashi.t",), True, note="a given name behind it"),
    Letter("斎藤様", ("tanaka",), True),
    Letter("Re: 件\n\n中村様\nお返事ありがとうございます", ("suzuki",), True),
    Letter("渡辺様", ("watanabe",), False),
    Letter("鈴木様", ("suzuki-ichiro",), False),
    Letter("伊藤様", ("itoh",), False, note="another spelling"),
    Letter("加藤様", ("katou",), False),
    Letter("お客様\nいつもご利用ありがとうございます", ("suzuki",), False),
    Letter("保護者様", ("tanaka",), False),
    Letter("担当者様", ("suzuki",), False),
    Letter("小鳥遊様", ("suzuki",), True, note="a surname that few bear", missed=True),
    Letter("花子さん\nこんにちは", ("suzuki.ichiro",), True, note="a given name", missed=True),
    Letter("Dear Mr. Sato,", ("suzuki",), True, note="in English", missed=True),
    Letter("佐藤様\n（鈴木様にご転送ください）", ("suzuki",), False, note="passed on", missed=True),
    Letter("関係各位", ("suzuki",), False),
    Letter("各自治会長様", ("tanaka",), False),
    Letter("佐藤様方 鈴木様", ("suzuki",), False),
]
