"""Every letter as a sample: with what values its templates are filled in, in each language.

An organisation's own templates are tried with them before they are in force, `sekisho notices show` shows them, and the
documentation of the variables is compared with them (tests/notices/test_documented.py). A letter that is not here cannot be
overridden: who adds a template adds its sample.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from functools import cache
from zoneinfo import ZoneInfo

from gateway.incidents.clocks import verdict
from gateway.incidents.contract import Account, Data, Incident, Note, NoteKind, Organisation, Request, What
from gateway.links import Links
from gateway.message.address import parse_path
from gateway.notices import sample_mail as sample
from gateway.notices.asking import Asking
from gateway.notices.code_letter import CodeLetters
from gateway.notices.colleagues import ColleagueLetters
from gateway.notices.compose import Composers
from gateway.notices.digest import DigestLetters, Part, Whole
from gateway.notices.halted import HaltLetters
from gateway.notices.incident_letters import IncidentLetters
from gateway.notices.keys import KeyLetters
from gateway.notices.left import LeftLetters
from gateway.notices.letter import Author
from gateway.notices.reminder import Reminders
from gateway.notices.wording import Said, Values, Wording
from gateway.policy.demands import Language
from gateway.policy.protection import Way
from gateway.spool.digest_day import Day, Share
from gateway.spool.key_contract import KeySending
from gateway.spool.list_contract import Whose
from gateway.spool.notice import NoticeKind
from gateway.spool.share_contract import TakenBack
from gateway.spool.values import Actor
from gateway.values import dataclass

_NOW = sample.AT + timedelta(minutes=20)
_AUTHOR = Author("Sekisho", "sekisho@sekisho.example.jp", "sekisho.example.jp")
_SECRET = b"only for letters that nobody gets"

Samples = Mapping[tuple[str, str], list[Values]]
"""By name and language: the values of each case that a letter has to be written for."""


class _Listening(Wording):
    """Notes the values with which each letter is written."""

    def __init__(self, zone: ZoneInfo) -> None:
        super().__init__(zone)
        self.heard: dict[tuple[str, str], list[Values]] = {}

    def say(self, name: str, language: str, values: Values) -> Said:
        self.heard.setdefault((name, language), []).append(values)
        return super().say(name, language, values)


@dataclass(frozen=True, slots=True)
class _Kit:
    language: Language
    links: Links
    composers: Composers
    zone: ZoneInfo
    wording: Wording


@cache
def samples(zone: ZoneInfo, public_url: str = "https://sekisho.example.jp") -> Samples:
    """Return the values of every letter; the same each time, and no link in them opens anything."""
    wording = _Listening(zone)
    links = Links(_SECRET, public_url, timedelta(days=7), lambda: _NOW)
    composers = Composers(links, zone, _AUTHOR, wording)
    for language in Language:
        kit = _Kit(language, links, composers, zone, wording)
        _of_holds(kit)
        _of_second_looks(kit)
        _of_the_end(kit)
        _of_halts(kit)
        _of_keys(kit)
        _of_incidents(kit)
        _of_days(kit)
    return wording.heard


def _of_holds(kit: _Kit) -> None:
    composers, language, raw = kit.composers, kit.language, sample.raw(kit.language)
    composers.hold(sample.held(language), sample.notice(NoticeKind.HOLD), raw)
    composers.hold(sample.asking(language), sample.notice(NoticeKind.HOLD), None)
    several = [sample.glance(language, number) for number in range(3)]
    lines = [composers.line(each, sample.notice(NoticeKind.HOLD)) for each in several]
    told = [line for line in lines if line is not None]
    composers.holds(several[0], sample.notice(NoticeKind.HOLD), told)
    composers.copy(sample.held(language), sample.notice(NoticeKind.COPY, sample.OFFICE), raw)
    composers.dropped(sample.cancelled(language), sample.notice(NoticeKind.DROPPED), raw)
    by_admin = sample.notice(NoticeKind.CANCELLED, actor="admin")
    composers.cancelled(sample.cancelled(language), by_admin, raw)


def _of_second_looks(kit: _Kit) -> None:
    asking, language, raw = Asking(kit.links, kit.composers), kit.language, sample.raw(kit.language)
    asking.approval(sample.asking(language), sample.notice(NoticeKind.APPROVAL, sample.APPROVER), raw)
    reminders = Reminders(kit.links, kit.composers)
    reminders.reminder(sample.asking(language), sample.notice(NoticeKind.REMINDER, sample.APPROVER), raw)
    _of_colleagues(kit)
    asking.approved(sample.approved(language), sample.notice(NoticeKind.APPROVED), raw)
    asking.rejected(sample.rejected(language), sample.notice(NoticeKind.REJECTED), raw)
    asking.timed_out(sample.cancelled(language), sample.notice(NoticeKind.TIMED_OUT), raw)
    because = {Language.JA: "本日中の案内のため", Language.EN: "The class is today."}[language]
    asking.waived(sample.held(language), sample.notice(NoticeKind.WAIVED, sample.OFFICE, because), raw)


def _of_colleagues(kit: _Kit) -> None:
    letters = ColleagueLetters(kit.links, kit.composers)
    held = sample.held(kit.language)
    about = replace(held, decision=replace(held.decision, colleagues_may_stop=True))
    told = replace(sample.notice(NoticeKind.COLLEAGUE, sample.OFFICE), recipients=(3,))
    letters.colleague(about, told, sample.raw(kit.language))
    because = {Language.JA: "宛先が違います。", Language.EN: "The recipients are wrong."}[kit.language]
    stopped = sample.notice(NoticeKind.STOPPED, actor=f"{sample.OFFICE}\n{because}")
    letters.stopped(sample.cancelled(kit.language), stopped, sample.raw(kit.language))


def _of_halts(kit: _Kit) -> None:
    letters, language = HaltLetters(kit.links, kit.composers), kit.language
    letters.frozen(sample.frozen(language), sample.notice(NoticeKind.FROZEN, actor="admin"), None)
    for kind, said in (
        (NoticeKind.STOPPED_BY_TEAM, "aoki"),
        (NoticeKind.FROZEN_TOO_LONG, ""),
        (NoticeKind.CORRECTED, sample.OUTSIDE[1]),
    ):
        letters.by_kind()[kind](sample.cancelled(language), sample.notice(kind, actor=said), None)


def _of_the_end(kit: _Kit) -> None:
    ended = sample.approved(kit.language)
    LeftLetters(kit.links, kit.composers).left(ended, sample.notice(NoticeKind.LEFT), None)
    report = sample.notice(NoticeKind.REPORT, sample.OFFICE)
    kit.composers.report(ended, report, None)
    kit.composers.report(sample.asking(kit.language), replace(report, incident=_NOW), None)


def _of_keys(kit: _Kit) -> None:
    letters = KeyLetters(kit.links, kit.composers, kit.zone, _AUTHOR.hostname, lambda: _NOW)
    message, raw = sample.held(kit.language), sample.raw(kit.language)
    letters.key(message, sample.notice(NoticeKind.KEY), raw)
    letters.key_failed(message, sample.notice(NoticeKind.KEY_FAILED, actor="sms:no-number"), raw)
    to = sample.OUTSIDE[0]
    letters.second_mail(message, KeySending(sample.QUEUE_ID, 0, Way.SECOND_MAIL, 1, "", to, "MNKT-4RWP-8XDC"))
    code = CodeLetters(lambda _: "483920", kit.zone, _AUTHOR, kit.wording)
    code.code(message, sample.notice(NoticeKind.CODE, to), None)


def _of_incidents(kit: _Kit) -> None:
    known = _NOW + timedelta(hours=1)
    account = Account(
        What.WRONG_RECIPIENTS,
        (0, 1),
        frozenset({Data.NAME, Data.SENSITIVE}),
        120,
        known,
        sample.comment(kit.language),
    )
    note = Note(1, NoteKind.LETTER, known, sample.SENDER, sample.comment(kit.language))
    incident = Incident(
        queue_id=sample.QUEUE_ID,
        opened_at=known,
        opener=Actor("sender", sample.SENDER),
        account=account,
        organisation=Organisation.LOCAL_GOVERNMENT,
        taken=TakenBack((2,), (), (), (), (0, 1), known),
        whose=Whose(frozenset({sample.SENDER})),
        notes=(note,),
        requests=(Request(0, known, sample.SENDER, 1),),
    )
    letters = IncidentLetters(
        kit.links,
        kit.composers,
        lambda _: incident,
        lambda account, organisation: verdict(account, organisation, kit.zone),
        lambda: known,
    )
    message = sample.approved(kit.language)
    letters.opened(message, sample.notice(NoticeKind.INCIDENT, sample.OFFICE), None)
    letters.clock(message, sample.notice(NoticeKind.INCIDENT_CLOCK, sample.OFFICE), None)
    asked = replace(sample.notice(NoticeKind.DELETION, sample.OUTSIDE[0]), recipients=(0,))
    letters.deletion(message, asked, None)


def _of_days(kit: _Kit) -> None:
    letters = DigestLetters(kit.links, kit.wording, _AUTHOR)
    mine = [sample.glance(kit.language, number) for number in range(2)]
    waiting = mine[1]._replace(ends_at=None)
    day, to = _NOW.date(), parse_path(sample.APPROVER)
    share = Share(held=12, asks=1, sent=4, cancelled=1)
    part = Part(share, [mine[0], waiting], [waiting])
    letters.personal(part, to, day, _NOW, kit.language.value)
    figures = Day({}, mails=31, recipients=412, asking=5, frozen=1, oldest=sample.AT)
    whole = Whole(figures, 120, 7, 2, ["next_hop: the smarthost does not answer"])
    letters.figures(whole, to, day, _NOW, kit.language.value)
