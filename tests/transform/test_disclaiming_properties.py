"""Laws of texts under mails, on drawn mails and on the corpus: the same parts, the same words, every other octet."""

from __future__ import annotations

from dataclasses import replace
from typing import AnyStr

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from gateway.message import charset
from gateway.message.header import split
from gateway.message.mime import Part, Structure, scan_structure
from gateway.policy.demands import Form
from gateway.policy.disclaimers import Disclaimer
from gateway.transform.disclaiming import WHY, disclaimed
from gateway.transform.part_octets import decoded
from gateway.transform.render import carrying, prepare_views, render, unprepared
from gateway.transform.under_plain import certain_text
from gateway.transform.view import view_of
from tests.thoroughness import examples
from tests.transform.leaks import leaks
from tests.transform.sample import decision, envelope, original

TEXTS = [
    Disclaimer("a", "このメールに心当たりのない方は破棄してください。\n①\n> 引用ではない\n--\nFrom me"),
    Disclaimer("b", "Second text.", "<p>Second <b>text</b></p>"),
]


def structure_of(raw: bytes) -> Structure:
    header, body_at = split(raw)
    return scan_structure(raw, header, body_at)


def octets_of(raw: bytes, part: Part) -> bytes:
    octets = decoded(raw[part.body_at : part.end], part.encoding)
    assert octets is not None
    return octets


def words(raw: bytes, part: Part) -> str:
    octets = octets_of(raw, part)
    if part.charset in ("", "us-ascii"):  # raw ISO-2022-JP is ASCII, too: readers look at it as we do
        return charset.guess(octets)[0]
    return charset.decode(octets, part.charset)


def assert_inserted(old: AnyStr, new: AnyStr) -> None:
    """Check that all of `old` stands in `new`, in one place or on both sides of what is new."""
    at = next((n for n, pair in enumerate(zip(old, new, strict=False)) if pair[0] != pair[1]), len(old))
    assert len(new) > len(old)
    assert new.endswith(old[at:])


def assert_law(raw: bytes, texts: list[Disclaimer]) -> str:
    """Check one mail; return why it was left alone, empty where it was not."""
    made = disclaimed(raw, texts)
    if made.why or made.raw is raw:
        assert made.raw is raw
        assert made.why == "" or made.why in WHY
        return made.why
    before, after = structure_of(raw), structure_of(made.raw)
    assert not after.unclear
    new = len(after.parts) - len(before.parts)
    assert new in (0, 1)
    now_parts = after.parts if not new else after.parts[:1] + after.parts[2:]
    touched = 0
    for was, now in zip(before.parts, now_parts, strict=True):
        assert was.content_type == now.content_type
        if was.content_type.startswith(("multipart/", "message/")):
            continue
        if raw[was.header_at : was.end] == made.raw[now.header_at : now.end]:
            continue
        touched += 1
        assert was.content_type in ("text/plain", "text/html")
        if was.content_type == "text/plain":
            old, said = words(raw, was), words(made.raw, now)
            assert said.startswith(old)
            assert said[len(old) :].strip() != ""
        else:
            plain = octets_of(raw, was)
            assert_inserted(plain, octets_of(made.raw, now))
            if certain_text(plain, was.charset) is not None:  # else readers guess, at what is new, too
                assert_inserted(words(raw, was), words(made.raw, now))
    assert touched + new in (1, 2)
    assert disclaimed(made.raw, texts).raw is made.raw  # nothing is put there twice
    return ""


def test_the_corpus(corpus: list[tuple[str, bytes]]) -> None:
    changed = 0
    for name, raw in corpus:
        try:
            changed += assert_law(raw, TEXTS) == ""
        except AssertionError as error:
            pytest.fail(f"{name}: {error}")
    assert changed > len(corpus) / 4


