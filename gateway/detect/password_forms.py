"""The forms in which people tell a password, seen from a word for it: behind it, before it, alone on a line below it. Pure.

Patterns are for folded text (plain.py) and tied to the place of the word, so that a text costs what its words for a password
cost, each of them bounded.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

BELOW = 1_000  # characters below the words for a password in which it may stand alone
_LINES_BELOW = 9
_MAX_LINE = 120  # characters of a line in which nothing but a password stands
_ABOVE = 90  # characters before the word that are looked at

_VALUE = r"[!-~]{4,64}"
_WHOLE = rf"{_VALUE}(?![!-~])"  # a longer run is encoded data, or a key of a machine
_BETWEEN = r"[ ]{0,4}(?:\([^()\n]{1,40}\)[ ]{0,4})?(?:(?:for|to|of|on)\b[^\n:!?]{1,60}(?=:| is\b))?[ ]{0,4}"
_LINK = r"(?:は|が|【|「|『|:|;|=|→|⇒|->|-(?= )|is|will be|\]|】|」|\)|》|>|\n){1,3}"
_CLEAR = re.compile(
    rf"{_BETWEEN}(?P<link>{_LINK})\s{{0,20}}(?P<open>[「『\"'(<【\[`]?)(?P<value>{_WHOLE})(?P<after>[^\n]{{0,12}})",
    re.IGNORECASE,
)
_LOOSE = re.compile(
    r"(?P<between>[^\na-z0-9。!?\\/#]{1,16}?)(?P<value>[a-z0-9][!-.0-<>-~]{4,30})"
    r"(?=[ ]{0,2}(?:$|です|になり|で[おご]|とな|に(?:して|設定|な)|をかけ|を[ご入お]|と[ご入]|\())",
    re.IGNORECASE | re.MULTILINE,
)
_KANA = re.compile(
    rf"{_BETWEEN}(?:は|が|:)[ ]{{0,2}}[「『](?P<value>[^「」『』\n!-~]{{2,20}})[」』](?:です|になり|とな|で[すし]|$)",
    re.MULTILINE,
)
_NO_KANA = re.compile(r"文字|桁|別|後|以上|なし|無|変更|入力|必須|任意|省略|同じ|共通|例|設定|なる")
_WITH_BEFORE = re.compile(r"\b(?:with|using|use|by) (?:the |this )?$", re.IGNORECASE)
_WITH_BEHIND = re.compile(rf"[ ]{{1,2}}[\"'(]?(?P<value>{_WHOLE})")
_AS_BEFORE = re.compile(
    r"\b(?:enter|type|use) [\"'(]?(?P<value>[!-~]{4,64}) as (?:the |your )?$", re.IGNORECASE
)
_TAKEN_BEFORE = re.compile(rf"(?P<value>{_VALUE})[」』]?[ ]?を$")
_TAKEN_BEHIND = re.compile("として|に|と")

_LEADS_BEHIND = re.compile(
    r"(?:[^\n。]{0,40}(?:以下|下記|次|こちら|です|below|follow)|(?:の|を)?(?:ご|お)?(?:連絡|知らせ|送り|送付|案内|通知)"
    r"|に(?:なり|て)|でござ|を失念|[ ]{0,3}[:】\])]?[ ]{0,3}$|[^\n.]{0,60}\bis ?:?$)[^\n]{0,60}",
    re.IGNORECASE | re.MULTILINE,
)
_LEADS_BEFORE = re.compile(
    r"(?:(?:以下|下記|次)の?|\b(?:here is|here's|find|sending(?: you)?)\b[^\n]{0,30})$", re.IGNORECASE
)
_REST_OF_LINE = re.compile(r"[^\n]{0,60}")
LEADS_NOWHERE = re.compile(
    r"別途|別の?メール|別便|別送|後ほど|後程|のちほど|追って|電話|口頭|郵送|sms|変更|再設定|再発行|リセット|忘れ|期限|番号(?!の)"
    r"|設定(?:して(?:くだ|下|頂|いただ)|の|をお?願)|メールアドレス|reset|chang|expir|forg[oe]t|separate|later|by phone",
    re.IGNORECASE,
)
"""What says of a password something else than that it stands below."""

_ENDS = re.compile(r"[」』】)>\]\"'`。、,.;]+$")
_NO_VALUE = re.compile(
    r"^(?:https?:|mailto:|www\.|ftp:|[\\/]|[a-z]:\\)|@|^[<{\[%$]|[}%]$|\\\\"
    r"|^(?:is|are|was|will|has|have|must|should|can|may|not|sent|reset|the|your|our|my|for|and|or|by|to|in|on|of|as|if|it|we"
    r"|you|this|that|see|here|below|above|same|please|required|needed|necessary|protected|follows?|following|changed?"
    r"|expired?|expires|separately|unknown|none|null|optional|hidden|omitted|forgotten|forgot|incorrect|invalid|wrong"
    r"|missing|login|logout|enter|contact|ask|call)\b",
    re.IGNORECASE,
)
_NOT_THIS = re.compile(
    r"[ ]{0,2}(?:のよう|など|以上|以下|以内|未満|文字|桁|回|年|月|日|分|時|件|名|円|から|より|まで|以降"
    r"|に(?:お電話|ご連絡|電話))"
)
_NUMBERED = re.compile(
    r"(?:19|20)[0-9]{2}[/.-][0-9]{1,2}[/.-][0-9]{1,2}|[0-9]{1,2}[:/][0-9]{2}|0[0-9]{1,4}-[0-9]{1,4}-[0-9]{3,4}"
    r"|[0-9]{3}-[0-9]{4}|[\\$]?[0-9]{1,3}(?:,[0-9]{3})+|v?[0-9]{1,4}(?:\.[0-9]{1,6}){1,4}|no\.?[a-z0-9-]{1,12}",
    re.IGNORECASE,
)
_IS_ALL = re.compile(r"[ ]{0,3}(?:です|になります|となります|でございます|に?てお願い[^ ]{0,10})[。.]?$")
_DECORATION = " \t>|*■□◆◇●○・※→⇒-=_~「」『』【】[]()<>\"'`:"


def told_at(text: str, start: int, end: int) -> Iterator[str]:
    """Yield what is told as a password by the word for it that stands from `start` to `end`."""
    yield from _behind(text, end)
    yield from _before(text[max(0, start - _ABOVE) : start], text, end)
    leads = _LEADS_BEHIND.match(text, end)
    above = _LEADS_BEFORE.search(text[max(0, start - 40) : start]) if leads is None else None
    ends = leads or (_REST_OF_LINE.match(text, end) if above else None)
    if ends is not None and not LEADS_NOWHERE.search(ends[0]):
        yield from alone(text[ends.end() : ends.end() + BELOW])


def alone(text: str) -> Iterator[str]:
    """Yield the first password that has a line of its own."""
    for line in text.split("\n")[:_LINES_BELOW]:
        value = bare(_IS_ALL.sub("", line.strip(_DECORATION))) if len(line) <= _MAX_LINE else ""
        if " " not in value and value.isascii() and _is_one(value) and not _NUMBERED.fullmatch(value):
            yield value
            return


def bare(typed: str) -> str:
    """Return what was typed without what decorates it or ends a sentence."""
    return _ENDS.sub("", typed).strip(_DECORATION)


def _behind(text: str, end: int) -> Iterator[str]:
    clear = _CLEAR.match(text, end)
    if clear is not None and not _NOT_THIS.match(clear["after"]):
        value = _ENDS.sub("", clear["value"])
        nothing_else = ":" in clear["link"] and not clear["after"].strip()
        if _is_one(value, certain=bool(clear["open"]) or nothing_else):
            yield value
    loose = _LOOSE.match(text, end)
    if loose is not None and not LEADS_NOWHERE.search(loose["between"]):
        value = _ENDS.sub("", loose["value"])
        if _is_strong(value):
            yield value
    kana = _KANA.match(text, end)
    if kana is not None and not _NO_KANA.search(kana["value"]):
        yield kana["value"]


def _before(above: str, text: str, end: int) -> Iterator[str]:
    found = None
    if _WITH_BEFORE.search(above):
        found = _WITH_BEHIND.match(text, end)
    elif above.endswith("を"):
        found = _TAKEN_BEFORE.search(above) if _TAKEN_BEHIND.match(text, end) else None
    elif above.endswith((" ", "\t")):
        found = _AS_BEFORE.search(above)
    value = bare(found["value"]) if found is not None else ""
    if _is_one(value):
        yield value


def _is_one(value: str, *, certain: bool = False) -> bool:
    """Tell a password from a word of a sentence, by digits, signs or case; `certain` where nothing else stands there."""
    if not 4 <= len(value) <= 64 or _NO_VALUE.search(value) or len(set(value)) == 1:
        return False
    if not value.isalpha():
        return any(sign.isalnum() for sign in value)
    mixed = value != value.lower() and value != value.capitalize() and not value.isupper()
    return mixed or (certain and len(value) >= 5)


def _is_strong(value: str) -> bool:
    """Tell whether it has letters and digits, as no word and no amount has."""
    mixed = any(sign.isdigit() for sign in value) and any(sign.isalpha() for sign in value)
    return mixed and _is_one(value) and not _NUMBERED.fullmatch(value)
