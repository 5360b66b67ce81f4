"""What was found in a mail is said in counts and kinds, by how certain it is, and nobody's looking is no "nothing found"."""

from __future__ import annotations

from dataclasses import replace
from zoneinfo import ZoneInfo

import pytest

from gateway.console.mail.found import MEMBERS, Found, found
from gateway.languages import Words
from gateway.message.evidence import UNREAD, Content, Evidence, FileEvidence, Findings
from gateway.message.facts import Attachment, Facts
from tests.console.mail.conftest import letter

WORDS = Words("ja", ZoneInfo("Asia/Tokyo"))
SHEET = Attachment("名簿\u202egpj.exe", 2_048, "application/octet-stream")


def facts(content: Content | None, *attachments: Attachment) -> Facts:
    plain = letter().facts
    assert plain is not None
    return replace(plain, attachments=attachments, evidence=Evidence(content=content))


def of(file: FileEvidence, body: Findings | None = None, **more: object) -> Found:
    content = Content(body=body or Findings(), files=(file,), **more)  # type: ignore[arg-type]
    return found(facts(content, SHEET), None, WORDS)


def test_counts_are_said_and_what_is_only_possible_where_nothing_certain_is() -> None:
    seen = of(
        FileEvidence(
            kind="xlsx", found=Findings(my_number=3, my_number_possible=9, card_possible=1, person=40)
        ),
        Findings(phone=2),
    )
    assert seen.text == ("電話番号 2件",)
    (file,) = seen.files
    assert file.bad == ("マイナンバー 3件", "クレジットカード番号の可能性がある番号 1件", "氏名 40件")
    assert (file.kind, file.size) == ("XLSX", "2.0 KB")
    assert "\u202e" not in file.name


def test_a_program_is_one_whatever_its_name_says() -> None:
    (file,) = of(FileEvidence(kind="exe", macros=True)).files
    assert file.bad == ("名前にかかわらず、中身は実行プログラムです。", "マクロが含まれています。")


def test_what_is_encrypted_says_so_and_whether_the_mail_has_its_key() -> None:
    (file,) = of(FileEvidence(kind="zip", encrypted=True, unread="encrypted", key_told=True)).files
    assert file.told == (
        "暗号化されています(開くには鍵が必要です)。",
        "メールの中に書かれたパスワードで開きます。",
    )


@pytest.mark.parametrize("word", UNREAD)
def test_why_a_file_was_not_read_is_said(word: str) -> None:
    (file,) = of(FileEvidence(kind="doc", unread=word)).files
    assert len(file.told) == 1
    assert not file.told[0].isascii()


def test_names_in_an_archive_are_bounded() -> None:
    (file,) = of(
        FileEvidence(kind="zip", members=tuple(f"{n}.txt" for n in range(200)), complete=False)
    ).files
    assert (len(file.members), file.more) == (MEMBERS, 200 - MEMBERS)
    assert "中のファイル名をすべては読み取れませんでした。" in file.told


def test_a_greeting_for_somebody_else_is_told() -> None:
    assert of(FileEvidence(), greets_other=True).text == ("本文の宛名が、宛先の中に見当たりません。",)


def test_nobody_looked_is_not_nothing_found() -> None:
    for seen in (found(None, [SHEET], WORDS), found(facts(None, SHEET), None, WORDS)):
        assert (seen.looked, len(seen.files), seen.files[0].bad) == (False, 1, ())
    # Evidence that does not fit the attachments is nobody's.
    odd = found(facts(Content(files=(FileEvidence(), FileEvidence())), SHEET), None, WORDS)
    assert odd.files[0].told == ()
