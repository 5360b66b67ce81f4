"""A stranger's HTML as a page that can do nothing: no script, no request, no way out of its frame. Pure.

Three walls, each enough by itself (docs/decisions/0085-html-of-strangers.md): the HTML is cleaned by a parser that browsers
agree with, what is left is served under HEADERS, and the page shows it in a frame with an empty `sandbox`. Links become text
with their target beside it; pictures are those in the mail itself, inlined within bounds, and nothing else.
"""

from __future__ import annotations

import base64
import html
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

import nh3

from gateway.console.mail.depth import too_deep
from gateway.console.mail.letter import TYPES, Letter
from gateway.detect.magic import by_octets
from gateway.languages import Words, shown

MAX_PICTURE = 512 << 10  # octets of one picture shown: a logo, a letterhead
MAX_ALL_PICTURES = 3 << 20  # octets of all of them on one page, each time it is shown
TARGET, NAME = 300, 100  # characters shown of a link's target, of a picture's name

HEADERS: Mapping[str, str] = {
    "content-security-policy": (
        "sandbox; default-src 'none'; img-src data:; style-src 'unsafe-inline'; form-action 'none'; "
        "frame-ancestors 'self'; base-uri 'none'"
    ),
    "x-frame-options": "SAMEORIGIN",
}

_PLAIN = (
    "abbr address article b big blockquote br caption center cite code dd del dfn div dl dt em figcaption figure footer "
    "h1 h2 h3 h4 h5 h6 header hr i ins kbd li ol p pre q s samp section small span strike strong sub sup "
    "table tbody td tfoot th thead tr tt u ul var wbr font"
)
_TAGS = frozenset(_PLAIN.split())
_DROPPED_WHOLE = frozenset({"script", "style", "title", "iframe", "noembed", "noframes", "template"})
_ATTRIBUTES = {
    "*": {"align", "dir", "lang", "style"},
    "font": {"color", "size"},
    "ol": {"start", "type"},
    "table": {"border", "cellpadding", "cellspacing", "bgcolor", "width"},
    "tr": {"bgcolor", "valign"},
    "td": {"bgcolor", "colspan", "rowspan", "valign", "width"},
    "th": {"bgcolor", "colspan", "rowspan", "valign", "width"},
    "img": {"alt", "height", "src", "width"},
}
_STYLES = {
    "background-color", "color", "font-size", "font-style", "font-weight", "margin", "padding",
    "text-align", "text-decoration", "text-indent", "vertical-align", "border", "border-collapse", "line-height",
}  # fmt: skip
_SCHEMES = {"http", "https", "mailto", "tel", "cid", "data"}
_REACHING = re.compile(r"url|image|\\|@|/\*", re.IGNORECASE)  # what makes a style more than a look
_LINK = re.compile(r'<a(?: href="([^"]*)")?>|</a>')
_IMAGE = re.compile(r"<img(?: [^<>]*)?>")
_ALT = re.compile(r' alt="([^"]*)"')
_INLINE = re.compile(r"data:(image/[a-z]{3,4});base64,([A-Za-z0-9+/=\s]+)", re.IGNORECASE)
_KINDS = {f"image/{kind}": kind for kind in ("png", "jpeg", "gif", "webp")}

_LOOK = (
    "html{color-scheme:light}body{margin:1rem;background:#fff;color:#111;font:1rem/1.7 sans-serif;overflow-wrap:anywhere}"
    "img,table{max-width:100%}img{height:auto}"
    ".to{color:#565d69;font-size:.875em}.picture{border:1px dashed #7a8290;padding:0 .25rem;color:#565d69;font-size:.875em}"
)


@dataclass
class _Pictures:
    """The pictures of one page, as long as there is room for them."""

    letter: Letter
    left: int = field(default=MAX_ALL_PICTURES)

    def url(self, source: str) -> str | None:
        """Return a picture as a data: address; None for whatever is elsewhere, too large, or no picture."""
        if source[:4].lower() == "cid:":
            octets = self.letter.picture(source[4:], min(MAX_PICTURE, self.left))
        else:
            octets = _inlined(source, min(MAX_PICTURE, self.left))
        kind = by_octets(octets[:64]) if octets else ""
        if octets is None or f"image/{kind}" not in TYPES:
            return None
        self.left -= len(octets)
        return f"data:image/{kind};base64,{base64.b64encode(octets).decode()}"


def document(letter: Letter, words: Words) -> str | None:
    """Return the whole page for the frame; None where the HTML nests too deep to be shown."""
    if too_deep(letter.html):
        return None
    body = harmless(letter, words)
    title = html.escape(words.gettext("How the mail looks"))
    return (
        f'<!doctype html><html lang="{words.language}"><head><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width"><title>{title}</title><style>{_LOOK}</style></head>'
        f"<body>{body}</body></html>"
    )


def harmless(letter: Letter, words: Words) -> str:
    """Return the HTML of a letter without what could do anything; `too_deep` has to be asked before."""
    pictures = _Pictures(letter)

    def kept(tag: str, name: str, value: str) -> str | None:
        if tag == "img" and name == "src":
            return pictures.url(value)
        if name == "href":
            return shown(value, TARGET)
        return None if name == "style" and _REACHING.search(value) else value

    once = nh3.clean(
        letter.html,
        tags=set(_TAGS) | {"a", "img"},
        clean_content_tags=set(_DROPPED_WHOLE),
        attributes={**_ATTRIBUTES, "a": {"href"}},
        attribute_filter=kept,
        url_schemes=_SCHEMES,
        link_rel=None,
        filter_style_properties=_STYLES,
    )
    without_links = _LINK.sub(_Targets(words), once)
    told = _IMAGE.sub(lambda match: _picture_or_word(match[0], words), without_links)
    # Once more, for what was written here: no link is left, and no address but those of the pictures above.
    return nh3.clean(
        told,
        tags=set(_TAGS) | {"img"},
        attributes={**_ATTRIBUTES, "span": {"class"}},
        attribute_filter=lambda tag, name, value: (
            value if name != "src" or _INLINE.fullmatch(value) else None
        ),
        url_schemes={"data"},
        link_rel=None,
        filter_style_properties=_STYLES,
    )


class _Targets:
    """Turns each link into its text, with the target behind it."""

    def __init__(self, words: Words) -> None:
        self._words = words
        self._open: list[str] = []

    def __call__(self, match: re.Match[str]) -> str:
        if match[0] != "</a>":
            self._open.append(match[1] or "")
            return "<u>"
        target = self._open.pop() if self._open else ""
        return f'</u><span class="to"> [{target}]</span>' if target else "</u>"


def _picture_or_word(tag: str, words: Words) -> str:
    if ' src="data:' in tag:
        return tag
    alt = _ALT.search(tag)
    name = html.escape(shown(html.unescape(alt[1]), NAME)) if alt else ""
    said = html.escape(words.gettext("picture not shown"))
    return f'<span class="picture">[{said}{": " if name else ""}{name}]</span>'


def _inlined(source: str, most: int) -> bytes | None:
    """Return the octets of a data: address of a picture of at most so many."""
    if len(source) > most * 2:
        return None
    match = _INLINE.fullmatch(source)
    if match is None or match[1].lower() not in _KINDS:
        return None
    try:
        octets = base64.b64decode(match[2], validate=False)
    except ValueError:
        return None
    return octets if len(octets) <= most else None
