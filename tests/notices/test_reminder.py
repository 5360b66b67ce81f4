"""The reminder: to whom it goes, with what link, and when there is nothing to say any more."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gateway.links import Links
from gateway.notices.compose import Composers
from gateway.notices.reminder import Reminders
from gateway.policy.demands import Language
from gateway.spool.lifecycle import State
from gateway.spool.notice import NoticeKind
from gateway.spool.second_look import Consent
from gateway.spool.values import Stored
from tests.memory_spool import NOON
from tests.notices.conftest import notice, read_back, text
from tests.notices.test_asking import RAW, message, with_look
from tests.spool.asking import CHIEF, DEPUTY, HOUR, approval, confirmation
from tests.spool.mails import SENDER


@pytest.fixture
def reminders(links: Links, composers: Composers) -> Reminders:
    return Reminders(links, composers)


def reminded(composers: Reminders, about: Stored, to: str = CHIEF, subtype: str = "plain") -> str | None:
    found = composers.reminder(about, notice(NoticeKind.REMINDER, to=to, recipients=(0, 1)), RAW)
    return None if found is None else text(read_back(found), subtype)


@pytest.mark.parametrize("subtype", ["plain", "html"])
def test_an_approver_gets_the_link_and_what_happens_next(
    reminders: Reminders, links: Links, subtype: str
) -> None:
    told = reminded(reminders, message(approval(CHIEF, later=(HOUR, DEPUTY))), subtype=subtype)
    assert told is not None
    for part in (links.approval_url("Q1", CHIEF), "まだ承認を待っています", f"{DEPUTY} にも依頼します"):
        assert part in told
    assert "SECRET-OF-THE" not in told


def test_the_sender_is_reminded_to_tick_with_the_senders_link(reminders: Reminders, links: Links) -> None:
    told = reminded(reminders, message(confirmation(), language=Language.EN), str(SENDER))
    assert told is not None
    assert links.url("Q1", str(SENDER)) in told
    assert "/a/" not in told
    assert "still waits for you to confirm it" in told


@pytest.mark.parametrize(
    ("about", "to"),
    [
        (message(approval(CHIEF), state=State.CANCELLED), CHIEF),
        (with_look(message(approval(CHIEF, DEPUTY, at_least=2)), consents=(Consent(CHIEF, NOON),)), CHIEF),
        (message(approval(CHIEF)), str(SENDER)),
        (message(confirmation()), CHIEF),
        (with_look(message(confirmation()), met_at=NOON), str(SENDER)),
    ],
    ids=["cancelled", "has approved", "the sender of an approval", "an approver of none", "ticked"],
)
def test_nobody_is_reminded_of_nothing(reminders: Reminders, about: Stored, to: str) -> None:
    assert reminded(reminders, about, to) is None


def test_the_title_says_that_it_comes_again(reminders: Reminders) -> None:
    found = reminders.reminder(message(replace(approval(CHIEF))), notice(NoticeKind.REMINDER, to=CHIEF), RAW)
    assert read_back(found)["Subject"] == "[再度のお知らせ・承認待ち] ご案内"
