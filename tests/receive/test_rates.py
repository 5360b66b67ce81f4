"""Rates: never more than allowed in any window, never much less; nothing of what was not taken; bounded tables."""

from __future__ import annotations

from copy import deepcopy

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gateway.config.settings import Limits
from gateway.receive.rates import DAY, HOUR, PARTS, Over, Rates, Usage, Window
from tests.receive.conftest import Open
from tests.receive.test_sign_in import plain

OFF = dict.fromkeys(name for name in Limits.model_fields if "_per_" in name and "address" not in name)
moments = st.lists(st.floats(0, 500), min_size=1, max_size=60).map(sorted)


@given(moments, st.integers(1, 5))
@example([8.3, 100.5], 1)  # the end of one part and the beginning of another
def test_no_window_has_more_than_allowed_and_none_is_refused_without_need(
    times: list[float], allowed: int
) -> None:
    window, seconds = Window(allowed, 100.0), 100.0
    taken: list[float] = []
    for now in times:
        wait = window.wait("k", now)
        recent = [at for at in taken if at > now - seconds]
        longer = [at for at in taken if at >= now - seconds * (PARTS + 1) / PARTS]
        if wait == 0:
            assert len(recent) < allowed
            window.count("k", now)
            taken.append(now)
        else:
            assert len(longer) >= allowed
            assert deepcopy(window).wait("k", now + wait + 0.001) == 0
            assert wait <= seconds * (PARTS + 1) / PARTS + 1


@given(st.lists(st.tuples(st.floats(0, 30), st.integers(0, 5), st.integers(0, 5)), max_size=30))
def test_what_is_given_back_is_gone_and_nothing_else(mails: list[tuple[float, int, int]]) -> None:
    window = Window(1_000, 100.0)
    now, kept = 0.0, 0
    for pause, more, less in mails:
        began = now
        for _ in range(more):
            window.count("k", now)
        now += pause / 30
        window.give_back("k", min(more, less), began)
        kept += more - min(more, less)
        assert window.used("k", now) == kept


def test_giving_back_never_makes_the_rest_expire_sooner() -> None:
    window = Window(2, 120.0)
    window.count("k", 0.0)
    window.count("k", 50.0)
    window.give_back("k", 1, 0.0)
    assert window.used("k", 125.0) == 1  # the one of 50 is left


def test_giving_back_takes_nothing_from_what_was_counted_before() -> None:
    window = Window(2, 120.0)
    window.count("k", 0.0)
    window.count("k", 50.0)
    window.give_back("k", 1, 50.0)
    assert window.used("k", 60.0) == 1
    assert window.used("k", 135.0) == 0


def test_a_flood_of_keys_does_not_grow_the_table() -> None:
    window = Window(5, HOUR, keys=100)
    for number in range(10_000):
        window.wait(f"key {number}", 0.0)
        window.count(f"key {number}", 0.0)
        window.count("busy", 0.0)
    assert len(window) == 100
    assert window.wait("busy", 0.0) > 0  # who is active is not forgotten


def test_a_busy_key_takes_no_more_memory_than_a_quiet_one() -> None:
    window = Window(10**9, 1.0)
    for number in range(5_000):
        window.count("k", number / 100)
    used = window._used["k"]
    assert len(used.parts) <= PARTS + 1


def usage(rates: Rates, now: float = 0.0, account: str | None = "alice", trusted: bool = False) -> Usage:
    return rates.usage(account, "192.0.2.1", trusted, now)


def send(rates: Rates, recipients: int, now: float, **who: bool | str | None) -> Over | None:
    """Send a mail; return what stopped it. A refused mail is given back."""
    one = usage(rates, now, **who)  # type: ignore[arg-type]
    over = one.mail(now)
    for _ in range(recipients):
        over = over or one.recipient(now)
    if over is None:
        one.keep()
    one.give_back()
    return over


@pytest.mark.parametrize(
    ("limits", "what", "who"),
    [
        ({"mails_per_hour": 3}, "mails from this account in an hour", {}),
        ({"recipients_per_hour": 6}, "recipients from this account in an hour", {}),
        ({"recipients_per_day": 6}, "recipients from this account in a day", {}),
        ({"network_mails_per_hour": 3}, "mails from your network in an hour", {}),
        ({"network_recipients_per_hour": 6}, "recipients from your network in an hour", {}),
        ({"mails_per_hour": 3}, "mails from this account in an hour", {"trusted": True}),
        ({"relay_mails_per_hour": 3}, "mails from this relay", {"trusted": True, "account": None}),
        ({"relay_recipients_per_hour": 6}, "recipients from this relay", {"trusted": True, "account": None}),
    ],
)
def test_each_rate_puts_off_and_says_what_and_until_when(
    limits: dict[str, int], what: str, who: dict[str, bool | str | None]
) -> None:
    rates = Rates(Limits(**(OFF | limits)))  # type: ignore[arg-type]
    assert [send(rates, 2, 0.0, **who) for _ in range(3)] == [None] * 3
    over = send(rates, 2, 10.0, **who)
    assert over is not None
    assert what in over.what
    reply = over.reply()
    assert (reply.code, reply.enhanced, reply.why) == (450, "4.7.1", "rate")
    assert send(rates, 2, 10.0 + over.seconds + 1, **who) is None


