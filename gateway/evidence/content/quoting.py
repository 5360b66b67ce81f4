"""The sender's own text of a reply or a forward, apart from what it quotes.

A quotation is told by `>` at the beginning of its lines, or by the line with which mail programs introduce what they quote
below the answer (Outlook, Thunderbird, Gmail, Becky!, Japanese and English). Linear, never raises; works on folded text.
"""

from __future__ import annotations

import re

_QUOTED = re.compile(r"[ \t]{0,8}(?:[>|]|[A-Za-z]{1,4}>)")
_RULED = "original message|original appointment|forwarded message|forwarded by|reply message|original|"
_REST = re.compile(
    r"[ \t]{0,8}(?:"
    rf"-{{3,40}} ?(?:{_RULED}元のメッセージ|転送メッセージ|転送されたメッセージ)(?![a-z]).{{0,80}}"
    r"|_{20,80}"
    r"|begin forwarded message:"
    r"|on .{4,200} wrote:"
    r"|.{2,200}(?:さんは|さんが|は|が)?(?:書きました|のメッセージ|wrote) ?:"
    r"|(?:19|20)[0-9]{2}[年/-][^@<]{1,120}[@<].{0,200}[:>]"
    r")[ \t]{0,8}",
    re.IGNORECASE,
)
_BEGINS = re.compile(r"[ \t*]{0,8}(?:from|差出人|送信者) ?:", re.IGNORECASE)
_GOES_ON = re.compile(r"[ \t*]{0,8}(?:sent|date|送信日時|日時|日付|to|宛先|subject|件名) ?:", re.IGNORECASE)
_MAX_LINE = 300
"""Characters of a line that may introduce a quotation."""


def own_text(text: str) -> str:
    """Return the lines that the sender wrote, without quotations and without all that follows their introduction.

    Where nothing is left, as in an answer below a quotation that is introduced above it, only the marked lines go.
    """
    lines = text.split("\n")
    end = next((at for at in range(len(lines)) if _introduces(lines, at)), len(lines))
    own = [line for line in lines[:end] if not _QUOTED.match(line)]
    answers = [line for line in lines[end + 1 :] if not _QUOTED.match(line)] if _marked(lines, end) else []
    return "\n".join([*own, *answers])


def _introduces(lines: list[str], at: int) -> bool:
    line = lines[at]
    if not line or len(line) > _MAX_LINE:
        return False
    if _BEGINS.match(line):
        return any(_GOES_ON.match(below) for below in lines[at + 1 : at + 4])
    return _REST.fullmatch(line) is not None


def _marked(lines: list[str], end: int) -> bool:
    """Tell whether what is introduced has its lines marked, so that what is not marked is an answer."""
    following = [line for line in lines[end + 1 : end + 6] if line.strip()]
    return bool(following) and _QUOTED.match(following[0]) is not None
