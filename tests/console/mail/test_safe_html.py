"""A stranger's HTML can do nothing once it is cleaned, and says what it said: text, targets of links, its own pictures."""

from __future__ import annotations

import base64
from html.parser import HTMLParser
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.console.mail import letter, safe_html
from gateway.console.mail.depth import MOST, too_deep
from gateway.console.mail.letter import Letter
from gateway.languages import Words

WORDS = Words("en", ZoneInfo("Asia/Tokyo"))
PNG = b"\x89PNG\r\n\x1a\n" + bytes(100)
PNG_URL = "data:image/png;base64," + base64.b64encode(PNG).decode()


class Found(HTMLParser):
    """Every tag, every attribute, and the text."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.seen: list[tuple[str, dict[str, str]]] = []
        self.text = ""
        self.feed(source)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, {name: value or "" for name, value in attrs}))

    def handle_data(self, data: str) -> None:
        self.text += data


def cleaned(source: str) -> str:
    return safe_html.harmless(Letter(html=source), WORDS)


def assert_harmless(source: str) -> None:
    for tag, attributes in Found(source).seen:
        assert tag in safe_html._TAGS | {"img"}, tag
        for name, value in attributes.items():
            assert not name.startswith("on"), name
            assert name not in ("href", "background", "srcset", "action"), name
            assert name != "src" or value.startswith("data:image/"), value
            assert "url" not in value.lower() or name not in ("style", "class"), value


HOSTILE = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<img src='http://track.example/p.gif'><img srcset='http://track.example/p.gif 2x'>",
    "<a href='javascript:alert(1)'>x</a><a href=' java\nscript:alert(1)'>y</a>",
    "<svg onload=alert(1)><a xlink:href='javascript:alert(1)'>z</a></svg>",
    "<math><mtext><table><mglyph><style><!--</style><img title='--&gt;&lt;img src=1 onerror=alert(1)&gt;'>",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
    "<form action=http://a.example><input name=q><button formaction=javascript:alert(1)>b</button></form>",
    "<base href=http://a.example/><link rel=stylesheet href=x.css><meta http-equiv=refresh content='0;url=http://a.example'>",
    "<body background=http://a.example/x onload=alert(1)><table background=http://a.example/x><tr><td>t",
    "<p style='background:url(http://a.example/x)'>p</p><p style='color:\\75rl(x)'>q</p><style>@import 'x'</style>",
    "<iframe src=http://a.example></iframe><object data=x></object><embed src=x><video poster=x src=x><audio src=x>",
    "<a href='https://a.example/\"><script>alert(1)</script>'>t</a>",
    "<img src=data:image/svg+xml;base64,PHN2Zz4=><img src='data:text/html,x'>",
    "<img alt='\"><script>alert(1)</script>' src=http://a.example/x>",
    "<template><script>alert(1)</script></template><xmp><script>alert(1)</script></xmp><plaintext><script>",
    "<span class='to picture'> [https://www.example.jp]</span>",
    "<!--><script>alert(1)</script>--><![CDATA[<script>alert(1)</script>]]>",
]


@pytest.mark.parametrize("source", HOSTILE)
def test_nothing_is_left_that_does_anything(source: str) -> None:
    assert_harmless(cleaned(source))


@given(
    st.lists(st.one_of(st.sampled_from(HOSTILE), st.text(alphabet="<>\"'=/ a&;x-!", max_size=8)), max_size=6)
)
def test_however_they_are_put_together(pieces: list[str]) -> None:
    source = "".join(pieces)
    if not too_deep(source):
        assert_harmless(cleaned(source))


def test_every_mail_of_the_corpus(corpus: list[tuple[str, bytes]]) -> None:
    shown = 0
    for name, raw in corpus:
        read = letter.read(raw)
        if read.html and not too_deep(read.html):
            assert_harmless(safe_html.harmless(read, WORDS))
            shown += 1
        assert "\0" not in read.plain, name
    assert shown > 100


def test_a_link_is_text_with_its_target() -> None:
    found = Found(cleaned('<p>See <a href="https://a.example/x?a=1&amp;b=2" title="t">our page</a>.</p>'))
    assert found.text == "See our page [https://a.example/x?a=1&b=2]."
    assert not [tag for tag, _ in found.seen if tag == "a"]


def test_a_target_is_cut_and_shows_no_change_of_direction() -> None:
    text = Found(cleaned(f"<a href='https://a.example/\u202e{'x' * 500}'>t</a>")).text
    assert "\u202e" not in text
    assert len(text) < safe_html.TARGET + 10


def test_a_picture_elsewhere_is_named_and_not_fetched() -> None:
    found = Found(cleaned("<img src='https://a.example/logo.png' alt='our logo'>"))
    assert found.text == "[picture not shown: our logo]"


def test_pictures_of_the_mail_are_shown_within_bounds() -> None:
    assert PNG_URL in cleaned(f"<img src='{PNG_URL}' alt=x>")
    many = PNG + bytes(safe_html.MAX_PICTURE - len(PNG))
    url = "data:image/png;base64," + base64.b64encode(many).decode()
    shown = cleaned(f"<img src='{url}'>" * 8)
    assert shown.count("data:image/png") == safe_html.MAX_ALL_PICTURES // safe_html.MAX_PICTURE
    assert "data:" not in cleaned("<img src='data:image/png;base64,PHNjcmlwdD4='>")  # says png, is none


def test_a_picture_named_by_its_content_id_is_found() -> None:
    raw = (
        b"Content-Type: multipart/related; boundary=b\r\n\r\n--b\r\nContent-Type: text/html; charset=iso-2022-jp\r\n\r\n"
        b"<p>\x1b$B%F%K%9\x1b(B<img src='cid:Logo%40x'>\r\n--b\r\nContent-Type: image/png\r\nContent-ID: <logo@x>\r\n"
        b"Content-Transfer-Encoding: base64\r\n\r\n" + base64.b64encode(PNG) + b"\r\n--b--\r\n"
    )
    read = letter.read(raw)
    made = safe_html.harmless(read, WORDS)
    assert "テニス" in made
    assert PNG_URL in made
    assert read.from_html
    assert read.plain == "テニス"


@pytest.mark.parametrize(
    "source",
    ["<div>" * 20_000, "<b><i>" * 9_000, "<div><marquee></div></marquee>" * 2_000, "<svg>" + "<td>" * 9_000],
)
def test_what_nests_too_deep_is_not_shown(source: str) -> None:
    assert safe_html.document(Letter(html=source), WORDS) is None


def test_what_mails_do_is_not_deep() -> None:
    assert not too_deep("<table><tr><td><p>a<p>b<br><li>c" * 100)
    assert not too_deep("<p><b>x</b></p>" * 5_000)
    assert too_deep("<span>" * (MOST + 1))


def test_the_page_names_its_charset_and_may_ask_for_nothing() -> None:
    made = safe_html.document(Letter(html="<p>x"), WORDS)
    assert made is not None
    assert made.startswith('<!doctype html><html lang="en"><head><meta charset="utf-8">')
    policy = safe_html.HEADERS["content-security-policy"]
    assert policy.startswith("sandbox; default-src 'none'; img-src data:;")
