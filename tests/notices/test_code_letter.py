"""The letter with a one-time code: both languages, which mail by sender and time, and nothing that opens or names a file."""

from __future__ import annotations

import re
from dataclasses import replace
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from zoneinfo import ZoneInfo

import pytest

from gateway.message.address import Address
from gateway.notices.code_letter import CodeLetters
from gateway.notices.letter import Author
from gateway.policy.demands import Language
from gateway.spool.notice import Notice, NoticeKind
from tests.memory_spool import NOON, MemorySpool, hold

CODE = "01234567"
AUTHOR = Author("Sekisho 関所", "sekisho@sports.example.jp", "mx.sports.example.jp")
NOTICE = Notice(7, NoticeKind.CODE, "Q1", "ana@example.com", (0,), NOON, "key:sealed")


def letter(
    language: Language = Language.JA, sender: str = "", code: str | None = CODE
) -> EmailMessage | None:
    message = hold(MemorySpool(), "Q1", ["ana@example.com"], subject="極秘の名簿")
    decision = replace(message.decision, language=language)
    envelope = replace(message.envelope, sender=Address(sender, "example.jp") if sender else None)
    letters = CodeLetters(lambda _: code, ZoneInfo("Asia/Tokyo"), AUTHOR)
    octets = letters.code(replace(message, decision=decision, envelope=envelope), NOTICE, None)
    return None if octets is None else message_from_bytes(octets, _class=EmailMessage, policy=default)


def texts(mail: EmailMessage) -> list[str]:
    parts = [mail.get_body((kind,)) for kind in ("plain", "html")]
    return [str(part.get_content()) for part in parts if part is not None]


@pytest.mark.parametrize("language", [Language.JA, Language.EN])
def test_it_says_what_it_has_to_in_both_languages(language: Language) -> None:
    mail = letter(language, "clerk")
    assert mail is not None
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["To"] == "<ana@example.com>" or mail["To"] == "ana@example.com"
    assert str(mail["Content-Language"]) == language.value
    plain, page = texts(mail)
    for text in (plain, page):
        assert CODE in text
        assert "clerk@example.jp" in text
        assert "11月20日(金) 12:00" in text
        assert "Fri 20 Nov, 12:00" in text
        assert "before Fri 20 Nov, 12:10" in text
    first = plain.index("確認コード") < plain.index("This code")
    assert first is (language is Language.JA)


def test_it_names_no_file_and_opens_nothing() -> None:
    mail = letter(sender="clerk")
    assert mail is not None
    said = "".join([*texts(mail), *map(str, mail.values())])
    assert not [word for word in ("極秘", "名簿", "csv", "http", "sealed", "key:") if word in said]
    assert CODE not in str(mail["Subject"])


def test_a_sender_of_any_kind_is_one_line() -> None:
    for sender, seen in (
        ("", "(unknown)"),
        ("a\r\nBcc: x", "a Bcc: x@example.jp"),
        ("<b>", "<b>@example.jp"),
    ):
        mail = letter(Language.EN, sender)
        assert mail is not None
        plain, page = texts(mail)
        assert seen in plain
        assert "<b>@" not in page
        assert mail["Bcc"] is None
        assert len(re.findall(CODE, plain)) == 1


def test_a_code_that_cannot_be_opened_is_no_letter() -> None:
    assert letter(code=None) is None
