"""Texts under mails: in the part's own charset and encoding, or the part anew; read back by the stdlib's parser."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import replace
from email import message_from_bytes
from email.message import Message

import pytest

from gateway.policy.decision import LeftOut
from gateway.policy.demands import Demands, Form
from gateway.policy.disclaimers import Disclaimer
from gateway.transform.disclaiming import MAX_TEXT, WHY, disclaimed, with_left_out
from tests.transform.sample import decision

JA = Disclaimer("ja", "このメールに心当たりのない方は破棄してください。\n\n見本市 総務課")
EN = Disclaimer("en", "Please delete this mail\nif it is not for you.")
JIS = "本日の会議は中止です。".encode("iso-2022-jp")


def mail(head: str, body: bytes) -> bytes:
    return b"From: a@city.example.lg.jp\r\nMIME-Version: 1.0\r\n" + head.encode() + b"\r\n" + body


def text_mail(charset: str, encoding: str, body: bytes, kind: str = "text/plain") -> bytes:
    return mail(f"Content-Type: {kind}; charset={charset}\r\nContent-Transfer-Encoding: {encoding}\r\n", body)


def parts_of(raw: bytes) -> list[Message]:
    return [part for part in message_from_bytes(raw).walk() if not part.is_multipart()]


def octets_of(part: Message) -> bytes:
    octets = part.get_payload(decode=True)
    assert isinstance(octets, bytes)
    return octets


def said(part: Message) -> str:
    """Return the text of a part as a reader sees it."""
    return octets_of(part).decode(str(part.get_content_charset() or "ascii")).replace("\r\n", "\n")


@pytest.mark.parametrize(
    ("charset", "encoding", "body"),
    [
        ("iso-2022-jp", "7bit", JIS + b"\r\n"),
        ("iso-2022-jp", "7bit", JIS),
        ("ISO-2022-JP", "base64", b64encode(JIS) + b"\r\n"),
        ("utf-8", "8bit", "会議は中止です。\r\n".encode()),
        ("utf-8", "base64", b64encode("会議は中止です。\r\n".encode()) + b"\r\n"),
        ("utf-8", "quoted-printable", b"=E4=BC=9A=E8=AD=B0\r\n"),
        ("utf-8", "quoted-printable", b"=E4=BC=9A=E8=AD=B0=\r\n"),
        ("utf-8", "quoted-printable", b"a very long line that=\r\n ends softly="),
        ("shift_jis", "8bit", "会議は中止です。\r\n".encode("cp932")),
        ("euc-jp", "base64", b64encode("会議".encode("euc_jp"))),
    ],
)
def test_a_text_is_said_in_the_charset_and_encoding_of_the_part(
    charset: str, encoding: str, body: bytes
) -> None:
    raw = text_mail(charset, encoding, body)
    made = disclaimed(raw, [JA])
    assert made.why == ""
    (before,), (after,) = parts_of(raw), parts_of(made.raw)
    assert after["Content-Type"] == before["Content-Type"]
    assert after["Content-Transfer-Encoding"] == before["Content-Transfer-Encoding"]
    joint = "" if said(before).endswith("\n") else "\n"
    assert said(after) == f"{said(before)}{joint}\n{JA.text}\n"
    if encoding != "base64":
        assert made.raw.startswith(raw)


@pytest.mark.parametrize(
    ("head", "body", "text"),
    [
        ("Content-Type: text/plain; charset=us-ascii\r\n", b"hello\r\n", "hello\n"),
        ("", b"hello", "hello\n"),
        (
            "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 7bit\r\n",
            b"hello\r\n",
            "hello\n",
        ),
        ("Content-Type: text/plain; charset=iso-8859-1; format=flowed\r\n", b"caf\xe9\r\n", "café\n"),
        ("Content-Type: text/plain\r\n", "会議\r\n".encode(), "会議\n"),
        ("Content-Type: text/plain\r\n", JIS + b"\r\n", "本日の会議は中止です。\n"),
        (
            "Content-Type: text/plain; charset=utf-16\r\nContent-Transfer-Encoding: base64\r\n",
            b64encode("会議\r\n".encode("utf-16")),
            "会議\n",
        ),
    ],
)
def test_where_the_charset_has_no_words_for_it_the_part_is_written_in_utf_8(
    head: str, body: bytes, text: str
) -> None:
    made = disclaimed(mail(head, body), [JA])
    (part,) = parts_of(made.raw)
    assert part.get_content_charset() == "utf-8"
    assert part["Content-Transfer-Encoding"] in ("base64", "quoted-printable")
    assert part.get_param("format") == ("flowed" if "flowed" in head else None)
    assert said(part) == f"{text}\n{JA.text}\n"
    assert made.raw.isascii()
    assert len(parts_of(made.raw)) == 1
    assert made.raw.count(b"MIME-Version") == 1


def test_a_mail_without_mime_fields_gets_them_when_it_needs_them() -> None:
    raw = b"From: a@city.example.lg.jp\r\nSubject: x\r\n\r\nhello\r\n"
    assert disclaimed(raw, [EN]).raw == raw + b"\r\nPlease delete this mail\r\nif it is not for you.\r\n"
    made = disclaimed(raw, [JA]).raw
    assert made.startswith(b"From: a@city.example.lg.jp\r\nSubject: x\r\n")
    assert b"MIME-Version: 1.0\r\n" in made
    assert said(parts_of(made)[0]) == f"hello\n\n{JA.text}\n"


def test_kanji_that_are_never_closed_do_not_swallow_the_text() -> None:
    raw = text_mail("iso-2022-jp", "7bit", JIS.removesuffix(b"\x1b(B"))
    assert said(parts_of(disclaimed(raw, [JA]).raw)[0]).endswith(f"です。\n\n{JA.text}\n")


def test_characters_that_iso_2022_jp_lacks_put_the_part_into_utf_8() -> None:
    odd = Disclaimer("odd", "㈱見本 ①")
    (part,) = parts_of(disclaimed(text_mail("iso-2022-jp", "7bit", JIS), [odd]).raw)
    assert part.get_content_charset() == "utf-8"
    assert said(part) == "本日の会議は中止です。\n\n㈱見本 ①\n"


def test_flowed_text_is_stuffed() -> None:
    quoting = Disclaimer("q", "> not a quotation\nFrom here\n indented\nplain")
    raw = mail("Content-Type: text/plain; charset=us-ascii; format=flowed\r\n", b"soft \r\nend\r\n")
    assert disclaimed(raw, [quoting]).raw.removeprefix(raw) == (
        b"\r\n > not a quotation\r\n From here\r\n  indented\r\nplain\r\n"
    )


ALTERNATIVE = b"""--b1\r
Content-Type: text/plain; charset=iso-2022-jp\r
\r
%b\r
--b1\r
Content-Type: text/html; charset=%b\r
Content-Transfer-Encoding: %b\r
\r
%b\r
--b1--\r
after\r
"""


def alternative(encoding: str, html: bytes, charset: str = "utf-8") -> bytes:
    body = ALTERNATIVE % (JIS, charset.encode(), encoding.encode(), html)
    return mail('Content-Type: multipart/alternative; boundary="b1"\r\n', body)


PIECE = "\n<div>\nこのメールに心当たりのない方は破棄してください。<br>\n<br>\n見本市 総務課\n</div>\n"


@pytest.mark.parametrize("encoding", ["7bit", "8bit", "quoted-printable", "base64"])
def test_both_alternatives_get_it(encoding: str) -> None:
    page = b"<html><body><p>hello</p><!-- </body> --></BODY >\r\n</html>"
    html = b64encode(page) if encoding == "base64" else page
    raw = alternative(encoding, html)
    made = disclaimed(raw, [JA])
    plain, rich = parts_of(made.raw)
    assert said(plain).endswith(f"\n\n{JA.text}\n")
    import html as entities

    shown = entities.unescape(said(rich))
    assert shown == f"<html><body><p>hello</p><!-- </body> -->{PIECE}</BODY >\n</html>"
    assert made.raw.endswith(b"--b1--\r\nafter\r\n")
    assert made.raw.isascii()


def test_html_without_a_body_gets_it_at_its_end() -> None:
    raw = text_mail("utf-8", "7bit", b"<p>hello", "text/html")
    assert disclaimed(raw, [EN]).raw == raw + (
        b"\r\n<div>\r\nPlease delete this mail<br>\r\nif it is not for you.\r\n</div>\r\n"
    )


def test_text_is_escaped_and_html_of_the_policy_is_not() -> None:
    raw = text_mail("utf-8", "7bit", b"<body>hello</body>", "text/html")
    texts = [Disclaimer("a", "<b> & co"), Disclaimer("b", "text", "<p>真 &amp;</p>")]
    body = disclaimed(raw, texts).raw.partition(b"\r\n\r\n")[2]
    assert body == (
        b"<body>hello\r\n<div>\r\n&lt;b&gt; &amp; co\r\n</div>\r\n"
        b"\r\n<div>\r\n<p>&#30495; &amp;</p>\r\n</div>\r\n</body>"
    )


def test_a_long_line_of_references_does_not_break_the_line_limit() -> None:
    raw = text_mail("utf-8", "7bit", b"<body>hello</body>", "text/html")
    made = disclaimed(raw, [Disclaimer("long", "字" * 200)]).raw
    assert max(map(len, made.split(b"\r\n"))) <= 998
    import html as entities

    assert "字" * 200 in entities.unescape(said(parts_of(made)[0]))


def test_octets_that_look_like_a_tag_inside_kanji_are_none() -> None:
    looks = b"\x1b$B</body>!\x1b(B"  # five pairs of octets that are kanji
    raw = text_mail("iso-2022-jp", "7bit", b"<body>" + looks + b"</body>", "text/html")
    body = disclaimed(raw, [EN]).raw.partition(b"\r\n\r\n")[2]
    assert body.startswith(b"<body>" + looks + b"\r\n<div>")


MIXED = b"""--b1\r
Content-Type: application/pdf; name=a.pdf\r
Content-Transfer-Encoding: base64\r
\r
AAAA\r
--b1--\r
"""


def test_a_mail_of_files_only_gets_a_text_part() -> None:
    raw = mail("Content-Type: multipart/mixed; boundary=b1\r\n", b"preamble\r\n" + MIXED)
    first, second = parts_of(disclaimed(raw, [JA]).raw)
    assert said(first).rstrip("\n") == JA.text
    assert first.get_content_type() == "text/plain"
    assert octets_of(second) == octets_of(parts_of(raw)[0])


def test_a_text_that_looks_like_a_delimiter_is_encoded() -> None:
    raw = mail(
        "Content-Type: multipart/mixed; boundary=b1\r\n",
        b"--b1\r\nContent-Type: text/plain; charset=us-ascii\r\n\r\nhello\r\n" + MIXED,
    )
    made = disclaimed(raw, [Disclaimer("rule", "--b1\nbye")])
    plain, pdf = parts_of(made.raw)
    assert said(plain) == "hello\n\n--b1\nbye\n"
    assert pdf.get_content_type() == "application/pdf"


SIGNED = "Content-Type: multipart/signed; boundary=b1; protocol=x\r\n"
FORWARD = b"--b1\r\nContent-Type: message/rfc822\r\n\r\nSubject: x\r\n\r\ninner\r\n--b1--\r\n"


@pytest.mark.parametrize(
    ("head", "body", "why"),
    [
        (SIGNED, b"--b1\r\n\r\nhello\r\n--b1--\r\n", "signed"),
        ("Content-Type: multipart/encrypted; boundary=b1\r\n", b"--b1\r\n\r\nhello\r\n--b1--\r\n", "signed"),
        ("Content-Type: application/pkcs7-mime; name=smime.p7m\r\n", b"AAAA\r\n", "signed"),
        ("Content-Type: application/octet-stream; name=smime.p7m\r\n", b"AAAA\r\n", "signed"),
        ("Content-Type: text/plain\r\n", b"-----BEGIN PGP SIGNED MESSAGE-----\r\n", "signed"),
        ("Content-Type: multipart/mixed; boundary=b1\r\n", b"--b1\r\n\r\nnever closed\r\n", "unclear"),
        ("Content-Type: application/pdf\r\n", b"AAAA\r\n", "no-text"),
        ("Content-Type: text/plain\r\nContent-Transfer-Encoding: base64\r\n", b"A!AA\r\n", "encoding"),
        ("Content-Type: text/plain; charset=utf-8\r\n", b"caf\xe9\r\n", "charset"),
        ("Content-Type: text/plain; charset=us-ascii\r\n", b"caf\xe9\r\n", "charset"),
        ("Content-Type: text/plain; charset=x-unknown\r\n", b"hello\r\n", "charset"),
        ("Content-Type: text/html; charset=utf-16\r\n", b"<p>", "charset"),
        ('Content-Type: text/plain; x="\\"a"\r\n', b"hello\r\n", "part-header"),
        ("Content-Type: multipart/report; boundary=b1\r\n", b"--b1\r\n\r\nhello\r\n--b1--\r\n", "no-text"),
    ],
)
def test_what_cannot_carry_it_stays_as_it_is_and_says_why(head: str, body: bytes, why: str) -> None:
    raw = mail(head, body)
    made = disclaimed(raw, [JA])
    assert made.why == why
    assert why == "" or why in WHY
    if why:
        assert made.raw is raw


def test_a_text_above_the_bound_is_left_alone() -> None:
    raw = text_mail("utf-8", "7bit", b"x" * 70 + b"\r\n" * (MAX_TEXT // 2))
    assert disclaimed(raw, [JA]).why == "too-large"


def test_what_a_forwarded_mail_says_is_never_touched() -> None:
    raw = mail("Content-Type: multipart/mixed; boundary=b1\r\n", FORWARD)
    made = disclaimed(raw, [EN]).raw
    assert FORWARD in made
    assert [part.get_content_type() for part in parts_of(made)] == ["text/plain", "text/plain"]


@pytest.mark.parametrize("quote", ["", "> ", "> > ", ">>"])
def test_a_reply_that_quotes_it_is_not_given_it_again(quote: str) -> None:
    quoted = "\r\n".join(f"{quote}{line}" for line in JA.text.split("\n"))
    raw = text_mail("utf-8", "8bit", f"はい。\r\n\r\n{quoted}\r\n".encode())
    assert disclaimed(raw, [JA]).raw is raw
    again = disclaimed(raw, [EN, JA]).raw
    assert again.removeprefix(raw) == b"\r\nPlease delete this mail\r\nif it is not for you.\r\n"
    assert disclaimed(again, [EN, JA]).raw is again


def test_a_reply_in_html_is_not_given_it_again() -> None:
    raw = text_mail("utf-8", "quoted-printable", b"<body>hello</body>", "text/html")
    texts = [JA, Disclaimer("b", "x", "<p>Please <b>delete</b></p>")]
    once = disclaimed(raw, texts).raw
    assert disclaimed(once, texts).raw is once


def test_several_stand_in_order_each_once() -> None:
    raw = text_mail("utf-8", "8bit", "会\r\n".encode())
    made = disclaimed(raw, [EN, JA, replace(EN, key="en:en")]).raw
    assert said(parts_of(made)[0]) == f"会\n\n{EN.text}\n\n{JA.text}\n"


def test_what_is_left_out_is_recorded_with_the_decision() -> None:
    decided = decision(Form.ORIGINAL)
    outcome = replace(decided.outcomes[0], demands=Demands(disclaimers=frozenset({"ja", "en"})))
    decided = replace(decided, outcomes=(outcome,), texts=(EN, JA))
    assert with_left_out(decided, text_mail("utf-8", "7bit", b"x\r\n")) == decided
    told = with_left_out(decided, mail(SIGNED, b"--b1\r\n\r\nhello\r\n--b1--\r\n"))
    assert told.left_out == (LeftOut(("en", "ja"), "signed"),)
    assert told.disclaimers_of(0) == ()
    assert decided.disclaimers_of(0) == ("en", "ja")


def test_a_new_part_that_looks_like_a_delimiter_is_encoded() -> None:
    raw = mail("Content-Type: multipart/mixed; boundary=b1\r\n", MIXED)
    plain, pdf = parts_of(disclaimed(raw, [Disclaimer("rule", "--b1--\nbye")]).raw)
    assert said(plain).rstrip("\n") == "--b1--\nbye"
    assert pdf.get_content_type() == "application/pdf"


@pytest.mark.parametrize(
    "piece",
    [b"<!--</body>-->", b"\x1b$B</body>!\x1b(B", b"<!--", b"</body>", b"<", b"=", b"> ", b"\x1b$B", b"&amp;"],
)
@pytest.mark.parametrize("kind", ["text/plain", "text/html"])
@pytest.mark.parametrize("encoding", ["7bit", "quoted-printable"])
def test_hostile_repetition_is_read_in_linear_time(piece: bytes, kind: str, encoding: str) -> None:
    lines = b"\r\n".join([piece * (900 // len(piece))] * 1_000)
    disclaimed(text_mail("iso-2022-jp", encoding, lines, kind), [JA, EN])
