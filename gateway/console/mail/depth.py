"""How deep a piece of HTML may nest, never told too small: what a parser makes of unclosed tags takes the square of it.

A hundred thousand octets of `<div>` keep html5ever busy for two seconds, and four times that for thirty. Linear; pure.
"""

from __future__ import annotations

import re

MOST = 400  # mails are laid out in tables some thirty deep; Word adds spans that it forgets to close

_TAG = re.compile(r"<(/?)([a-zA-Z][^\s/>]{0,40}+)")
# What a parser closes by itself, or what holds nothing: true of HTML, not of what stands in SVG or MathML.
_NAMES = (
    "area base br col embed hr img input link meta param source track wbr "
    "p li dd dt td th tr tbody thead tfoot option"
)
_SHALLOW = frozenset(_NAMES.split())
_FOREIGN = re.compile(r"<(?:svg|math)\b", re.IGNORECASE)


def too_deep(source: str) -> bool:
    """Tell whether more than MOST elements might be open at once.

    A closing tag counts where it closes what was opened last: of all others parsers disagree what they close.
    """
    shallow: frozenset[str] = frozenset() if _FOREIGN.search(source) else _SHALLOW
    opened: list[str] = []
    for match in _TAG.finditer(source):
        name = match[2].lower()
        if name in shallow:
            continue
        if not match[1]:
            opened.append(name)
            if len(opened) > MOST:
                return True
        elif opened and opened[-1] == name:
            opened.pop()
    return False
