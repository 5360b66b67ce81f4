"""Mail of others is as if it were not there: every route that names one, every role, the same words."""

from __future__ import annotations

import re

import pytest

from gateway.console.gate import Gated
from tests.console.security.conftest import SECRET_SUBJECT, Mails
from tests.console.whole import OUTSIDERS, SUBJECT, Whole, filled

UNKNOWN = "0000000000000000"
OF_THE_LIBRARY = tuple(OUTSIDERS)
OF_THE_SPORTS_CENTRE = ("sender", "approver")


def about_mails(console: Whole) -> list[Gated]:
    return [route for route in console.gated() if "{queue_id}" in route.path]


def asked(console: Whole, route: Gated, queue_id: str, who: str) -> tuple[int, str]:
    """Return the status and the page, without what is new in each."""
    address = filled(route.path, queue_id=queue_id)
    if "POST" in (route.methods or set()):
        fields = {
            "which": "all",
            "comment": "x",
            "reason": "x",
            "because": "x",
            "days": "7",
            "count": "1",
            "confirm": "1",
        }
        answer = console.post(address, who, **fields)
    else:
        answer = console.ask("GET", address, who)
    return answer.status_code, re.sub(r'name="seal" value="[^"]*"', "", answer.text).replace(queue_id, "-")


@pytest.mark.parametrize("who", OF_THE_LIBRARY)
def test_the_library_does_not_see_the_sports_centre_s(console: Whole, mails: Mails, who: str) -> None:
    before = console.events()
    for route in about_mails(console):
        status, page = asked(console, route, mails.sports, who)
        assert status in (400, 403, 404), route.path
        assert SUBJECT not in page, route.path
        assert (status, page) == asked(console, route, UNKNOWN, who), route.path
    assert console.events() == before
    assert console.states(mails.sports) == ["held"] * 3


@pytest.mark.parametrize("who", OF_THE_SPORTS_CENTRE)
def test_the_sports_centre_does_not_see_the_library_s(console: Whole, mails: Mails, who: str) -> None:
    before = console.events()
    for route in about_mails(console):
        status, page = asked(console, route, mails.library, who)
        assert status in (400, 403, 404), route.path
        assert SECRET_SUBJECT not in page, route.path
        assert (status, page) == asked(console, route, UNKNOWN, who), route.path
    assert console.events() == before
    assert console.states(mails.library) == ["held"] * 2


@pytest.mark.parametrize("who", OF_THE_SPORTS_CENTRE)
def test_no_list_shows_it(console: Whole, mails: Mails, who: str) -> None:
    for route in console.gated():
        if "{" not in route.path and "GET" in (route.methods or set()):
            page = console.ask("GET", route.path, who).text
            assert SECRET_SUBJECT not in page, route.path
            assert mails.library not in page, route.path


@pytest.mark.parametrize("who", OF_THE_LIBRARY)
def test_no_list_shows_the_other_way_either(console: Whole, mails: Mails, who: str) -> None:
    for route in console.gated():
        if "{" not in route.path and "GET" in (route.methods or set()):
            page = console.ask("GET", route.path, who).text
            assert SUBJECT not in page, route.path
            assert mails.sports not in page, route.path


@pytest.mark.parametrize(
    "odd",
    ["..", ".", "%2e%2e", "x/../y", "' OR 1=1 --", "\u0000", "%00", "Q" * 5_000, "日本語", "{queue_id}", "*"],
)
@pytest.mark.parametrize("who", ["admin", "sender"])
def test_an_odd_number_is_an_unknown_one(console: Whole, mails: Mails, who: str, odd: str) -> None:
    before = console.events()
    for route in about_mails(console):
        status, page = asked(console, route, odd, who)
        if odd.strip("."):  # of dots alone a client makes the address of another page
            assert status in (400, 403, 404, 405), (route.path, status)
        assert "Traceback" not in page
    assert console.events() == before
