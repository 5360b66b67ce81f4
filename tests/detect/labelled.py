"""Texts written for the detectors: what is in them, and hard negatives beside them. All people and numbers are made up.

A number with a check digit is written as `my("12345678901")`: the digits before it; the check digit is worked out here, apart
from the code that is tested.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Text:
    """A text and how often it holds what is looked for; `note` says why it is hard."""

    text: str
    count: int
    note: str = ""


def my(first: str) -> str:
    """Return a My Number: the eleven digits and their check digit (weights 6 5 4 3 2 7 6 5 4 3 2, modulo 11)."""
    rest = sum(int(d) * w for d, w in zip(first, (6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2), strict=True)) % 11
    return first + ("0" if rest <= 1 else str(11 - rest))


def not_my(first: str) -> str:
    """Return twelve digits that differ from a My Number in the last."""
    return first + str((int(my(first)[-1]) + 1) % 10)


def company(last: str) -> str:
    """Return a corporate number: the check digit (weights 2 1 2 1 ... from the left, modulo 9) and the twelve digits."""
    rest = sum(int(d) * (2 - n % 2) for n, d in enumerate(last)) % 9
    return str(9 - rest) + last


def card(first: str) -> str:
    """Return a card number: the digits and the one that makes them divisible (ISO/IEC 7812-1)."""
    for check in "0123456789":
        whole = first + check
        total = 0
        for place, digit in enumerate(reversed(whole)):
            number = int(digit) * (2 if place % 2 else 1)
            total += number // 10 + number % 10
        if total % 10 == 0:
            return whole
    raise AssertionError


def spaced(digits: str, sign: str = " ") -> str:
    """Return digits in groups of four."""
    return sign.join(digits[at : at + 4] for at in range(0, len(digits), 4))


A, B, C, D = "12345678901", "98765432109", "31415926535", "27182818284"

MY_NUMBERS = [
    Text(f"マイナンバーは {my(A)} です。", 1),
    Text(f"個人番号：{spaced(my(A))}", 1),
    Text(f"個人番号\n{spaced(my(A), '-')}\n{spaced(my(B), '-')}", 2, "one below the other under a heading"),
    Text("個人番号　" + my(C).translate({ord(str(n)): chr(0xFF10 + n) for n in range(10)}), 1, "full width"),
    Text(f"扶養親族の特定個人情報（{my(D)}）を登録しました", 1),
    Text(f"My Number: {spaced(my(B))}", 1),
    Text(
        f"氏名,番号\n佐藤花子,{my(A)}\n鈴木一郎,{my(B)}\n田中次郎,{my(C)}\n高橋三郎,{my(D)}",
        4,
        "a column without a word",
    ),
    Text(f"マイナンバー {my(A)} {my(A)}", 1, "twice the same"),
    Text(f"職員番号 {my(A)}", 0, "passes by chance, and nothing speaks for it"),
    Text(f"マイナンバーカードの申請書ID {not_my(A)}", 0, "a word, and a check digit that is wrong"),
    Text(f"送り状番号 {spaced(my(A), '-')}", 0, "a delivery slip that passes by chance"),
    Text(f"お問い合わせ番号：{my(B)}", 0),
    Text(f"注文番号 {my(C)} を承りました", 0),
    Text("伝票一覧\n" + "\n".join(my(x) for x in (A, B, C)), 0, "a column of slips that pass"),
    Text(f"{not_my(A)}\n{not_my(B)}\n{my(C)}\n{not_my(D)}", 0, "a column of which few pass"),
    Text("個人番号カードをお持ちください", 0, "the word alone"),
    Text(f"カード番号 {spaced(my(A) + '1234')} 個人番号", 0, "sixteen digits"),
    Text("個人番号 000000000000", 0, "a form's filler"),
    Text("2026年11月21日 09:00 第123456789018号", 0, "a document's number"),
    Text(f"https://portal.example.jp/u/{my(A)}/個人番号", 0, "part of an address"),
]

CORPORATE = [
    Text(f"法人番号 {company('700012050002')}", 1),
    Text(f"登録番号：T{company('000012345678')}", 1),
    Text(
        f"適格請求書発行事業者登録番号 T{company('123456789012')[0]}-{spaced(company('123456789012')[1:], '-')}",
        1,
    ),
    Text(f"T{company('555544443333')} 株式会社見本", 1, "the T speaks for it"),
    Text(f"JANコード {company('490123456789')}", 0, "a bar code that passes by chance"),
    Text(f"受注番号 {company('222233334444')}", 0),
    Text("法人番号の公表サイト", 0),
    Text("T1234567890123", 0, "the check digit is wrong"),
]

CARDS = [
    Text(f"カード番号 {card('411111111111111')}", 1),
    Text(f"VISA {spaced(card('453201511283036'))}", 1),
    Text(f"{spaced(card('353011133330000'), '-')} 有効期限 12/28", 1, "grouped, no word"),
    Text(f"AMEX {card('37828224631000')}", 1),
    Text(f"クレジットカード：{spaced(card('555555555555444'))}", 1),
    Text(
        f"ダイナース {card('3056930902590')[:4]} {card('3056930902590')[4:10]} {card('3056930902590')[10:]}",
        1,
    ),
    Text(f"注文番号 {card('411111111111111')}", 0, "an order's number that passes"),
    Text(f"会員番号 {card('411111111111111')}", 0, "nothing speaks for it"),
    Text("カード番号 4111111111111112", 0, "the check digit is wrong"),
    Text(f"カード番号 {card('911111111111111')}", 0, "no brand begins so"),
    Text("5555-5555-5555-5555-4444", 0, "twenty digits"),
    Text("Message-ID: <4111111111111111.card@example.jp>", 0, "part of a message id"),
]

PHONES = [
    Text("電話 045-671-2121", 1),
    Text("TEL: 03(1234)5678 / FAX: 03-1234-5679", 2),
    Text("携帯　０９０ー１２３４ー５６７８", 1),
    Text("09012345678", 1),
    Text("+81-45-671-2121", 1),
    Text("+81 90 1234 5678", 1),
    Text("お問い合わせは 0120-12-3456 まで", 1),
    Text("佐藤 090-1111-2222\n鈴木 080-3333-4444\n田中 050-5555-6666", 3),
    Text("090-1111-2222 または 09011112222", 1, "the same twice"),
    Text("日時 2026-11-21 10:00-12:00", 0),
    Text("郵便番号 231-0005", 0),
    Text("注文番号 0312345678", 0, "ten digits without separators are often something else"),
    Text("口座番号 0123456", 0),
    Text("バージョン 0.120.123", 0),
    Text("https://example.jp/090-1234-5678-9999", 0),
    Text("9:00-17:00 0円", 0),
]

ADDRESSES = [
    Text("東京都千代田区霞が関1-1-1", 1),
    Text("〒231-0005 神奈川県横浜市中区本町6丁目50番地の10", 1),
    Text("横浜市中区日本大通1番地", 1),
    Text("京都府京都市左京区吉田本町三丁目", 1),
    Text("北海道札幌市北区北8条西5-1\n大阪府大阪市北区中之島1丁目3番20号", 2),
    Text("さいたま市浦和区高砂３－１５－１", 1),
    Text("市区町村の窓口でお渡しします", 0),
    Text("町田市に3人で行く", 0),
    Text("会議は第3会議室です", 0),
    Text("横浜市からのお知らせ 11月号", 0),
    Text("中区スポーツセンター 2階", 0),
    Text("村上さん1番", 0),
]

PASSWORDS = [
    Text("添付ファイルのパスワードは Sports#2026 です。", 1),
    Text("解凍パスワード：x9Kq-22", 1),
    Text("パスワード\nabcd1234\nよろしくお願いします", 1),
    Text("【パスワード】 Tanaka0401", 1),
    Text("PW: 8842", 1),
    Text("password: Tr0ub4dor", 1),
    Text("ＺＩＰのパスワードは「ｓｐｏｒｔｓ２０２６」です", 1),
    Text("The passphrase is kR7-ww2-Zp", 1),
    Text("パスワード（半角英数）：yokohama21", 1),
    Text("先ほどのファイルのPWは Aki2026! になります", 1),
    Text("パスワードは別途お送りします。", 0),
    Text("パスワードは電話でお伝えします", 0),
    Text("パスワードを変更してください", 0),
    Text("パスワードの有効期限は2026年12月です", 0),
    Text("Your password will expire soon", 0),
    Text("Password is required to open the file", 0),
    Text("パスワードは https://reset.example.jp/ で再設定できます", 0),
    Text("Password: (sent separately)", 0),
    Text("パスワードは前回と同じです", 0),
    Text("パスワード：別送", 0),
    Text("ユーザー名とパスワードは office@example.jp にご連絡ください", 0),
]

PERSONS = [
    Text("氏名,住所,電話\n佐藤花子,横浜市中区1-1,045-111-2222\n鈴木一郎,川崎市幸区2-2,044-333-4444", 2),
    Text("番号\t氏名\t生年月日\n1\t田中次郎\t1980/4/1\n2\t高橋三郎\t1990/5/5\n3\t伊藤四郎\t2000/6/6", 3),
    Text("佐藤 花子,1985/4/1,女\n鈴木 一郎,1990/5/2,男", 2, "no heading"),
    Text("名前|学年|保護者\n佐藤花子|3年|佐藤太郎\n鈴木一郎|5年|鈴木次郎", 2),
    Text("会員名,メール\nサトウ ハナコ,hanako@example.com\nスズキ イチロウ,ichiro@example.net", 2),
    Text("氏名,電話\n佐藤花子,090-1111-2222\n佐藤花子,090-1111-2222", 1, "the same person twice"),
    Text("品名,単価,数量\nボール,1200,10\nネット,8000,2", 0),
    Text("日付,会場,時間\n11月21日,体育館,9:00\n11月22日,プール,10:00", 0),
    Text("氏名,出欠\n佐藤花子,○\n鈴木一郎,×", 0, "names, and nothing about them"),
    Text("担当,電話\n総務課,045-111-2222\n経理課,045-111-3333", 0, "offices"),
    Text("こんにちは、佐藤です。\n明日、鈴木さんと伺います。", 0, "sentences with commas"),
]


@dataclass(frozen=True)
class Letter:
    """The top of a letter, the local parts it goes to, and whether it greets somebody else."""

    text: str
    to: tuple[str, ...]
    wrong: bool
    names: tuple[str, ...] = ()
    note: str = ""


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
]
