"""A form that is not ours changes nothing: every route that takes one, every way in which others may post it."""

from __future__ import annotations

from urllib.parse import urlencode

import pytest

from gateway.console.gate import Gated
from gateway.console.guard import MAX_FORM
from tests.console.security.conftest import Mails, tokens
from tests.console.whole import BOSS, ORIGIN, SAME_SITE, Whole, filled

REFUSED = (403, 404, 410)  # 410: nobody was asked to delete this mail
FOREIGN = (
    {"sec-fetch-site": "cross-site"},
    {"sec-fetch-site": "same-site"},
    {"sec-fetch-site": "cross-site", "origin": ORIGIN},
    {"origin": "https://evil.example"},
    {"origin": f"{ORIGIN}.evil.example"},
)


def posts(console: Whole, mails: Mails) -> list[tuple[str, str]]:
    """Return every address behind the gate that takes a form, with somebody who may post there."""
    found = [
        (filled(route.path, queue_id=mails.sports, login="other"), sorted(route.roles)[0].value)
        for route in console.gated()
        if "POST" in (route.methods or set())
    ]
    assert len(found) >= 3
    return found


def behind_links(console: Whole, mails: Mails) -> list[str]:
    """Return every address behind a link that takes a form."""
    given = tokens(console, mails.sports)
    found = []
    for route in console.routes():
        token = given.get(route.path[:3])
        if token is not None and "POST" in (route.methods or set()) and not isinstance(route, Gated):
            found.append(filled(route.path, token=token))
    assert len(found) >= 10
    return found


@pytest.mark.parametrize("headers", FOREIGN, ids=str)
def test_another_site_posts_nothing(console: Whole, mails: Mails, headers: dict[str, str]) -> None:
    before = console.events()
    for address, who in posts(console, mails):
        answer = console.ask("POST", address, who, {"seal": console.seals[who], "which": "all"}, headers)
        assert answer.status_code == 403, address
    for address in behind_links(console, mails):
        assert console.ask("POST", address, "", {"which": "all"}, headers).status_code in REFUSED, address
    assert console.events() == before


def test_a_form_without_our_seal_does_nothing(console: Whole, mails: Mails) -> None:
    before = console.events()
    links = console.rooms.links
    for address, who in posts(console, mails):
        others = console.seals["admin" if who != "admin" else "sender"]
        of_a_page = links.seal(links.url(mails.sports, BOSS), {"form": 1})
        of_another_use = links.seal("x", {"form": "sign-in"})
        for seal in (
            "",
            "x",
            others,
            others[:-2],
            console.seals[who][:-1],
            of_a_page,
            of_another_use,
            "\u0000",
        ):
            answer = console.ask(
                "POST", address, who, {"seal": seal, "which": "all", "confirm": "1"}, SAME_SITE
            )
            assert answer.status_code == 403, (address, seal)
        assert console.ask("POST", address, who, {"which": "all"}, SAME_SITE).status_code == 403, address
    for address in behind_links(console, mails):
        for seal in ("", "x", console.seals["admin"], console.seals["sender"]):
            answer = console.ask("POST", address, "admin", {"seal": seal, "which": "all"}, SAME_SITE)
            assert answer.status_code in REFUSED, (address, answer.status_code)
    assert console.events() == before
    assert console.states(mails.sports) == ["held"] * 3


def test_a_seal_in_the_address_is_none(console: Whole, mails: Mails) -> None:
    for address, who in posts(console, mails):
        query = urlencode({"seal": console.seals[who]})
        assert console.ask("POST", f"{address}?{query}", who, {"a": "b"}, SAME_SITE).status_code == 403, (
            address
        )


@pytest.mark.parametrize(
    "kind", ["application/json", "text/plain", "multipart/form-data; boundary=x", "application/xml", ""]
)
def test_only_forms_are_read(console: Whole, mails: Mails, kind: str) -> None:
    before = console.events()
    for address, who in posts(console, mails):
        content = urlencode({"seal": console.seals[who]}).encode()
        headers = {**SAME_SITE, **({"content-type": kind} if kind else {})}
        answer = console.ask("POST", address, who, headers=headers, content=content)
        assert answer.status_code in (403, 415), (address, answer.status_code)
    assert console.events() == before


def test_a_form_larger_than_ours_is_refused(console: Whole, mails: Mails) -> None:
    headers = {**SAME_SITE, "content-type": "application/x-www-form-urlencoded"}
    content = b"seal=" + b"x" * MAX_FORM
    for address, who in posts(console, mails):
        answer = console.ask("POST", address, who, headers=headers, content=content)
        assert answer.status_code == 413, address
        assert "一度に送信できる量を超えています" in answer.text


def test_a_form_of_endless_fields_is_refused(console: Whole, mails: Mails) -> None:
    headers = {**SAME_SITE, "content-type": "application/x-www-form-urlencoded"}
    content = b"a&" * 100_100
    for address, who in posts(console, mails)[:3]:
        assert console.ask("POST", address, who, headers=headers, content=content).status_code in (400, 413)
