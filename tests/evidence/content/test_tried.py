"""Passwords that stand in a mail, tried on what is attached to it: here, and in the process that reads."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from gateway.evidence.content.assembled import assembled
from gateway.evidence.content.gathering import TooSlow
from gateway.evidence.content.mail import Letter, read_letter
from gateway.evidence.content.told import KeyTold
from gateway.evidence.content.tried import MAX_FILES, MAX_SLOW_TRIES, MAX_TRIES
from gateway.message.evidence import Content
from gateway.protect.archive import zip_aes256, zip_legacy
from gateway.protect.file import File
from gateway.protect.office import encrypt_office
from gateway.protect.pdf import encrypt_pdf
from tests.evidence.content.making import SMALL, facts_of, mail, part, zipped
from tests.evidence.content.watching import watched
from tests.protect.sample import AT, entropy, office, pdf

KEY = "Kx8-22mQ"
TELLS = f"お世話になっております。\n添付ファイルのパスワードは以下のとおりです。\n\n{KEY}\n\nよろしくお願いします。"


def aes(key: str = KEY, name: str = "a.zip") -> bytes:
    return part(name, b"".join(zip_aes256([File.of("a.txt", b"x")], key, at=AT, entropy=entropy())))


def legacy(key: str = KEY) -> bytes:
    return part("b.zip", b"".join(zip_legacy([File.of("a.txt", b"x")], key, at=AT, entropy=entropy())))


def locked(key: str = KEY) -> bytes:
    return part("c.pdf", b"".join(encrypt_pdf(pdf(), key, entropy=entropy())))


def document(key: str = KEY) -> bytes:
    return part("d.docx", b"".join(encrypt_office(office(), key, entropy=entropy())))


def content_of(raw: bytes) -> Content:
    return assembled(facts_of(raw), read_letter(Letter.of(raw, ()), SMALL), "too-slow")


def keys(raw: bytes) -> list[bool | None]:
    return [file.key_told for file in content_of(raw).files]


@pytest.mark.parametrize("made", [aes, legacy, locked, document])
def test_a_password_in_the_mail_opens_the_file(made: object) -> None:
    assert callable(made)
    assert keys(mail(made(), text=TELLS)) == [True]
    assert keys(mail(made("another-1"), text=TELLS)) == [False]
    assert keys(mail(made(), text="資料をお送りします。")) == [None]


@pytest.mark.parametrize(
    "text",
    [
        "パスワードはＫｘ８－２２ｍＱです",
        f"解凍には {KEY} をお使いください(パスワード)",
        f"> パスワード: {KEY}.\r\n承知しました",
        f"the pw is “{KEY}”.",
        f"Zoom ミーティングID: 123 パスコード: {KEY}",
    ],
)
def test_however_it_is_written(text: str) -> None:
    assert keys(mail(aes(), text=text)) == [True]


def test_what_is_tried_and_what_is_not() -> None:
    raw = mail(
        aes(), part("x.txt", b"plain"), part("y.zip", zipped({"a": b"b"})), aes("other-77"), text=TELLS
    )
    assert keys(raw) == [True, None, None, False]
    inside = mail(part("outer.zip", zipped({"in.zip": b"PK"})), text=TELLS)
    assert keys(inside) == [None]


def test_a_password_in_a_file_beside_it() -> None:
    assert keys(mail(aes(), part("pass.txt", f"パスワード: {KEY}".encode()), text="別紙のとおり")) == [
        True,
        None,
    ]


def test_tries_are_bounded() -> None:
    raw = mail(*[aes("no-such-1") for _ in range(MAX_FILES + 3)], text=TELLS)
    assert keys(raw) == [False] * MAX_FILES + [None] * 3
    many = "\n".join(f"パスワード: nope{number}x" for number in range(MAX_TRIES + 5))
    assert keys(mail(aes(), text=f"{many}\nパスワード: {KEY}")) == [False]
    fewer = "\n".join(f"パスワード: nope{number}x" for number in range(MAX_SLOW_TRIES))
    assert keys(mail(aes(), document(), text=f"{fewer}\nパスワード: {KEY}")) == [True, False]


def test_a_try_that_takes_too_long_is_not_told() -> None:
    armed: list[int] = []

    @contextmanager
    def timer(pieces: int) -> Iterator[None]:
        armed.append(pieces)
        yield
        if len(armed) > 3:  # body, the file and its detectors come first
            raise TooSlow

    raw = mail(aes(), text=TELLS)
    assert not [each for each in read_letter(Letter.of(raw, ()), SMALL, timer) if isinstance(each, KeyTold)]
    assert len(armed) == 4


def test_encryption_that_only_its_own_state_tells(monkeypatch: pytest.MonkeyPatch) -> None:
    from gateway.protect import state
    from gateway.protect.state_word import State

    raw = mail(part("a.7z", b"7z\xbc\xaf\x27\x1c" + bytes(60)))
    assert content_of(raw).files[0].encrypted is None
    monkeypatch.setattr(state, "state_of", lambda name, octets: State.ENCRYPTED)
    assert content_of(raw).files[0].encrypted is True


async def test_the_process_tries_as_well() -> None:
    async with watched() as reader:
        content = await reader.read(mail(aes(), legacy(), locked(), document(), text=TELLS))
        wrong = await reader.read(mail(document("other-77"), text=TELLS))
    assert [file.key_told for file in content.files] == [True] * 4
    assert [file.key_told for file in wrong.files] == [False]
    assert (content.password_of, content.password_follows) == ("file", False)
    assert KEY not in repr(content.files)
