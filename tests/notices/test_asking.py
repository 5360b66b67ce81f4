"""Notices around a second look: who is told what, in both languages, with what link; and when there is nothing to tell."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from gateway.links import Links
from gateway.notices.asking import Asking
from gateway.notices.compose import Composers
from gateway.policy.decision import Decision
from gateway.policy.demands import Language
from gateway.spool.lifecycle import State
from gateway.spool.notice import Notice, NoticeKind
from gateway.spool.second_look import Consent, Look, fresh_looks
from gateway.spool.values import Recipient, Stored
from tests.memory_spool import NOON, SENDER
from tests.memory_spool import mail as octets
from tests.notices.conftest import notice, read_back, text
from tests.spool.asking import CHIEF, DEPUTY, HOUR, approval, asking, confirmation

RAW = octets("ご案内", ["r0@example.com"])


@pytest.fixture
def asking_composers(links: Links, composers: Composers) -> Asking:
    return Asking(links, composers)


def message(*demands: object, state: State = State.HELD, language: Language = Language.JA) -> Stored:
    """Return a mail to two outside that waits for this."""
    new = asking(*demands, at=NOON, window=timedelta(0))  # type: ignore[arg-type]
    decision: Decision = replace(new.decision, internal=(".example.lg.jp",), language=language)
    rows = tuple(
        Recipient(index, address, True, state, None, 0, changed_at=NOON)
        for index, address in enumerate(new.envelope.recipients)
    )
    looks = fresh_looks(decision, NOON)
    return Stored("Q1", new.envelope, decision, NOON, "ご案内", 900, False, rows, looks=looks)


def with_look(about: Stored, **changed: object) -> Stored:
    return replace(about, looks=(replace(about.looks[0], **changed),))  # type: ignore[arg-type]


def asked(composers: Asking, about: Stored, to: str = CHIEF) -> str | None:
    found = composers.approval(about, notice(NoticeKind.APPROVAL, to=to, recipients=(0, 1)), RAW)
    return None if found is None else text(read_back(found))


def test_a_request_tells_the_facts_the_deadline_and_a_link_of_ones_own(
    asking_composers: Asking, links: Links
) -> None:
    told = asked(asking_composers, message(approval(CHIEF)))
    assert told is not None
    for part in ("ご案内", "r0@example.com", "名簿.csv", "あと1人の承認が必要です。", "送信を取り消します"):
        assert part in told
    assert links.approval_url("Q1", CHIEF) in told
    assert "SECRET-OF-THE" not in told
    assert "まだ承認も差し戻しもされていない" not in told


def test_who_is_asked_later_hears_why(asking_composers: Asking) -> None:
    about = with_look(message(approval(CHIEF, later=(HOUR, DEPUTY))), step=1)
    told = asked(asking_composers, about, DEPUTY)
    assert told is not None
    assert "まだ承認も差し戻しもされていない" in told


@pytest.mark.parametrize(
    "about",
    [
        message(approval(CHIEF), state=State.CANCELLED),
        with_look(message(approval(CHIEF)), met_at=NOON),
        with_look(message(approval(CHIEF, DEPUTY, at_least=2)), consents=(Consent(CHIEF, NOON),)),
        message(approval(DEPUTY)),
    ],
    ids=["cancelled", "met", "has approved", "not asked"],
)
def test_nobody_is_asked_for_nothing(asking_composers: Asking, about: Stored) -> None:
    assert asked(asking_composers, about) is None


def decided(
    composers: Asking, kind: NoticeKind, about: Stored, actor: str = "", to: str = SENDER
) -> str | None:
    row = Notice(7, kind, "Q1", to, (0, 1), NOON, actor)
    found = composers.by_kind()[kind](about, row, RAW)
    return None if found is None else text(read_back(found))


def test_the_sender_hears_who_approved_and_what_is_still_missing(asking_composers: Asking) -> None:
    given = (Consent(CHIEF, NOON, "よいです", "root"),)
    first, second = message(approval(CHIEF, rule="a"), approval(DEPUTY, rule="b")).looks
    about = message(approval(CHIEF, rule="a"), approval(DEPUTY, rule="b"))
    looks: tuple[Look, ...] = (replace(first, consents=given, met_at=NOON), second)
    told = decided(asking_composers, NoticeKind.APPROVED, replace(about, looks=looks))
    assert told is not None
    assert f"{CHIEF} が 11月20日(金) 12:00 に承認 (管理者 root が代行): よいです".replace(" (", "(") in told
    assert f"承認できる人: {DEPUTY}" in told


def test_the_sender_hears_why_it_was_rejected(asking_composers: Asking) -> None:
    about = message(approval(CHIEF), state=State.CANCELLED)
    told = decided(
        asking_composers,
        NoticeKind.REJECTED,
        with_look(about, rejected=Consent(CHIEF, NOON, "宛先\r\nBcc: x")),
    )
    assert told is not None
    assert "に差し戻し: 宛先 Bcc: x" in told


@pytest.mark.parametrize(
    ("state", "said"), [(State.CANCELLED, "送信していません"), (State.QUEUED, "これ以上は待ちません")]
)
def test_the_sender_hears_what_time_did(asking_composers: Asking, state: State, said: str) -> None:
    told = decided(asking_composers, NoticeKind.TIMED_OUT, message(approval(CHIEF), state=state))
    assert told is not None
    assert said in told


def test_a_reason_is_reported_inside_only(asking_composers: Asking) -> None:
    about = message()
    told = decided(asking_composers, NoticeKind.WAIVED, about, "至急です", "privacy@city.example.lg.jp")
    assert told is not None
    assert "至急です" in told
    assert decided(asking_composers, NoticeKind.WAIVED, about, "至急です", "spy@example.com") is None


@pytest.mark.parametrize("language", [Language.JA, Language.EN])
def test_a_hold_notice_says_what_has_to_be_done(composers: Composers, language: Language) -> None:
    about = message(confirmation("both"), approval(CHIEF), language=language)
    mail = read_back(composers.hold(about, notice(), RAW))
    for subtype in ("plain", "html"):
        told = text(mail, subtype)
        done = {
            Language.JA: ("次のことが済むまで送信しません。", "宛先と添付ファイルを一つずつ"),
            Language.EN: ("It is not sent before this is done:", "tick each recipient and each attachment"),
        }[language]
        for part in done:
            assert part in told
        assert "何もしなければ" not in told
        assert "If you do nothing" not in told
