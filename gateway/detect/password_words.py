"""The words around a password: what it is called, what it is for, and that it will come by another mail. Pure.

Patterns are for folded text (plain.py), and linear: every repetition is bounded.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import islice

LONG_WORDS = (
    r"(?:パスワード|パスフレーズ|パスコード|暗証番号|(?:暗号|解凍|復号)キー|合言葉"
    r"|(?<![a-z_.$])(?:zip ?)?(?:pw|pwd|pass(?:word|[ ]?code|phrase|wd))(?![a-z_]))"
)
"""What is a password wherever it stands."""

SHORT_WORDS = (
    r"(?:(?:^|[\n。、■◆●・*【\[(>]|(?:解凍|開封|閲覧|ファイル|zip|pdf|エクセル|ワード)の?)[ ]{0,4}"
    r"(?:pass|パス)(?![a-zァ-ヶー]))"
)
"""What is one at the beginning of a line, or behind a word for a file: `Pass: x`, not `boarding pass` or `パスタ`."""

WORDS = rf"(?:{LONG_WORDS}|{SHORT_WORDS})"

_FILE = re.compile(
    r"添付|ファイル|解凍|展開|開封|復号|圧縮|暗号化|閲覧|書庫|zip|エクセル|ワード文書"
    r"|(?:資料|データ|書類|文書|名簿|見積書?|請求書|明細)の?(?:パスワード|pw)|excel|pdf|\.(?:xlsx?|docx?|pptx?|7z|rar)\b"
    r"|\battach|\bfiles?\b|\barchive|\bunzip|\bdecrypt|\bencrypted\b|\bopen (?:the|it|this)\b|\b(?:document|spreadsheet)\b",
    re.IGNORECASE,
)
_ELSEWHERE = re.compile(
    r"zoom|webex|teams|google meet|ミーティング|会議(?!資料)|ウェビナー|webinar|\bmeeting\b|\bdial\b"
    r"|ログイン|ログオン|サインイン"
    r"|\blog[ -]?(?:in|on)\b|\bsign[ -]?in\b|アカウント|\baccounts?\b|ユーザー?(?: ?(?:名|id)|[ ]{0,2}:)"
    r"|\buser ?(?:name|id)?\b"
    r"|(?<![a-z])(?:id|ssid)[ ]{0,3}(?:[:=は/]|$)|ワイファイ|無線|wi-?fi|(?:初期|仮|新しい|新)パスワード"
    r"|ワンタイム|one-?time|認証|\bvpn\b|\bs?ftp\b|サーバ|管理画面|マイページ|会員|キャッシュカード|口座"
    r"|オートロック|宅配|金庫|管理者|パソコン"
    r"|端末|ルータ|複合機|プリンタ|スマホ|(?<![a-z])pc(?![a-z])|\bdevice|\blaptop|\bprinter"
    r"|\brouter|\badmin|テスト|試験|合格|\bfail(?:ed)?\b|\bgate\b|\bseason\b"
    r"|録画|動画|(?:専用|共有)?(?:サイト|ページ)|https?://|\bportal\b|\bserver\b",
    re.IGNORECASE | re.MULTILINE,
)
_OTHER_MAIL = (
    r"(?:別途|別の?メール|別便|別送|別に|個別に|次の?メール|この後|このあと|後ほど|後程|のちほど|追って|後送|追送"
    r"|改めて|あらためて)"
)
_FOLLOWS = re.compile(
    rf"[^。\n]{{0,30}}{_OTHER_MAIL}[^。\n]{{0,30}}"
    r"|[^.\n]{0,60}\b(?:separate(?:ly)?|(?:another|next|following|second|different) (?:e-?)?mail|later|shortly)\b[^.\n]{0,40}",
    re.IGNORECASE,
)
_FIRST = re.compile(rf"{_OTHER_MAIL}[^。\n]{{0,20}}$")
_THEN_SENT = re.compile(r"[^。\n]{0,10}(?:送|知らせ|連絡|伝え|通知|案内)")
_SENT = re.compile(
    r"送|知らせ|連絡|伝え|通知|案内|届|メール|\bsen[dt]\b|\bemail|\bmail|\bfollow|\bprovide|\bshare",
    re.IGNORECASE,
)
_BY_OTHER_WAY = re.compile(
    r"電話|口頭|ショートメッセージ|sms|チャット|fax|郵送|書面|手渡|直接|対面|携帯"
    r"|\b(?:phone|telephone|call|text message|in person|letter)\b",
    re.IGNORECASE,
)
_PIN = "暗証番号"  # of a door or a card, where nothing is said of a file
_WORD = re.compile(WORDS, re.IGNORECASE)
_NEEDLES = ("パス", "暗証", "キー", "合言葉", "pw", "pass")
_RUN = 40  # characters in a row of which encoded data consists, and no name of a password
_ENCODED = re.compile(rf"[A-Za-z0-9+/]{{{_RUN + 1}}}")
_MAX_WORDS = 500  # for a password in one text that are looked at: no mail speaks of it more often


def words(text: str) -> Iterator[tuple[int, int]]:
    """Yield where the words for a password stand in a folded text, the first of them."""
    lowered = text.lower()
    if any(needle in lowered for needle in _NEEDLES):  # a scan by signs is far faster than the pattern
        for match in islice(_WORD.finditer(text), _MAX_WORDS):
            if not _ENCODED.search(text, max(0, match.start() - _RUN), match.end() + _RUN):
                yield match.span()


def purpose(line: str, around: Iterable[str]) -> str:
    """Return what a password is for: `file`, `elsewhere` (a meeting, an account), or `unsaid`.

    `line` is the line that tells it, `around` are the lines near it, the nearest first, and the subject: the first that says
    one of the two decides.
    """
    for said in (line, *around):
        of_file, elsewhere = _FILE.search(said) is not None, _ELSEWHERE.search(said) is not None
        if of_file is not elsewhere:
            return "file" if of_file else "elsewhere"
    return "elsewhere" if _PIN in line else "unsaid"


def announced(text: str) -> bool:
    """Tell whether a folded text says that a password comes by a mail to follow; by telephone or on paper is none."""
    return any(_announced_at(text, start, end) for start, end in words(text))


def _announced_at(text: str, start: int, end: int) -> bool:
    behind = _FOLLOWS.match(text, end)
    if behind is not None and _SENT.search(behind[0]):
        return _BY_OTHER_WAY.search(behind[0]) is None
    before, then = _FIRST.search(text[max(0, start - 30) : start]), _THEN_SENT.match(text, end)
    return before is not None and then is not None and _BY_OTHER_WAY.search(before[0] + then[0]) is None
