"""The draft report: what is known stands in it, what is not is marked, and LibreOffice opens it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from io import BytesIO
from zipfile import ZipFile
from zoneinfo import ZoneInfo

from docx import Document

from gateway.audit.timeline import Moment, Timeline
from gateway.incidents.clocks import verdict
from gateway.incidents.contract import (
    Account,
    Answer,
    Data,
    Incident,
    Note,
    NoteKind,
    Organisation,
    Report,
    Request,
    What,
)
from gateway.incidents.draft import draft, written
from gateway.incidents.draft_sections import MOMENTS, TO_WRITE, Sections, sections
from gateway.spool.list_contract import Whose
from gateway.spool.share_contract import TakenBack
from gateway.spool.values import Actor

TOKYO = ZoneInfo("Asia/Tokyo")
NOW = datetime(2026, 5, 13, 1, tzinfo=UTC)
OPENED = datetime(2026, 5, 11, 1, tzinfo=UTC)
HOSTILE = "=cmd|' /C calc'!A0 \x00\x0b\ud800<w:p/>&amp;\u202e"


def incident(**changes: object) -> Incident:
    account = Account(
        What.WRONG_RECIPIENTS,
        (1,),
        frozenset({Data.NAME, Data.SENSITIVE, Data.MALICE}),
        130,
        OPENED,
        f"名簿を送りました\n{HOSTILE}",
    )
    taken = TakenBack(stopped=(0,), locked=(), opened=(), unkeyed=(), gone=(1, 2), at=OPENED)
    found = Incident(
        "3K7Q",
        OPENED,
        Actor("sender", "clerk@sports.example.jp"),
        account,
        Organisation.LOCAL_GOVERNMENT,
        taken,
        Whose(frozenset()),
        notes=(Note(1, NoteKind.NOTE, OPENED, "officer", HOSTILE),),
        requests=(
            Request(1, OPENED, "officer", -1, Answer.DELETED, OPENED, 1),
            Request(2, OPENED, "officer", -1),
        ),
        reported=((Report.PRELIMINARY, OPENED),),
    )
    return replace(found, **changes)  # type: ignore[arg-type]


def story(count: int = 2) -> Timeline:
    moment = Moment(OPENED, "cancelled", "by-sender", "差出人 clerk", "取り消し", "", (), 0, HOSTILE, "", 1)
    return Timeline("3K7Q", OPENED, "clerk", HOSTILE, (), (), 3, (moment,) * count, False, Whose(frozenset()))


def told(found: Incident, count: int = 2) -> Sections:
    judged = verdict(found.account, found.organisation, TOKYO)
    return sections(found, None, story(count), judged, TOKYO, NOW)


def made(found: Incident, count: int = 2) -> bytes:
    judged = verdict(found.account, found.organisation, TOKYO)
    return draft(found, None, story(count), judged, TOKYO, NOW)


def test_the_items_of_the_law_stand_in_their_order() -> None:
    titles = [item.title for item in told(incident()).items]
    words = [
        "概要",
        "日時",
        "項目",
        "本人の数",
        "原因",
        "二次被害",
        "本人への対応",
        "公表",
        "再発防止",
        "その他",
    ]
    assert [word for word, title in zip(words, titles, strict=True) if word not in title] == []


def test_what_is_known_is_said_and_what_is_not_is_marked() -> None:
    found = told(incident())
    known = {item.title: item.known for item in found.items}
    assert known["4　本人の数"] == ("130人",)
    data = known["3　漏えい等が発生し、又は発生したおそれがある個人データの項目"]
    assert data[0] == "氏名"
    assert data[-1].startswith("事情：不正の目的")
    assert (
        "削除の依頼：2件（削除したとの回答 1件、開いていない・届いていないとの回答 0件、回答待ち 1件）"
        in known["10　その他参考となる事項"]
    )
    assert any("60" not in line and "速報" in line and "提出済み" in line for line in found.deadlines)
    assert "確報：2026年7月9日(木)まで" in found.deadlines
    assert [item.title[0] for item in found.items if item.to_write] == list("1356789")
    unknown = replace(incident().account, persons=None)
    assert told(incident(account=unknown)).items[3].to_write
    assert TO_WRITE in told(incident()).items[1].known[0]  # the mail's records are gone: nobody knows when


def test_recovery_names_each_and_what_was_asked() -> None:
    rows = told(incident()).recovery
    assert [row[0] for row in rows] == ["#1", "#2", "#3"]
    assert rows[0][2] == ""  # never got it: nothing to ask
    assert "「削除しました」との回答" in rows[1][2]
    assert "回答待ち" in rows[2][2]


def test_hostile_text_makes_no_broken_file() -> None:
    octets = made(incident())
    document = Document(BytesIO(octets))
    text = "\n".join(each.text for each in document.paragraphs)
    assert "<w:p/>&amp;" in text  # as text
    assert "\u202e" not in text
    with ZipFile(BytesIO(octets)) as package:
        assert not [name for name in package.namelist() if "vba" in name.lower()]
    assert document.core_properties.author == ""


def test_a_long_story_is_bounded_and_says_so() -> None:
    found = told(incident(), MOMENTS + 1)
    assert len(found.timeline) == MOMENTS
    assert any("時系列は" in line for line in found.left_out)
    assert len(written(found)) < 1 << 20
