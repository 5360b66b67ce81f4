"""A link opens its own page, for its own mail and person, and nothing else: forged, cut, mixed up, or used once more."""

from __future__ import annotations

import pytest

from gateway.clock import utc_now
from gateway.people.contract import Grant, Person, Role
from gateway.spool.values import Actor
from tests.console.browser import Sheet
from tests.console.security.conftest import Mails, tokens
from tests.console.whole import BOSS, OFFICE, ORIGIN, SAME_SITE, Whole

KINDS = ("/m/", "/a/", "/d/", "/i/")


def landed(console: Whole) -> set[str]:
    """Return the beginnings of paths that a token stands behind."""
    return {route.path.partition("{")[0] for route in console.routes() if "{token}" in route.path}


def test_every_page_behind_a_token_is_known_here(console: Whole, mails: Mails) -> None:
    assert landed(console) <= set(tokens(console, mails.sports))


def test_no_kind_opens_the_page_of_another(console: Whole, mails: Mails) -> None:
    given = tokens(console, mails.sports)
    for path in landed(console):
        for kind, token in given.items():
            if kind != path:
                assert console.ask("GET", f"{path}{token}").status_code == 404, (path, kind)


def mangled(token: str) -> list[str]:
    middle = len(token) // 2
    flipped = "A" if token[middle] != "A" else "B"
    return [
        token[:-1],
        token + "A",
        token + "=",
        token[1:],
        token[:middle] + flipped + token[middle + 1 :],
        token.swapcase(),
        token.replace(".", "", 1),
        token.partition(".")[0],
        "." + token,
        token * 3,
        "x" * 5_000,
        token + "%00",
        token + "%0a",
    ]


def test_a_forged_link_is_an_unknown_one(console: Whole, mails: Mails) -> None:
    before = console.events()
    for path, token in tokens(console, mails.sports).items():
        if path in landed(console):
            for forged in mangled(token):
                answer = console.ask("GET", f"{path}{forged}")
                assert answer.status_code == 404, (path, forged)
                assert mails.sports not in answer.text
    assert console.events() == before


def test_a_link_gives_no_session(console: Whole, mails: Mails) -> None:
    for path, token in tokens(console, mails.sports).items():
        if path in landed(console):
            answer = console.ask("GET", f"{path}{token}")
            assert not [
                c for c in answer.headers.get_list("set-cookie") if c.startswith(f"{console.cookie_name}=")
            ]
            assert (
                console.ask(
                    "GET", "/figures", headers={"cookie": f"{console.cookie_name}={token}"}
                ).status_code
                == 303
            )


def test_looking_changes_nothing_for_scanners(console: Whole, mails: Mails) -> None:
    before = console.events()
    for route in console.routes():
        if "{token}" in route.path and "GET" in (route.methods or set()):
            token = tokens(console, mails.sports)[route.path.partition("{")[0]]
            for method in ("GET", "HEAD"):
                address = route.path.replace("{token}", token).replace("{place}", "0")
                assert console.ask(method, address).status_code in (200, 303, 404, 410)
    assert console.events() == before
    assert console.states(mails.sports) == ["held"] * 3


def form(console: Whole, path: str) -> dict[str, str]:
    sheet = Sheet()
    sheet.feed(console.ask("GET", path).text)
    return sheet.fields


def test_a_button_pressed_again_tells_the_truth_and_acts_once(console: Whole) -> None:
    queue_id = console.hand_in(OFFICE, ["replay@example.com"])
    page = "/m/" + tokens(console, queue_id)["/m/"]
    fields = form(console, page) | {"which": "all"}
    first = console.ask("POST", f"{page}/cancel", "", fields, SAME_SITE)
    assert first.status_code == 303
    assert console.states(queue_id) == ["cancelled"]
    before = console.events()
    again = console.ask("POST", f"{page}/cancel", "", fields, SAME_SITE)
    released = console.ask("POST", f"{page}/release", "", fields, SAME_SITE)
    assert {again.status_code, released.status_code} <= {303, 409}
    assert console.states(queue_id) == ["cancelled"]
    assert console.events() == before


def test_a_link_is_no_way_around_a_suspension(console: Whole) -> None:
    queue_id = console.hand_in(OFFICE, ["a@example.com", "b@example.com", "c@example.com"])
    links, verbs = console.rooms.links, console.rooms.people
    urls = {
        "sender": links.url(queue_id, OFFICE),
        "approver": links.approval_url(queue_id, BOSS),
        "admin": links.incident_url(queue_id, "admin@city.example.lg.jp"),
    }
    admin, now = Actor("admin", "root"), utc_now()
    verbs_of = {"sender": "cancel", "approver": "approve", "admin": ""}
    console.portal.call(
        verbs.add, Person("second", "第二 管理", ("x@y.jp",), (Grant(Role.ADMIN),)), admin, now
    )
    for login, url in urls.items():
        path = url.removeprefix(ORIGIN)
        assert console.ask("GET", path).status_code == 200, login
        fields = form(console, path) | {"which": "all", "because": "x"}
        console.portal.call(verbs.suspend, login, admin, now)
        assert console.ask("GET", path).status_code == 410, login
        press = f"{path}/{verbs_of[login]}".rstrip("/")
        assert console.ask("POST", press, "", fields, SAME_SITE).status_code == 410, login
        console.portal.call(verbs.resume, login, admin, now)
        assert console.ask("GET", path).status_code == 200, login
    assert set(console.states(queue_id)) == {"held"}


def test_an_approval_pressed_again_counts_once(console: Whole) -> None:
    queue_id = console.hand_in(OFFICE, ["a@example.com", "b@example.com", "c@example.com"])
    page = "/a/" + tokens(console, queue_id)["/a/"]
    fields = form(console, page) | {"comment": "x"}
    assert console.ask("POST", f"{page}/approve", "", fields, SAME_SITE).status_code == 303
    before = console.events()
    console.ask("POST", f"{page}/approve", "", fields, SAME_SITE)
    console.ask("POST", f"{page}/reject", "", fields, SAME_SITE)
    assert console.events() == before
    assert console.states(queue_id) == ["held"] * 3, "the window goes on"


def test_an_answer_of_another_mail_is_not_believed(console: Whole, mails: Mails) -> None:
    queue_id = console.hand_in(OFFICE, ["answer@example.com"])
    page = "/m/" + tokens(console, queue_id)["/m/"]
    answer = console.ask("POST", f"{page}/cancel", "", form(console, page) | {"which": "all"}, SAME_SITE)
    sealed = answer.headers["location"].partition("?")[2]
    own = console.ask("GET", f"{page}?{sealed}")
    other = console.ask("GET", f"/m/{tokens(console, mails.sports)['/m/']}?{sealed}")
    assert 'role="status"' in own.text
    assert 'role="status"' not in other.text


@pytest.mark.parametrize("kind", KINDS[:2])
def test_a_form_of_one_mail_is_none_for_another(console: Whole, mails: Mails, kind: str) -> None:
    verb = {"/m/": "cancel", "/a/": "approve"}[kind]
    before = console.events()
    fields = form(console, kind + tokens(console, mails.library)[kind]) or {"seal": "x"}
    answer = console.ask(
        "POST",
        f"{kind}{tokens(console, mails.sports)[kind]}/{verb}",
        "",
        fields | {"which": "all"},
        SAME_SITE,
    )
    assert answer.status_code == 403
    assert console.events() == before
