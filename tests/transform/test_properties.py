"""Laws of rendering, searched for counterexamples: no leak, whatever the field, the spelling and the place."""

from __future__ import annotations

from base64 import b64encode
from email.utils import getaddresses
from urllib.parse import quote

from hypothesis import example, given, settings
from hypothesis import strategies as st

from gateway.policy.demands import Form
from gateway.transform.render import render
from gateway.transform.view import view_of
from tests.thoroughness import examples
from tests.transform.leaks import fields, leaks
from tests.transform.sample import copy_of, decision, envelope, header_of, mail, original

HIDDEN = ("geheim.eins@aussen.example.com", "geheim-zwei@draussen.example.net")
SENT = envelope(*HIDDEN)

NAMES = st.sampled_from(
    ["To", "to ", "CC", "Subject", "From", "Sender", "Reply-To", "Received", "References", "X-Any", "Content-Type",
     "Content-Disposition", "List-Id", "DKIM-Signature", "Date", "Message-ID", "MIME-Version", "Comments", "no field"]
)  # fmt: skip
SPELLINGS = st.sampled_from(
    [
        str,
        str.upper,
        lambda a: a.replace("@", "\r\n @ "),
        lambda a: f"<{a}>",
        lambda a: f'"{a}" <x@y.example>',
        lambda a: f"({a})",
        lambda a: f"=?utf-8?b?{b64encode(a.encode()).decode()}?=",
        lambda a: f"=?iso-2022-jp?q?{a.replace('@', '=40')}?=",
        lambda a: f"=?utf-8?q?{a[:5]}?= =?utf-8?q?{a[5:].replace('@', '=40')}?=",
        lambda a: f"; filename*=utf-8''{quote(a, safe='')}",
        lambda a: f'; name="{a}"; boundary="b"',
        lambda a: a.replace("@", "＠"),
    ]
)
NOISE = st.text(st.sampled_from("ab1 ,;:<>()\"\\=?@.あ漢-_*%&'"), max_size=12)
VALUES = st.builds(lambda a, s, who, b: a + s(who) + b, NOISE, SPELLINGS, st.sampled_from(HIDDEN), NOISE)
LINES = st.lists(st.builds(lambda name, value: f"{name}: {value}", NAMES, VALUES), min_size=1, max_size=6)


def without_boundaries(header: bytes) -> bytes:
    """The boundary parameter is the one place that is never touched."""
    return b"".join(raw for name, raw in fields(header) if name != "content-type" or b"boundary" not in raw)


def author(lines: list[str]) -> str:
    """Who alone stands as the address of the only From is the author, and nobody to hide; empty items of a list are nobody."""
    froms = [value for name, _, value in (line.partition(":") for line in lines) if name == "From"]
    found = (
        [each for _, each in getaddresses([froms[0].replace("\r\n", "")]) if each] if len(froms) == 1 else []
    )
    return found[0].replace(" ", "").lower() if len(found) == 1 else ""


@settings(max_examples=examples(600), deadline=None)
@given(LINES)
@example(["To: geheim.eins@aussen.example.com", "From: ,geheim.eins@aussen.example.com"])
def test_no_hidden_address_in_any_field(lines: list[str]) -> None:
    header = header_of(mail(*lines), SENT, decision(Form.BCC, count=2, hide_internal=True))
    assert leaks(without_boundaries(header), [each for each in HIDDEN if each not in author(lines)]) == []


@settings(max_examples=examples(300), deadline=None)
@given(LINES)
def test_individual_copies_show_their_own_recipient_only(lines: list[str]) -> None:
    header = header_of(
        mail("From: office@sports.example.jp", *lines), SENT, decision(Form.INDIVIDUAL, count=2)
    )
    assert leaks(without_boundaries(header), HIDDEN[1:]) == []


@settings(max_examples=examples(300), deadline=None)
@given(st.binary(max_size=300), st.sampled_from(list(Form)))
def test_rendering_is_total_and_keeps_the_body(raw: bytes, form: Form) -> None:
    decided = decision(form, count=2)
    prepared = original(raw, SENT, decided)
    copy = render(prepared, view_of(decided, 0, SENT.recipients[0]))
    assert copy.header.endswith(b"\r\n\r\n")
    assert raw.endswith(bytes(copy.body))
    assert render(prepared, view_of(decided, 0, SENT.recipients[0])) == copy


@settings(max_examples=examples(200), deadline=None)
@given(LINES)
def test_no_field_name_is_invented(lines: list[str]) -> None:
    """No folding or decoding may open a line that the original did not have."""
    raw = mail(*lines)
    copy = copy_of(raw, SENT, decision(Form.BCC, count=2, to_group="会\r\nBcc: x"))
    names = {name for name, _ in fields(copy.partition(b"\r\n\r\n")[0] + b"\r\n")}
    before = {name for name, _ in fields(raw.partition(b"\r\n\r\n")[0] + b"\r\n")}
    assert names <= before | {"received", "date", "message-id", "to"}
