"""What happens at every deadline, in sentences: steps, reminders, proxies and absences, in both languages and in order."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest

from gateway.deadline_words import outlook
from gateway.languages import Words
from gateway.policy.demands import Approval, Approver
from gateway.spool.attendance import Absence
from gateway.spool.halt_contract import Freeze
from gateway.spool.lifecycle import State
from gateway.spool.values import Stored
from tests.memory_spool import NOON
from tests.notices.test_asking import message, with_look
from tests.spool.asking import CHIEF, DEPUTY, HOUR, MAYOR, approval, confirmation
from tests.spool.mails import MINUTE

JA, EN = (Words(language, ZoneInfo("Asia/Tokyo")) for language in ("ja", "en"))
LADDER = replace(approval(CHIEF, later=(HOUR, DEPUTY)), remind=(30 * MINUTE,))


def at(hours: float) -> str:
    return JA.moment(NOON + timedelta(hours=hours))


def gone(about: Stored, person: str, since: float, until: float, note: str = "") -> Stored:
    away = Absence(person, NOON + timedelta(hours=since), NOON + timedelta(hours=until), note)
    return replace(about, absences=(*about.absences, away))


def test_the_whole_ladder_in_order() -> None:
    told = outlook(message(LADDER), JA, NOON)
    assert told.then == (
        f"{at(0.5)} に、まだ承認していない人へもう一度お知らせします。",
        f"{at(1)} までに承認がない場合、{DEPUTY} にも依頼します。",
        f"{at(4)} までに決まらない場合は取り消され、送信者に知らせます。",
    )
    assert told.away == ()
    assert told.there == f"いま承認できる人: {CHIEF}"


def test_what_was_made_longer_is_told_as_long_as_it_is() -> None:
    told = outlook(replace(message(LADDER), stays={0: NOON + 9 * HOUR}), JA, NOON)
    assert told.then[-1] == f"確認や承認がそろっても、{at(9)} までは送信されません。"


def test_what_is_past_is_not_promised() -> None:
    told = outlook(with_look(message(LADDER), step=1), EN, NOON + 2 * HOUR)
    assert told.then == (
        f"If it is not decided by {EN.moment(NOON + 4 * HOUR)}, it is cancelled, and the sender is told.",
    )
    assert told.there == f"May approve now: {CHIEF}, {DEPUTY}"


def test_who_is_away_is_seen_before_it_blocks() -> None:
    told = outlook(gone(message(LADDER), CHIEF, -1, 20, "出張"), JA, NOON)
    assert told.away == (f"{CHIEF} は {at(20)} まで不在です。 出張",)
    assert told.there == "承認できる人は、いま全員不在です。"
    assert f"承認できる人が不在で足りないため、すぐに {DEPUTY} にも依頼します。" in told.then


def test_who_will_be_away_too() -> None:
    told = outlook(gone(message(LADDER), CHIEF, 0.25, 20), JA, NOON)
    assert told.away == (f"{CHIEF} は {at(0.25)} から {at(20)} まで不在の予定です。",)
    assert told.then[0].startswith(f"{at(0.25)} から承認できる人が不在で足りなくなります。")
    assert DEPUTY in told.then[0]


def test_absences_that_follow_each_other_are_one() -> None:
    about = gone(gone(message(LADDER), CHIEF, -1, 5), CHIEF, 5, 30)
    assert outlook(about, JA, NOON).away[0] == f"{CHIEF} は {at(30)} まで不在です。"


def test_a_proxy_is_named_with_the_day_it_begins() -> None:
    wanted = approval(CHIEF, proxy=Approver(MAYOR, NOON + 2 * HOUR))
    told = outlook(message(wanted), JA, NOON)
    assert told.then[0] == f"{at(2)} から、代理の {MAYOR} にも依頼します。"


@pytest.mark.parametrize(
    ("demand", "sentence"),
    [
        (approval(CHIEF, otherwise="release"), "承認を待たずに送信され、送信者に知らせます。"),
        (confirmation(), "送信者の確認がない場合は取り消され"),
        (confirmation(otherwise="release"), "確認を待たずに送信され"),
        (replace(confirmation(), remind=(HOUR,)), "送信者へもう一度確認をお願いします。"),
    ],
)
def test_every_end_is_said(demand: Approval, sentence: str) -> None:
    assert any(sentence in line for line in outlook(message(demand), JA, NOON).then)


def test_a_mail_that_waits_for_time_alone() -> None:
    about = message(state=State.HELD)
    rows = tuple(replace(row, due_at=NOON + 10 * MINUTE) for row in about.recipients)
    told = outlook(replace(about, recipients=rows), JA, NOON)
    assert told.then == (f"{at(1 / 6)} に送信されます(宛先 2件)。それまでは取り消せます。",)
    assert told.there == ""


def test_a_frozen_mail_says_until_when() -> None:
    about = replace(message(LADDER), frozen=Freeze(NOON, NOON + 72 * HOUR, "admin", "root"))
    told = outlook(about, JA, NOON).then
    assert told[-1] == f"凍結中です。{at(72)} までに解除されない場合は取り消され、送信者に知らせます。"
    assert any("までに決まらない場合" in line for line in told)  # what people have to do goes on


def test_names_of_strangers_do_not_lay_out_the_page() -> None:
    about = gone(message(LADDER), CHIEF, -1, 20, "a\u202eb\r\nc" * 100)
    (line,) = outlook(about, JA, NOON).away
    assert line.isprintable()
    assert len(line) < 400


def test_the_window_of_a_mail_from_the_future_is_the_one_that_is_kept() -> None:
    """It came while the clock ran ahead; the service counts its window from now, and so do the words."""
    about = message(LADDER)
    outcome = about.decision.outcomes[0]
    longer = replace(outcome, demands=replace(outcome.demands, window=HOUR))
    about = replace(
        about,
        received_at=NOON + 48 * HOUR,
        decision=replace(about.decision, outcomes=(longer, *about.decision.outcomes[1:])),
    )
    assert f"確認や承認がそろっても、{at(1)} までは送信されません。" in outlook(about, JA, NOON).then
