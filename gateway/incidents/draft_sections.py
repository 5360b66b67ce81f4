"""What the draft report says, item by item, before it is a document. Pure; in Japanese, because it is handed in in Japan.

The items are those of 個人情報保護法施行規則 8条1項 and 44条1項, in their order, then the timeline out of the event log
and what taking back did. What the gateway cannot know is never guessed: it says 要記入, and what to write there.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from zoneinfo import ZoneInfo

from gateway.audit.timeline import Timeline
from gateway.incidents import wording
from gateway.incidents.clocks import Verdict
from gateway.incidents.contract import Answer, Data, Incident, NoteKind, Organisation
from gateway.languages import Words, shown
from gateway.spool.values import Stored
from gateway.values import dataclass

TO_WRITE = "【要記入】"
MOMENTS = 500  # lines of the timeline in a document; the log has all
PEOPLE = 500  # recipients named in a document
LINE = 2_000  # characters of a line that people wrote
_SINGLE = frozenset({Data.MALICE, Data.UNKNOWN})  # circumstances, not kinds of data


@dataclass(frozen=True, slots=True)
class Item:
    """One item: what it is called, what is known, and what people have to write."""

    title: str
    known: tuple[str, ...] = ()
    to_write: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Sections:
    """The whole draft. `timeline` are rows of time, who, what; `recovery` rows of address and state."""

    title: str
    made: str
    caution: str
    deadlines: tuple[str, ...]
    items: tuple[Item, ...]
    timeline: tuple[tuple[str, str, str], ...]
    recovery: tuple[tuple[str, str, str], ...]
    left_out: tuple[str, ...]


def sections(
    incident: Incident,
    message: Stored | None,
    story: Timeline | None,
    found: Verdict,
    zone: ZoneInfo,
    now: datetime,
) -> Sections:
    """Return what the draft says."""
    words = Words("ja", zone)
    recovery = tuple(_recovery(incident, message, words))
    moments = story.moments if story is not None else ()
    left_out = []
    if len(recovery) > PEOPLE:
        left_out.append(f"宛先は{PEOPLE}件までを記載しました（全{len(recovery)}件）。")
    if len(moments) > MOMENTS or (story is not None and story.more):
        left_out.append(f"時系列は初めの{MOMENTS}件を記載しました。続きはイベント記録にあります。")
    return Sections(
        title="個人情報の漏えい等に関する報告書（下書き）",
        made=f"作成：{wording.moment(now, words)}　参照番号：{incident.queue_id}",
        caution=f"{wording.caution(words)}{TO_WRITE}の箇所は、ご確認のうえ記入してください。",
        deadlines=tuple(_deadlines(incident, found, words, now)),
        items=tuple(_items(incident, message, found, words)),
        timeline=tuple(
            [(wording.moment(each.at, words), each.who, _what(each.what, each.said)) for each in moments[:MOMENTS]]
        ),
        recovery=recovery[:PEOPLE],
        left_out=tuple(left_out),
    )  # fmt: skip


def _deadlines(incident: Incident, found: Verdict, words: Words, now: datetime) -> Iterator[str]:
    if not found.clocks:
        yield "これまでの報告内容では、報告が必要な事態には当たらない見込みです。"
    for ground in wording.grounds(found, incident.organisation, words):
        yield f"報告の根拠：{ground}"
    for each in wording.deadlines(incident, found, words, now):
        done = f"　提出済み（{each.done}）" if each.done else ""
        yield f"{each.name}：{each.until}{done}"


def _items(incident: Incident, message: Stored | None, found: Verdict, words: Words) -> Iterator[Item]:
    yield Item("1　概要", tuple(_summary(incident, message, words)), ("事案の経緯を補ってください。",))
    yield Item(
        "2　発生日時・発覚日時",
        (
            f"発生（メールの受付）：{wording.moment(message.received_at, words) if message else TO_WRITE}",
            f"発覚：{wording.moment(incident.account.known_at, words)}",
            f"本システムでの報告：{wording.moment(incident.opened_at, words)}",
        ),
    )
    names = wording.data_names(words)
    data = [name for each, name in names.items() if each in incident.account.data and each not in _SINGLE]
    doubts = [name for each, name in names.items() if each in incident.account.data & {Data.MALICE}]
    yield Item(
        "3　漏えい等が発生し、又は発生したおそれがある個人データの項目",
        (*data, *[f"事情：{each}" for each in doubts]),
        ("項目を具体的に記入してください（例：氏名、住所、クラス名）。",),
    )
    count = wording.persons(incident.account.persons, words)
    yield Item(
        "4　本人の数", (count,), () if incident.account.persons is not None else ("人数を確認してください。",)
    )
    yield Item("5　原因", (), ("誤送信に至った原因を記入してください。",))
    yield Item("6　二次被害又はそのおそれの有無及びその内容", (), ("有無と内容を記入してください。",))
    yield Item(
        "7　本人への対応の実施状況",
        (),
        (f"本人への通知の状況を記入してください（{_notice_article(incident)}）。",),
    )
    yield Item("8　公表の実施状況", (), ("公表の有無、方法、日付を記入してください。",))
    yield Item("9　再発防止のための措置", (), ("実施済みの措置と、今後の措置を記入してください。",))
    yield Item("10　その他参考となる事項", tuple(_others(incident, words)))


def _notice_article(incident: Incident) -> str:
    return "法第68条第2項" if incident.organisation is Organisation.LOCAL_GOVERNMENT else "法第26条第2項"


def _summary(incident: Incident, message: Stored | None, words: Words) -> Iterator[str]:
    yield f"事象：{wording.what_names(words)[incident.account.what]}"
    if message is not None:
        rows = message.as_handed_in.recipients
        yield f"件名：{shown(message.subject, wording.SUBJECT) or words.gettext('(no subject)')}"
        yield f"送信者：{shown(str(message.envelope.sender or '<>'), wording.ADDRESS)}"
        wrong = len(incident.account.wrong)
        named = f"うち誤った宛先 {wrong}件" if wrong else f"誤った宛先の特定：{TO_WRITE}"
        yield f"宛先：{len(rows)}件（{named}）"
    for line in incident.account.description.splitlines():
        if line.strip():
            yield shown(line, LINE)


def _others(incident: Incident, words: Words) -> Iterator[str]:
    answers = [each.answer for each in incident.requests]
    if answers:
        deleted, unopened = answers.count(Answer.DELETED), answers.count(Answer.NOT_OPENED)
        yield (
            f"削除の依頼：{len(answers)}件（削除したとの回答 {deleted}件、"
            f"開いていない・届いていないとの回答 {unopened}件、回答待ち {answers.count(None)}件）"
        )
    for note in incident.notes:
        if note.kind is NoteKind.NOTE and note.text:
            at = wording.moment(note.at, words)
            yield f"メモ（{at}　{shown(note.writer, wording.ADDRESS)}）：{shown(note.text, LINE)}"


def _recovery(incident: Incident, message: Stored | None, words: Words) -> Iterator[tuple[str, str, str]]:
    """Yield each recipient, what taking back did, and how far the request to delete is."""
    for group in wording.taken_groups(message, incident.taken, words):
        for index, who in group.members:
            asked = "" if group.good else wording.asked_of(incident.request(index), words)
            yield who, group.title, asked


def _what(what: str, said: str) -> str:
    return f"{what}（{said}）" if said else what
