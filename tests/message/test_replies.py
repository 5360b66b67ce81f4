"""Message-ID, In-Reply-To and References: read as far as they are bounded, whatever stands there."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.message.header import HeaderSection, split
from gateway.message.replies import MAX_ID_OCTETS, MAX_IDS, answered, is_reply, message_id


def header(text: str) -> HeaderSection:
    return split(text.replace("\n", "\r\n").encode("utf-8", "surrogateescape") + b"\r\n\r\n")[0]


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("Subject: x", ()),
        ("In-Reply-To: <a@x>", ("a@x",)),
        ("In-Reply-To: Your mail of Monday <a@x>", ("a@x",)),
        ("References: <old@x> <mid@x>\n <new@x>", ("new@x", "mid@x", "old@x")),
        ("In-Reply-To: <new@x>\nReferences: <old@x> <new@x>", ("new@x", "old@x")),
        ("In-Reply-To: <a b@x> <\u3042@x> a@x", ()),
        (f"In-Reply-To: <{'a' * (MAX_ID_OCTETS + 1)}>", ()),
    ],
)
def test_answered(text: str, ids: tuple[str, ...]) -> None:
    assert answered(header(text)) == ids


def test_of_many_ancestors_the_latest_count() -> None:
    text = "References: " + " ".join(f"<{number}@x>" for number in range(5_000))
    assert answered(header(text)) == tuple(f"{number}@x" for number in range(4_999, 4_999 - MAX_IDS, -1))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("Subject: Re: x", False),
        ("In-Reply-To: ", False),
        ("In-Reply-To: yes", True),
        ("References: <a@x>", True),
    ],
)
def test_is_reply(text: str, told: bool) -> None:
    assert is_reply(header(text)) is told


def test_a_mail_s_own_id_is_the_first() -> None:
    assert message_id(header("Message-Id: <a@x>\nMessage-ID: <b@x>")) == "a@x"
    assert message_id(header("Subject: x")) == ""


@given(st.binary(max_size=300))
def test_any_octets_are_read(octets: bytes) -> None:
    section, _ = split(
        b"References: " + octets + b"\r\nIn-Reply-To: " + octets + b"\r\nMessage-ID: " + octets + b"\r\n\r\n"
    )
    ids = (*answered(section), message_id(section))
    assert len(ids) <= MAX_IDS + 1
    assert all(each.isascii() and (each == "" or each.isprintable()) for each in ids)
