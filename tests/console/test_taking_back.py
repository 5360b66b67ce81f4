"""Taking a mail back: what it can do is said before, what it did is said after, and neither says more than the truth."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import httpx
import pytest

from gateway import metrics
from gateway.console.prospects import Prospect, fates, left
from gateway.links import Links
from gateway.policy.handling import Handling
from gateway.policy.protection import How, Way
from gateway.spool.key_contract import KeyStatus, Stage
from gateway.spool.lifecycle import State
from gateway.spool.share_contract import Share, TakenBack
from gateway.spool.values import Actor
from tests.console.browser import read, send
from tests.console.conftest import FileSpool
from tests.console.handled import LINKED, SEALED, arrive, protect, share
from tests.memory_spool import NOON, SENDER, hold

THREE = ("sato@example.com", "suzuki@example.net", "tanaka@example.com")
ME = Actor("sender", SENDER)
PLAIN = replace(SEALED, forms=(), needs_key=False, way=None)
BOTH = replace(SEALED, forms=((2, How.ZIP_AES256), (3, How.LINK)))


def status(stage: Stage, way: Way = Way.SENDER) -> KeyStatus:
    return KeyStatus(0, way, stage, NOON)


@pytest.mark.parametrize(
    ("state", "handling", "found", "key", "expected"),
    [
        (State.HELD, SEALED, None, status(Stage.WAITING), Prospect.STOPPED),
        (State.QUEUED, None, None, None, Prospect.STOPPED),
        (State.ACTIVE, LINKED, share(), None, Prospect.LEAVING),
        (State.CANCELLED, SEALED, None, None, Prospect.OVER),
        (State.BOUNCED, SEALED, None, None, Prospect.OVER),
        (State.DELIVERED, None, None, None, Prospect.GONE),
        (State.DELIVERED, PLAIN, None, None, Prospect.GONE),
        (State.DELIVERED, LINKED, share(), None, Prospect.LOCKED),
        (State.DELIVERED, LINKED, share(locked_at=NOON), None, Prospect.LOCKED),
        (State.DELIVERED, LINKED, share(opened_at=NOON), None, Prospect.OPENED),
        (State.DELIVERED, LINKED, share(ended_at=NOON), None, Prospect.CLOSED),
        (State.DELIVERED, LINKED, share(ended_at=NOON, opened_at=NOON), None, Prospect.SEEN),
        (State.DELIVERED, SEALED, None, status(Stage.READY, Way.SMS), Prospect.UNKEYED),
        (State.DELIVERED, SEALED, None, status(Stage.SENDING, Way.SMS), Prospect.GONE),
        (State.DELIVERED, SEALED, None, status(Stage.SENT), Prospect.GONE),
        (State.DELIVERED, SEALED, None, status(Stage.FAILED, Way.SMS), Prospect.FAILED),
        (State.DELIVERED, SEALED, None, status(Stage.STOPPED), Prospect.HALTED),
        (State.DELIVERED, SEALED, None, status(Stage.READY, Way.PREAGREED), Prospect.GONE),
        (State.DELIVERED, SEALED, None, status(Stage.SENT, Way.SECOND_MAIL), Prospect.MAILED),
        (State.DELIVERED, SEALED, None, status(Stage.ARRIVED, Way.SECOND_MAIL), Prospect.GONE),
        (State.DELIVERED, BOTH, share(), status(Stage.SENT, Way.SMS), Prospect.GONE),  # the worse counts
        (State.DELIVERED, BOTH, share(), status(Stage.READY, Way.SMS), Prospect.LOCKED),
        (State.DELIVERED, BOTH, share(opened_at=NOON), status(Stage.READY), Prospect.OPENED),
    ],
)
def test_what_can_still_be_done(
    spool: FileSpool,
    state: State,
    handling: Handling | None,
    found: Share | None,
    key: KeyStatus | None,
    expected: Prospect,
) -> None:
    message = protect(spool, handling or PLAIN)
    outcome = replace(message.decision.outcomes[0], handling=handling)
    spool.messages["Q1"] = replace(message, decision=replace(message.decision, outcomes=(outcome,)))
    spool.set_state("Q1", 0, state)
    sorted_ = fates(spool.messages["Q1"], [found] if found else [], [key] if key else [])
    assert [prospect for prospect, _ in sorted_.by_prospect] == [expected]


@pytest.mark.parametrize(
    ("found", "key", "worth"),
    [
        (None, None, False),
        (share(), None, True),
        (share(ended_at=NOON), None, False),
        (share(), status(Stage.SENT, Way.SMS), True),  # a link can be closed, whatever else is gone
        (None, status(Stage.READY), True),
        (None, status(Stage.FAILED, Way.SMS), True),
        (None, status(Stage.SENT), False),
        (None, status(Stage.STOPPED), False),
        (None, status(Stage.SENT, Way.SECOND_MAIL), True),
    ],
)
def test_taking_back_is_offered_where_it_does_something(
    spool: FileSpool, found: Share | None, key: KeyStatus | None, worth: bool
) -> None:
    protect(spool, BOTH)
    spool.set_state("Q1", 0, State.DELIVERED)
    told = fates(spool.messages["Q1"], [found] if found else [], [key] if key else [])
    assert told.worth is worth


def test_an_answer_that_never_came_is_no_certainty(spool: FileSpool) -> None:
    hold(spool, "Q1", THREE)
    spool.no_answer("Q1", 0)
    assert dict(fates(spool.messages["Q1"], (), ()).by_prospect).keys() == {
        Prospect.STOPPED,
        Prospect.PERHAPS,
    }
    assert left(spool.messages["Q1"])


async def test_a_mail_of_which_nothing_left_is_cancelled_and_not_taken_back(
    client: httpx.AsyncClient, spool: FileSpool, links: Links
) -> None:
    hold(spool, "Q1", THREE)
    assert "取り戻せるか確かめる" not in (await client.get(links.url("Q1", SENDER))).text


async def test_every_mail_that_left_can_be_asked_about(
    client: httpx.AsyncClient, spool: FileSpool, links: Links
) -> None:
    """Also one that nobody protects: the page says that it is gone."""
    hold(spool, "Q1", THREE)
    for index in range(3):
        spool.set_state("Q1", index, State.DELIVERED)
    url = links.url("Q1", SENDER)
    assert "取り戻せるか確かめる" in (await client.get(url)).text
    page = await client.get(f"{url}/take-back")
    text = read(page).text
    assert "3 すべて届いています。取り戻せません" in text
    assert "このメールで取り戻せるものは、もうありません。" in text
    assert "<button" not in page.text


async def test_the_page_asks_and_says_what_will_be(
    client: httpx.AsyncClient, spool: FileSpool, links: Links
) -> None:
    protect(spool, LINKED, THREE)
    arrive(spool, 0, 1)
    spool.shares.rows["Q1"] = [share(0, opened_at=NOON), share(1)]
    page = await client.get(links.url("Q1", SENDER) + "/take-back")
    text = read(page).text
    assert "このメールを取り戻しますか" in text
    assert "まだ送信していません。送信を取り消します tanaka@example.com" in text
    assert "リンクを開いていません。公開を終了できます suzuki@example.net" in text
    assert "ダウンロード済みのものは戻りません sato@example.com" in text
    assert spool.shares.acts == []


async def test_the_answer_is_the_verbs_own(client: httpx.AsyncClient, spool: FileSpool, links: Links) -> None:
    many = (*THREE, "ito@example.com", "mori@example.com", "auditor@example.org")
    protect(spool, LINKED, many, copied=1)
    arrive(spool, 0, 1, 3, 4, 5)
    spool.shares.taken = TakenBack((2,), (1,), ((0, NOON), (5, NOON)), (3,), (4,), NOON + timedelta(hours=1))
    name, labels = "sekisho_recipients_cancelled_total", {"reason": "by-sender"}
    before = metrics.REGISTRY.get_sample_value(name, labels) or 0
    url = links.url("Q1", SENDER)
    done = await send(client, url, "take-back")
    assert done.status_code == 200
    text = read(done).text
    for told in (
        "取り戻せるところまで取り戻しました 11月20日(金) 13:00",
        "送信していません。今後も送信しません tanaka@example.com",
        "リンクを開いていません。公開を終了しました suzuki@example.net",
        "鍵は届いていません。鍵は今後も送りません ito@example.com",
        "ダウンロード済みのものは戻りません sato@example.com（11月20日(金) 12:00 に開封）",
        "すべて届いています。取り戻せませんでした mori@example.com",
    ):
        assert told in text
    assert "auditor" not in done.text
    assert spool.shares.acts == [("take-back", "Q1", None, ME)]
    assert metrics.REGISTRY.get_sample_value(name, labels) == before + 1