def test_other_accounts_networks_and_relays_are_not_concerned() -> None:
    rates = Rates(Limits(**(OFF | {"mails_per_hour": 1, "relay_mails_per_hour": 1})))  # type: ignore[arg-type]
    assert send(rates, 1, 0.0) is None
    assert send(rates, 1, 0.0) is not None
    assert send(rates, 1, 0.0, account="bob") is None
    assert send(rates, 1, 0.0, account=None, trusted=True) is None
    assert send(rates, 1, 0.0, account=None, trusted=True) is not None
    assert rates.usage(None, "192.0.2.2", True, 0.0).mail(0.0) is None


def test_one_refused_window_counts_in_none() -> None:
    rates = Rates(Limits(**(OFF | {"recipients_per_hour": 10, "network_recipients_per_hour": 2})))  # type: ignore[arg-type]
    assert send(rates, 2, 0.0) is None
    assert [send(rates, 1, 0.0) is None for _ in range(20)] == [False] * 20
    assert rates.usage("alice", "192.0.2.9", False, 0.0).recipient(0.0) is None


def test_a_school_that_writes_to_all_parents_meets_no_limit() -> None:
    rates = Rates(Limits())
    for hour in range(3):  # a notice, its correction, and one more in the afternoon
        assert all(send(rates, 1, hour * HOUR + second / 10) is None for second in range(3_000))
    for number in range(6):
        assert send(rates, 1_000, DAY + number) is None


def test_a_limit_of_none_or_0_counts_nothing() -> None:
    for value in (None, 0):
        rates = Rates(Limits(**dict.fromkeys(OFF, value)))
        assert send(rates, 500, 0.0) is None
        assert rates.connection("192.0.2.1", 0.0) is None
        assert usage(rates)._of_mail == usage(rates)._of_recipient == ()


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(1, "1 minute"), (61, "2 minutes"), (3_600, "60 minutes"), (7_201, "3 hours"), (90_000, "25 hours")],
)
def test_the_wait_is_told_in_words(seconds: float, text: str) -> None:
    assert Over("mails", seconds).reply().text == f"too many mails; try again in {text}"


async def test_connections_are_put_off_at_the_greeting(open_house: Open) -> None:
    house = await open_house(trusted=False, connections_per_minute=3)
    for _ in range(3):
        client = await house.connect()
        await client.greet()
        await client.close()
    client = await house.connect()
    assert (await client.reply()).startswith("421 4.7.0 too many connections from your network; try again in")
    assert await client.line() == b""


async def test_a_relay_connects_as_often_as_it_likes(open_house: Open) -> None:
    house = await open_house(trusted=True, connections_per_minute=3)
    for _ in range(10):
        client = await house.connect()
        await client.greet()
        await client.close()


async def test_a_client_that_goes_away_gives_back_what_it_began(open_house: Open) -> None:
    house = await open_house(trusted=False, accounts=True, recipients_per_hour=2)
    for _ in range(4):
        client = await house.connect()
        await client.greet()
        assert (await client.ask(plain("alice", "open sesame"))).startswith("235 ")
        assert (await client.ask(b"MAIL FROM:<alice@sports.example.jp>")).startswith("250 ")
        for name in (b"b", b"c"):
            assert (await client.ask(b"RCPT TO:<%b@example.com>" % name)).startswith("250 ")
        refused = await client.ask(b"RCPT TO:<d@example.com>")
        assert refused.startswith("450 4.7.1 too many recipients from this account in an hour; try again in")
        assert (await client.ask(b"QUIT")).startswith("221 ")
        await client.close()


async def test_sessions_at_the_same_time_share_an_account_s_rate(open_house: Open) -> None:
    house = await open_house(trusted=False, accounts=True, mails_per_hour=2)
    replies = []
    for _ in range(3):
        client = await house.connect()
        await client.greet()
        await client.ask(plain("alice", "open sesame"))
        replies.append((await client.ask(b"MAIL FROM:<alice@sports.example.jp>"))[:3])
    assert replies == ["250", "250", "450"]
