"""Who gets in and who does not; what is counted, for how long, and for whom."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pyotp
import pytest

from gateway.people import one_time
from gateway.people.contract import Duty, Grant, Role
from gateway.people.passwords import Hashing
from gateway.people.session_rows import MAX_SESSIONS, Origin
from gateway.people.signing_in import Admitted, SignInRefused
from gateway.spool.sql import SqlSpool
from gateway.spool.values import Actor
from tests.people.conftest import BOSS, ELSEWHERE, GOOD, HERE, OTHER, House

ANN = Actor("person", "ann")


async def why(house: House, login: str, password: str, origin: Origin = HERE) -> str:
    """Return why this does not let somebody in; empty where it does."""
    try:
        await house.people.signing_in.with_password(login, password, origin, house.now)
    except SignInRefused as refused:
        return refused.why
    return ""


async def enter(house: House, login: str = "ann", origin: Origin = HERE, password: str = GOOD) -> Admitted:
    return await house.people.signing_in.with_password(login, password, origin, house.now)


async def test_a_session_begins_and_ends(house: House) -> None:
    await house.add("Ann")
    admitted = await enter(house, "ANN")
    session = await house.people.session(admitted.cookie, house.now)
    assert session is not None
    assert session.person.login == "Ann"
    assert session.key not in (admitted.cookie, "")
    assert session.duty is None
    await house.people.sign_out(admitted.cookie, house.now)
    assert await house.people.session(admitted.cookie, house.now) is None
    kinds = [event["kind"] for event in house.told()]
    assert kinds == ["person", "person", "signed-in"]


async def test_idle_and_old_sessions_end(house: House) -> None:
    await house.add("ann")
    idle = await enter(house)
    house.later(house.settings.session_idle)
    assert await house.people.session(idle.cookie, house.now) is None
    used = await enter(house)
    for _ in range(24):
        assert await house.people.session(used.cookie, house.later(timedelta(minutes=24))) is not None
    assert await house.people.session(used.cookie, house.later(timedelta(minutes=24))) is None


async def test_unknown_wrong_suspended_and_without_password_are_told_alike(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    for login in ("ann", "sue", "stan"):
        await house.add(login)
    await house.add("oidc", password=None)
    await house.people.suspend("sue", BOSS, house.now)
    house.stopped.add("stan")
    work: list[str] = []
    matches = Hashing._matches

    def counting(self: Hashing, stored: str, password: str) -> bool:
        work.append(password)
        return matches(self, stored, password)

    monkeypatch.setattr(Hashing, "_matches", counting)
    tries = [
        ("ann", "wrong"),
        ("nobody", GOOD),
        ("sue", GOOD),
        ("stan", GOOD),
        ("oidc", GOOD),
        ("ann", "x" * 5000),
    ]
    for login, password in tries:
        assert await why(house, login, password) == "wrong"
    assert len(work) == len(tries)


async def test_a_stranger_closes_a_login_for_strangers_only(house: House) -> None:
    await house.add("ann")
    known = await enter(house)
    own = Origin("192.0.2.7", "Firefox", known.browser)
    for _ in range(house.settings.lock_after):
        assert await why(house, "ann", "guess", ELSEWHERE) == "wrong"
    assert await why(house, "ann", GOOD, ELSEWHERE) == "locked"
    assert await why(house, "ann", GOOD, Origin("198.51.100.1")) == "locked"
    assert await why(house, "ann", GOOD, own) == ""
    assert await why(house, "ann", GOOD, Origin("203.0.113.9", "", known.browser)) == ""
    house.later(house.settings.lock_for)
    assert await why(house, "ann", GOOD, Origin("198.51.100.1")) == ""


async def test_ones_own_browser_closes_too_and_an_administrator_opens(house: House) -> None:
    await house.add("ann")
    own = Origin("192.0.2.7", "Firefox", (await enter(house)).browser)
    for _ in range(house.settings.lock_after):
        assert await why(house, "ann", "guess", own) == "wrong"
    assert await why(house, "ann", GOOD, own) == "locked"
    for _ in range(house.settings.lock_after):
        await why(house, "ann", "guess", ELSEWHERE)
    temporary = await house.people.own.temporary_password("ann", BOSS, house.now)
    assert await why(house, "ann", temporary, Origin("198.51.100.1")) == ""


async def test_a_network_that_tries_many_logins_is_closed(house: House) -> None:
    await house.add("ann")
    for number in range(house.settings.lock_after * 4):
        assert await why(house, f"nobody{number}", "guess", Origin(f"2001:db8:1:1::{number:x}")) == "wrong"
    assert await why(house, "ann", GOOD, Origin("2001:db8:1:1:ffff::1")) == "locked"
    assert await why(house, "ann", GOOD, HERE) == ""


async def test_many_guesses_at_once_get_no_more_looks(house: House) -> None:
    await house.add("ann")
    guesses = [f"guess {number}" for number in range(30)] + [GOOD]
    answers = await asyncio.gather(*(why(house, "ann", each, ELSEWHERE) for each in guesses))
    assert answers.count("wrong") == house.settings.lock_after
    assert answers[-1] == "locked"


async def test_many_guesses_at_once_of_the_current_password_get_no_more_looks(house: House) -> None:
    """An open browser that somebody else sits at: guesses on many connections are as many as guesses one after another."""
    await house.add("ann")

    async def guess(password: str) -> str:
        try:
            await house.people.signing_in.confirm("ann", password, HERE, house.now)
        except SignInRefused as refused:
            return refused.why
        return ""

    answers = await asyncio.gather(*(guess(each) for each in [f"guess {n}" for n in range(30)] + [GOOD]))
    assert answers.count("wrong") == house.settings.lock_after
    assert answers[-1] == "locked"


async def test_a_series_of_failures_is_two_events_and_names_no_stranger(house: House) -> None:
    await house.add("ann")
    for _ in range(house.settings.lock_after + 5):
        await why(house, "ann", "my secret in the wrong box", ELSEWHERE)
        await why(house, "my secret in the wrong box", "x", Origin("198.51.100.7"))
    told = [event for event in house.told() if event["kind"].startswith("sign-in")]
    assert [event["kind"] for event in told] == ["sign-in-failed", "sign-in-locked", "sign-in-locked"]
    assert '"failures":10' in told[1]["detail"]
    assert "wrong box" not in str(house.told())


async def test_a_code_is_asked_for_and_good_once(house: House) -> None:
    await house.add("ann")
    secret = one_time.new_secret()
    assert await house.people.own.set_totp("ann", secret, "000000", ANN, house.now) is None
    codes = await house.people.own.set_totp("ann", secret, pyotp.TOTP(secret).at(house.now), ANN, house.now)
    assert codes is not None
    assert len({*codes}) == one_time.RECOVERY_CODES
    step = await enter(house)
    assert step.asks_code
    assert await house.people.session(step.cookie, house.now) is None
    with pytest.raises(SignInRefused, match="code"):  # the code that set it up is used
        await _code(house, step, pyotp.TOTP(secret).at(house.now))
    house.later(timedelta(seconds=30))
    code = pyotp.TOTP(secret).at(house.now)
    admitted = await _code(house, step, code.translate(str.maketrans("0123456789", "０１２３４５６７８９")))
    assert await house.people.session(admitted.cookie, house.now) is not None
    assert admitted.cookie != step.cookie
    with pytest.raises(SignInRefused, match="step"):  # the sign-in is over
        await _code(house, step, code)
    with pytest.raises(SignInRefused, match="code"):  # and so is the code
        await _code(house, await enter(house), code)


async def _code(house: House, step: Admitted, typed: str) -> Admitted:
    return await house.people.signing_in.with_code(step.cookie, typed, HERE, house.now)


async def test_recovery_codes_are_good_once_each(house: House) -> None:
    await house.add("ann")
    secret = one_time.new_secret()
    codes = await house.people.own.set_totp("ann", secret, pyotp.TOTP(secret).at(house.now), ANN, house.now)
    assert codes is not None
    await _code(house, await enter(house), codes[3].upper().replace("-", " "))
    assert await house.people.own.codes_left("ann") == len(codes) - 1
    with pytest.raises(SignInRefused, match="code"):
        await _code(house, await enter(house), codes[3])
    new = await house.people.own.new_recovery_codes("ann", ANN, house.now)
    with pytest.raises(SignInRefused, match="code"):
        await _code(house, await enter(house), codes[4])
    await _code(house, await enter(house), new[0])
    assert any('"codes_left":9' in event["detail"] for event in house.told())


async def test_codes_are_counted_like_passwords(house: House) -> None:
    await house.add("ann")
    secret = one_time.new_secret()
    await house.people.own.set_totp("ann", secret, pyotp.TOTP(secret).at(house.now), ANN, house.now)
    step = await enter(house)
    for _ in range(house.settings.lock_after):
        with pytest.raises(SignInRefused, match="code"):
            await _code(house, step, "000000")
    with pytest.raises(SignInRefused, match="locked"):
        await _code(house, step, pyotp.TOTP(secret).at(house.later(timedelta(minutes=1))))
    with pytest.raises(SignInRefused, match="locked"):
        await enter(house)


async def test_a_second_step_has_its_time(house: House) -> None:
    await house.add("ann")
    secret = one_time.new_secret()
    await house.people.own.set_totp("ann", secret, pyotp.TOTP(secret).at(house.now), ANN, house.now)
    step = await enter(house)
    house.later(timedelta(minutes=10))
    with pytest.raises(SignInRefused, match="step"):
        await _code(house, step, pyotp.TOTP(secret).at(house.now))


async def test_who_has_something_to_do_first(spool: SqlSpool) -> None:
    house = House(spool, totp_required=("admin",), password_age="90d")
    await house.add("root", Grant(Role.ADMIN))
    await house.add("ann")
    assert await _duty(house, await enter(house, "root")) is Duty.CODE
    assert await _duty(house, await enter(house)) is None
    house.later(timedelta(days=91))
    assert await _duty(house, await enter(house)) is Duty.PASSWORD
    temporary = await house.people.own.temporary_password("ann", BOSS, house.now)
    again = await enter(house, password=temporary)
    assert await _duty(house, again) is Duty.PASSWORD
    await house.people.own.set_password("ann", OTHER, ANN, house.now, again.cookie)
    assert await _duty(house, again) is None
    house.hashing.close()


async def _duty(house: House, admitted: Admitted) -> Duty | None:
    session = await house.people.session(admitted.cookie, house.now)
    assert session is not None
    return session.duty


async def test_a_temporary_password_does_not_last(house: House) -> None:
    await house.add("ann")
    temporary = await house.people.own.temporary_password("ann", BOSS, house.now)
    house.later(timedelta(days=7))
    assert await why(house, "ann", temporary) == "wrong"


async def test_there_is_an_end_to_sessions_of_one_person(house: House) -> None:
    await house.add("ann")
    first = await enter(house)
    for _ in range(MAX_SESSIONS):
        house.later(timedelta(seconds=1))
        await enter(house)
    assert await house.people.session(first.cookie, house.now) is None
    assert len(await house.people.sessions("ann")) == MAX_SESSIONS
    assert await house.people.sign_out_everywhere("ann", ANN, house.now) == MAX_SESSIONS
    assert await house.people.sessions("ann") == []
