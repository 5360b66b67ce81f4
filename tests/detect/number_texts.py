"""Texts with numbers that have a check digit, and hard negatives beside them.

A number is written as `my("12345678901")`: the digits before the check digit, which is worked out here, apart from the code
that is tested.
"""

from __future__ import annotations

from tests.detect.labelled import Text


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
    Text(f"【重要】マイナンバー提出: {my(A)}", 1),
    Text(f"マイナンバー（{my(B)}）を転記してください", 1),
    Text(f"氏名 佐藤花子\n個人番号 {my(C)}\n住所 横浜市", 1, "a form, a line each"),
    Text(f"個人番号:{my(A)}、{my(B)}、{my(C)}", 3, "side by side with commas"),
    Text(f"職員,個人番号\n佐藤,{spaced(my(A))}\n鈴木,{spaced(my(B))}", 2, "a heading far above the second"),
    Text(f"ﾏｲﾅﾝﾊﾞｰ {my(D)}", 1, "half-width kana"),
    Text(f"my number {my(C)} をお送りします", 1),
    Text(f"本人のマイナンバーは下記です。\n\n{spaced(my(A), '-')}\n", 1),
    Text(f"個人番号\t{my(B)}\t続柄\t子", 1, "cells with tabs"),
    Text(f"特定個人情報取扱: {my(A)[:4]}　{my(A)[4:8]}　{my(A)[8:]}", 1, "ideographic blanks"),
    Text("\n".join(f"{n},{my(x)}" for n, x in enumerate((A, B, C, D))), 4, "a column with row numbers"),
    Text(f"マイナンバーカードの写し（番号 {my(D)}）", 1),
    Text(f"電話 0120-123-456 {not_my(B)}", 0, "a number beside it, and a wrong check digit"),
    Text(f"マイナンバーの提出は不要です。予約番号 {not_my(C)}", 0),
    Text(f"口座 {my(A)[:7]} 普通", 0, "seven digits"),
    Text(f"個人番号の欄は空欄のままで結構です。送り状 {my(C)}", 0, "a slip beside the word"),
    Text(f"tracking number {my(B)}", 0),
    Text(f"荷物番号：{my(D)}", 0),
    Text(f"マイナンバー制度について（資料{my(A)[:8]}）", 0, "eight digits"),
    Text(f"管理番号 A{my(A)}", 0, "a letter before it"),
    Text(f"会員番号 {my(B)}-01", 0, "a longer number"),
    Text(f"佐藤花子 {my(A)}", 1, "a name alone speaks for it", missed=True),
    Text(f"個人番号 {my(A)[:6]}\n{my(A)[6:]}", 1, "broken by a line end", missed=True),
    Text(f"個人番号は不要です。職員番号 {my(B)}", 0, "the word stands nearby by chance", missed=True),
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
    Text(
        f"法人番号：{spaced(company('700012050002')[1:], '-')}".replace(
            "：", f"：{company('700012050002')[0]}-"
        ),
        1,
        "grouped",
    ),
    Text(f"インボイス登録番号 T{company('801040100001')}", 1),
    Text(f"会社法人番号 {company('212345678901')}", 1),
    Text(f"適格請求書発行事業者 T{company('909876543210')} 山田商会", 1),
    Text(f"T-{company('333322221111')}", 1, "a dash behind the T"),
    Text(f"Ｔ{company('444455556666')}", 1, "full width"),
    Text(f"法人番号 {company('111122223333')}\n法人番号 {company('444455556666')}", 2),
    Text(f"corporate number: {company('121212121212')}", 1),
    Text(f"請求書\n登録番号T{company('656565656565')}\n合計 110,000円", 1),
    Text(f"法人番号は{company('787878787878')}です。", 1),
    Text(f"法人番号（{company('343434343434')}）", 1),
    Text(f"(T{company('565656565656')})", 1),
    Text(f"登録番号\n{company('909090909090')}", 1),
    Text(f"法人番号 {company('700012050002')} {company('700012050002')}", 1, "twice the same"),
    Text(f"取引先一覧\n見本社 T{company('135791357913')}\n例社 T{company('246802468024')}", 2),
    Text(f"インボイス番号=T{company('112233445566')}", 0, "behind an equals sign it is a parameter"),
    Text(f"ISBN {company('978412345678')}", 0),
    Text(f"注文番号 {company('555566667777')}", 0),
    Text(f"受付 {company('888899990000')}", 0),
    Text("法人番号 1234567890123", 0, "the check digit is wrong"),
    Text("登録番号 T123456789012", 0, "twelve digits"),
    Text("適格請求書の登録番号をお知らせください", 0),
    Text(f"https://example.jp/T{company('700012050002')}", 0, "part of an address"),
    Text(f"製造番号 XT{company('700012050002')}", 0, "a letter before the T"),
    Text("T0000000000000", 0, "a form's filler"),
    Text("法人番号 〇〇〇〇", 0),
    Text("登録番号第12号、法人の届出は2026年4月1日", 0),
    Text("電話 045-671-2121 法人営業部", 0),
    Text(f"伝票 {company('314159265358')}99", 0, "fifteen digits"),
    Text("バーコード 4901234567894", 0),
    Text("corporate card", 0),
    Text("T1", 0),
    Text("登録番号：T-1234", 0),
    Text(f"法人番号 {company('515151515151')} 例示株式会社", 1),
    Text(f"見本株式会社 {company('700012050002')}", 1, "no word, no T", missed=True),
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
    Text(f"クレジットカード番号は {card('411111111111111')} です", 1),
    Text(f"card: {card('601111111111111')}", 1),
    Text(f"Mastercard {spaced(card('222300004848001'), '-')}", 1, "the newer range"),
    Text(f"ＪＣＢ　{spaced(card('353011133330000'))}", 1),
    Text(
        f"カード：{card('411111111111111').translate({ord(str(n)): chr(0xFF10 + n) for n in range(10)})}",
        1,
        "full width",
    ),
    Text(f"{spaced(card('555555555555444'))}\n{spaced(card('411111111111111'))}", 2, "one below the other"),
    Text(
        f"AMEX: {card('34343434343434')[:4]}-{card('34343434343434')[4:10]}-{card('34343434343434')[10:]}", 1
    ),
    Text(f"法人カード {card('453201511283036')} 名義 TARO YAMADA", 1),
    Text(f"VISA\n{card('411111111111111')}\n12/28", 1),
    Text(f"お支払いカード番号【{card('555555555555444')}】", 1),
    Text(f"カードNo {spaced(card('411111111111111'))}", 1),
    Text(f"credit card {card('655000000000000')}", 1),
    Text(f"カード番号,有効期限\n{card('411111111111111')},12/28\n{card('555555555555444')},01/29", 2),
    Text(f"master {card('510000000000000')}", 1),
    Text(f"送り状番号 {spaced(card('411111111111111'), '-')}", 0, "a slip grouped like a card"),
    Text(f"問い合わせ番号 {spaced(card('453201511283036'))}", 0),
    Text("VISA 4111 1111 1111 1112", 0, "the check digit is wrong"),
    Text("カードをお持ちください 1234567890", 0),
    Text(f"ポイント会員 {card('411111111111111')}", 0, "nothing speaks for it"),
    Text(f"シリアル {card('711111111111111')}", 0),
    Text("4111-1111-1111", 0, "twelve digits"),
    Text("カード 0000 0000 0000 0000", 0),
    Text(f"https://example.jp/card/{card('411111111111111')}", 0, "part of an address"),
    Text("カード番号の下4桁 1111", 0),
    Text("IBAN DE89 3704 0044 0532 0130 00", 0),
    Text("2026-11-21 2026-11-22 2026-11-23 card", 0, "dates"),
    Text(f"カード型番 A{card('411111111111111')}", 0, "a letter before it"),
    Text("カード番号は記入しないでください", 0),
    Text("0120-000-000 カードデスク", 0),
    Text(
        f"カード番号 {'.'.join([card('411111111111111')[n : n + 4] for n in range(0, 16, 4)])}",
        1,
        "dots",
        missed=True,
    ),
    Text(f"{card('411111111111111')} 12/28 CVC 123", 1, "nothing but an expiry date", missed=True),
    Text(f"ギフトカードの管理番号 {card('411111111111111')}", 0, "another kind of card", missed=True),
]