LABELS = st.sampled_from(
    ["", "us-ascii", "utf-8", "iso-2022-jp", "shift_jis", "euc-jp", "iso-8859-1", "utf-16", "x"]
)
ENCODINGS = st.sampled_from(["", "7bit", "8bit", "quoted-printable", "base64", "x-odd"])
PIECES = st.sampled_from(
    [b"", b"hello ", b"\r\n", b"</body>", b"<!--", b"-->", b"=\r\n", b"=E4=BC=9A", b"=", b"--b1", b"\r\n--b1--\r\n",
     b"\x1b$B2q5D\x1b(B", b"\x1b$B", "会議".encode(), "会議".encode("cp932"), b"SGVsbG8=", b"SGVs", b"> ", b"-----BEGIN PGP "]
)  # fmt: skip


@st.composite
def leaves(draw: st.DrawFn) -> bytes:
    kind = draw(
        st.sampled_from(
            ["text/plain", "text/html", "text/plain; format=flowed", "application/pdf", "text/calendar"]
        )
    )
    label, encoding = draw(LABELS), draw(ENCODINGS)
    head = f"Content-Type: {kind}" + (f"; charset={label}" if label else "") + "\r\n"
    head += f"Content-Transfer-Encoding: {encoding}\r\n" if encoding else ""
    return head.encode() + b"\r\n" + b"".join(draw(st.lists(PIECES, max_size=6)))


@st.composite
def mails(draw: st.DrawFn) -> bytes:
    kind = draw(st.sampled_from(["", "mixed", "alternative", "related", "signed"]))
    if not kind:
        return b"Subject: x\r\n" + draw(leaves())
    inner = b"".join(b"--b1\r\n" + draw(leaves()) + b"\r\n" for _ in range(draw(st.integers(1, 3))))
    end = draw(st.sampled_from([b"--b1--\r\n", b"--b1--", b"--b1--\r\nepilogue"]))
    return f"Content-Type: multipart/{kind}; boundary=b1\r\n\r\n".encode() + inner + end


@settings(max_examples=examples(500), deadline=None)
@given(mails(), st.permutations(TEXTS))
def test_drawn_mails(raw: bytes, texts: list[Disclaimer]) -> None:
    event(assert_law(raw, texts) or "carried")


@settings(max_examples=examples(200), deadline=None)
@given(st.binary(max_size=300))
def test_any_octets(raw: bytes) -> None:
    assert_law(raw, TEXTS)


SENT = envelope("ana@one.example.com", "ben@two.example.net", "chief@city.example.lg.jp")
RAW = (
    b"From: office@sports.example.jp\r\nTo: ana@one.example.com, ben@two.example.net\r\nDate: x\r\nMessage-ID: <a@b>\r\n"
    b"Content-Type: text/plain; charset=us-ascii\r\n\r\nhello\r\n"
)


@pytest.mark.parametrize("form", [Form.BCC, Form.INDIVIDUAL])
def test_hiding_holds_for_a_part_written_anew(form: Form) -> None:
    decided = decision(form, count=3)
    demands = replace(decided.outcomes[0].demands, disclaimers=frozenset({"a"}))
    plain = replace(
        decided.outcomes[0],
        external=False,
        demands=replace(demands, form=Form.ORIGINAL, disclaimers=frozenset()),
    )
    decided = replace(
        decided,
        outcomes=(replace(decided.outcomes[0], demands=demands), plain),
        assigned=(0, 0, 1),
        texts=(TEXTS[0],),
    )
    prepared = original(RAW, SENT, decided)
    views = [view_of(decided, number, address) for number, address in enumerate(SENT.recipients)]
    assert [view.disclaimers for view in views] == [("a",), ("a",), ()]
    prepare_views(prepared, unprepared(prepared, views))
    assert unprepared(prepared, views) == []
    ana, ben, chief = (render(prepared, view) for view in views)
    assert leaks(bytes(ana.header), [str(SENT.recipients[1])]) == []
    assert ana.body.obj is ben.body.obj  # made once, whatever the number of copies
    assert b"charset=utf-8" in ana.header
    assert bytes(chief.body) == b"hello\r\n"
    assert b"charset=us-ascii" in chief.header
    assert carrying(prepared, views[0]).body is ana.body
