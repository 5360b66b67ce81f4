"""Letters about keys: what the sender reads and where it leads, what a second mail says, and where no key is."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest

from gateway.channels.contract import Why
from gateway.file_fates import why_not_sent
from gateway.languages import Words
from gateway.links import Links
from gateway.notices.compose import Composers
from gateway.notices.keys import KeyLetters
from gateway.policy.demands import Language
from gateway.policy.handling import Handling
from gateway.policy.protection import How, Way
from gateway.spool.key_contract import KeySending
from gateway.spool.lifecycle import State
from gateway.spool.notice import NoticeKind
from gateway.spool.values import Stored
from tests.memory_spool import NOON, SENDER, MemorySpool, decision_for, hold
from tests.memory_spool import mail as octets
from tests.notices.conftest import AUTHOR, notice, read_back, text

KEY = "mkpt-wxyz-hjna-bcde"
PEOPLE = ("tanaka@example.com", "smith@example.net")
RAW = octets("名簿", PEOPLE)
BOTH = pytest.mark.parametrize("language", list(Language))


@pytest.fixture
def letters(links: Links, composers: Composers) -> KeyLetters:
    return KeyLetters(links, composers, ZoneInfo("Asia/Tokyo"), AUTHOR.hostname, lambda: NOON)


def message(language: Language = Language.JA, subject: str = "名簿", handled: bool = True) -> Stored:
    """Return a mail to two outside that reached both."""
    spool = MemorySpool()
    decision = decision_for((0, 0), language=language)
    if handled:
        handling = Handling(
            ("r",), ((1, How.ZIP_AES256),), needs_key=True, way=Way.SENDER, expires=timedelta(days=3)
        )
        outcome = replace(decision.outcomes[0], handling=handling)
        decision = replace(decision, outcomes=(outcome, decision.outcomes[1]))
    hold(spool, "Q1", PEOPLE, subject=subject, raw=RAW, decision=decision)
    for index in range(2):
        spool.set_state("Q1", index, State.DELIVERED)
    return spool.messages["Q1"]


@BOTH
def test_the_sender_hears_whom_to_call_and_how(letters: KeyLetters, links: Links, language: Language) -> None:
    mail = read_back(letters.key(message(language), notice(NoticeKind.KEY, recipients=(0,)), RAW))
    for part in (text(mail), text(mail, "html")):
        assert "tanaka@example.com" in part
        assert "smith@example.net" not in part
        assert links.url("Q1", SENDER) + "#keys" in part
        assert "お世話になっております" in part  # what to say, in both languages
        assert "Hello, I sent you a mail" in part
        assert KEY not in part
        assert ("11月23日" if language is Language.JA else "Mon 23 Nov") in part
    assert "名簿" in str(mail["subject"])


def test_a_mail_without_a_known_end_says_none(letters: KeyLetters) -> None:
    mail = read_back(letters.key(message(handled=False), notice(NoticeKind.KEY, recipients=(0,)), None))
    assert "まで確認できます" not in text(mail)


def test_who_did_not_get_the_mail_is_not_called(letters: KeyLetters) -> None:
    about = message()
    rows = (replace(about.recipients[0], state=State.BOUNCED), about.recipients[1])
    about = replace(about, recipients=rows)
    assert letters.key(about, notice(NoticeKind.KEY, recipients=(0,)), RAW) is None
    mail = read_back(letters.key(about, notice(NoticeKind.KEY, recipients=(0, 1)), RAW))
    assert "smith@example.net" in text(mail)
    assert "tanaka@example.com" not in text(mail)


@BOTH
@pytest.mark.parametrize("why", [each for each in Why if each not in (Why.NOT_SENT_HERE, Why.ERROR)])
@pytest.mark.parametrize("way", [Way.SMS, Way.SECOND_MAIL])
def test_a_key_that_did_not_arrive_is_told_with_the_reason(
    letters: KeyLetters, links: Links, language: Language, why: Why, way: Way
) -> None:
    told = replace(notice(NoticeKind.KEY_FAILED, recipients=(1,)), actor=f"{way.value}:{why.value}")
    plain = text(read_back(letters.key_failed(message(language), told, RAW)))
    reason = why_not_sent(why.value, Words(language.value, ZoneInfo("Asia/Tokyo")))
    assert reason
    assert reason in plain
    assert "smith@example.net" in plain
    assert links.url("Q1", SENDER) + "#keys" in plain
    assert ("SMS" if language is Language.JA else "text message") in plain or way is Way.SECOND_MAIL


@pytest.mark.parametrize("actor", ["", "sms", "sms:", ":", "x:y", "sms:\u202eevil\r\nBcc: x"])
def test_words_that_are_not_known_say_nothing(letters: KeyLetters, actor: str) -> None:
    told = replace(notice(NoticeKind.KEY_FAILED, recipients=(0,)), actor=actor)
    mail = read_back(letters.key_failed(message(), told, RAW))
    assert "evil" not in text(mail)
    assert mail["bcc"] is None


def test_nobody_to_tell_of_is_no_letter(letters: KeyLetters) -> None:
    assert letters.key_failed(message(), notice(NoticeKind.KEY_FAILED, recipients=(9,)), RAW) is None


def sending(to: str = PEOPLE[0]) -> KeySending:
    return KeySending("Q1", 0, Way.SECOND_MAIL, 1, "l", to, KEY)


@BOTH
def test_the_second_mail_has_the_key_and_says_which_mail(letters: KeyLetters, language: Language) -> None:
    new = letters.second_mail(message(language), sending())
    mail = read_back(new.raw)
    for part in (text(mail), text(mail, "html")):
        assert part.count(KEY) == 1
        assert SENDER in part
        assert "名簿" in part
        assert "返信されても読まれません" in part
        assert "Replies are not read" in part
        assert "http" not in part
    assert KEY not in str(mail["subject"])
    assert mail["auto-submitted"] == "auto-generated"
    assert mail["to"] == "<tanaka@example.com>" or str(mail["to"]) == "tanaka@example.com"
    assert (new.envelope.sender, new.from_gateway, new.about) == (None, True, "Q1")
    assert [str(each) for each in new.envelope.recipients] == ["tanaka@example.com"]
    assert not new.decision.outcomes[0].waits


def test_the_same_second_mail_twice_is_one_to_the_receiver(letters: KeyLetters) -> None:
    first, second = (read_back(letters.second_mail(message(), sending()).raw) for _ in range(2))
    assert first["message-id"] == second["message-id"]


@pytest.mark.parametrize("subject", ["", "a\r\nBcc: x@example.com", "<b>x</b>", "\u202egpj"])
def test_a_subject_lays_out_nothing(letters: KeyLetters, subject: str) -> None:
    mail = read_back(letters.second_mail(message(subject=subject), sending()).raw)
    assert mail["bcc"] is None
    assert "<b>x" not in text(mail, "html")
    assert "\u202e" not in text(mail)


def test_the_key_is_in_no_subject_and_no_other_letter(letters: KeyLetters) -> None:
    assert sorted(letters.by_kind()) == [NoticeKind.KEY, NoticeKind.KEY_FAILED]
