"""Whether a text says that something is attached to it: 添付いたします, 別添のとおり, please find attached.

What speaks of another mail than this one, of another writer, or of none at all is taken out first: an earlier one
(前回添付した), one to come (後ほど添付します), what the reader is to do (添付してください), 添付はありません. Quoted text is
taken out by the caller, who knows where it stands.
"""

from __future__ import annotations

import re

MAX_READ = 100_000  # characters of a text that are read; who writes longer ones attaches before that

_THING = "(?:ファイル|資料|書類|データ|文書|画像|写真|名簿|一覧|様式|申請書|申込書|見積書?|請求書|契約書|議事録|報告書)"
_EARLIER = "(?:前回|先日|昨日|以前|先ほど|先程|さきほど|昨年|先週|先月|過日|既に|すでに|前の|先の)"
_LATER = "(?:後ほど|後程|のちほど|後日|次回|次の|別の?メール|別便|追って|明日|来週)"
_ASKED = "(?:ください|下さい|願い|いただ(?:き|け|く|いた)|頂(?:き|け|く|いた)|もらえ|くださ)"

_SPEAKS = re.compile(
    rf"添付(?:致|いた|させて|し(?:ます|まし|て|、|,|た)|の|{_THING}|にて|で(?:お|送|ご)|を(?:ご|お|御))"
    r"|別[添紙](?:の|[0-9一二三]?(?:を|に|にて)|致|いた|しま|[0-9一二三])"
    r"|同封(?:致|いた|しま|して(?:い|お|あ)|の)"
    rf"|{_THING}(?:など|等)?を(?:(?:本|この)メールに)?(?:お?付け|つけ|添え)(?:ます|まし|て(?:い|お|あ))"
    r"|\b(?:find|see|i am|i'm|i have|i've|we have|we've|here's|here is|here are)\b"
    r"[^.\n]{0,40}\b(?:attach(?:ed|ing|ments?)|enclosed)\b"
    r"|\b(?:the|an?|my|our|this|these) attach(?:ed|ments?)\b|^\W{0,4}attached\b|\b(?:is|are) (?:attached|enclosed)\b"
    r"|\battached (?:is|are|please|to this|herewith|hereto|files?|documents?|sheet)|\bi attach(?:ed)?\b"
    r"|\benclosed (?:is|are|please|files?|documents?)",
    re.IGNORECASE | re.MULTILINE,
)
_ELSEWHERE = (
    rf"{_EARLIER}(?:に|も|、|の)?(?:メール(?:に|で|の)?|お送り[^、,。\n]{{0,10}}|ご?送[付信][^、,。\n]{{0,8}}|{_THING}を)?(?:添付|別[添紙]|同封)",
    rf"{_LATER}、?[^、,。\n]{{0,16}}(?:添付|同封)",
    rf"(?:ご|御)?(?:添付|同封)(?:し|の上|のうえ)?(?:て|、)?{_ASKED}",
    r"(?:添付|同封)(?:して|の上|のうえ)、?[^、,。\n]{0,12}(?:送|返信|提出|応募|申|連絡)[^、,。\n]{0,6}(?:ください|下さい|願い)",
    r"(?:貴[社殿]|御社|そちら)[^、,。\n]{0,12}(?:添付|別[添紙])",
    r"(?:頂いた|いただいた|くださった|下さった)(?:メールの?)?(?:添付|別[添紙])",
    r"添付(?:し忘れ|を?忘れ|漏れ|もれ|洩れ|が(?:漏|もれ|抜))",
    r"(?:添付|別[添紙]|同封)(?:する|でき|可能|し(?:ない|ません|ておりません|ていません|なくて)|せず|不要|不可|禁止|なし|無し|無く)",
)
_NONE_OR_FOREIGN = (
    rf"添付{_THING}?(?:など|等)?(?:は|が|の|も)?(?:一切|特に)?(?:あり|ござい)ません",
    rf"添付{_THING}?(?:など|等)?(?:は|が|も)?(?:な[いしくけ]|無[いしく]|不要|不可|禁止|付いて(?:い|お)(?:な|り?ま))",
    rf"添付{_THING}?(?:など|等)?(?:は|を)?[^、,。\n]{{0,8}}(?:開(?:か|封し|け)ない(?:で|よう)|開(?:かず|けず)|クリックし|実行し|削除)",
    rf"添付{_THING}?(?:など|等)?(?:が|は|を)[^、,。\n]{{0,6}}(?:届|見(?:られ|え|当た)|開け(?:ま|な(?!い(?:場合|とき|方))))",
    r"添付の?(?:方法|有無|要否|可否|上限|形式|容量|サイズ|欄|際|都度)",
    r"添付ファイル(?:の(?:容量|サイズ|上限|形式|有無|ダウンロード|ウイルス)|付き|名|型)",
    r"(?:不審な|怪しい|他の|メールの|標的型|ウイルス)[^、,。\n]{0,8}添付",
)
_ENGLISH_ELSEWHERE = (
    r"\b(?:no|not|without|never|don't|cannot|can't|couldn't|forgot|missing|didn't|won't)\b[^.\n]{0,40}\b(?:attach|enclos)\w*",
    r"\b(?:will|previous(?:ly)?|earlier|already|you|your|you have|you've|could|how to) (?:\w{1,8} )?attach\w*",
    r"\battach\w* (?:it |them )?(?:to|with|in) (?:my|the|your|our) (?:last|previous|earlier)",
    r"\battached (?:yesterday|last|earlier)",
    r"\b(?:the|an?|any|my) attachments?[^.\n]{0,20}"
    r"\b(?:is missing|was missing|did not|didn't|cannot|can't|could not|policy|size|limit)",
    r"\b(?:open|opening|click|suspicious|unexpected|email) (?:on )?(?:the |an |any )?attachments?",
    r"\battached (?:to (?:the|a|his|her) (?!mail|e-?mail|message)|great|much)",
)
_OF_OTHERS = re.compile("|".join([*_ELSEWHERE, *_NONE_OR_FOREIGN, *_ENGLISH_ELSEWHERE]), re.IGNORECASE)


def speaks_of_attachment(text: str) -> bool:
    """Tell whether a folded text says that something is attached to it."""
    return _SPEAKS.search(_OF_OTHERS.sub("\0", text[:MAX_READ])) is not None
