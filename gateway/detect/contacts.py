"""Ways to reach people that stand in a text: telephone numbers, postal addresses, mail addresses pasted as a list.

Telephone numbers after the numbering plan of Japan (電気通信番号計画): ten digits for a line in a place, eleven for mobile,
050 and 0800. Without separators only the eleven-digit kinds count, because ten digits are often something else.
"""

from __future__ import annotations

import re

_PHONE = re.compile(
    r"(?<![0-9A-Za-z+.-])(?:\+81[ -]?\(?0?\)?|\(?0)"
    r"(?:"
    r"[5789]0\)?[ -]?[0-9]{4}[ -]?[0-9]{4}"  # mobile, 050
    r"|(?:120|570|800|990)\)?[ -][0-9]{2,4}[ -][0-9]{3,4}"
    r"|[1-9][0-9]{0,3}(?:[ -]|\)[ -]?|[ -]?\()[0-9]{1,4}(?:[ -]|\)[ -]?)[0-9]{4}"
    r")(?![0-9A-Za-z]|-[0-9])"
)
_MAIL = re.compile(r"[A-Za-z0-9._%+'/=-]{1,64}+@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,8}")
_PREFECTURES = (
    "北海道|青森県|岩手県|宮城県|秋田県|山形県|福島県|茨城県|栃木県|群馬県|埼玉県|千葉県|東京都|神奈川県|新潟県|富山県|石川県|福井県|"
    "山梨県|長野県|岐阜県|静岡県|愛知県|三重県|滋賀県|京都府|大阪府|兵庫県|奈良県|和歌山県|鳥取県|島根県|岡山県|広島県|山口県|徳島県|"
    "香川県|愛媛県|高知県|福岡県|佐賀県|長崎県|熊本県|大分県|宮崎県|鹿児島県|沖縄県"
)
_NUMBER = r"[0-9一二三四五六七八九十百]{1,5}"
_HOUSE = rf"(?:{_NUMBER}条[東西南北]?)?{_NUMBER}(?:丁目|番地?|号|の|-|ノ)"
_PLACE = r"[^\s、。,:;()「」0-9]{1,12}"
_ADDRESS = re.compile(
    rf"(?:(?:{_PREFECTURES})[ ]?{_PLACE}[市区町村郡]|(?<![^\s、。,:;()「」0-9〒-]){_PLACE}[市区町村])"
    rf"[^\s、。,:;()「」0-9]{{0,20}}[ ]?{_HOUSE}"
)


def phones(text: str) -> int:
    """Count distinct telephone numbers in a folded text."""
    found = (re.sub("[^0-9]", "", re.sub(r"^\+81", "0", match[0])) for match in _PHONE.finditer(text))
    return len(
        {
            number.replace("00", "0", 1) if number.startswith("00") else number
            for number in found
            if _long_enough(number)
        }
    )


def postal_addresses(text: str) -> int:
    """Count distinct postal addresses of Japan, with a house number, in a folded text."""
    return len({match[0] for match in _ADDRESS.finditer(text)})


def mail_addresses(text: str) -> int:
    """Count distinct mail addresses in a folded text."""
    return len({match[0].lower() for match in _MAIL.finditer(text)})


def _long_enough(number: str) -> bool:
    return len(number.lstrip("0")) in (8, 9, 10)
