"""A session is what signing in gave, for as long as it is good, and nothing that somebody planted."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from gateway.clock import utc_now
from gateway.people import session_rows
from gateway.people.contract import Grant, Role
from gateway.people.session_rows import Origin
from gateway.spool.times import to_us
from gateway.spool.values import SYSTEM
from tests.console.whole import SAME_SITE, Whole

HOME = "/figures"  # of an auditor, whose session the tests use
ELSEWHERE = (
    "https://evil.example/",
    "//evil.example/",
    "/\\evil.example",
    "\\/evil.example",
    "/\t/evil.example",
    "javascript:alert(1)",
    "data:text/html,x",
    "http:evil.example",
    "///evil.example",
    "\u0000//evil.example",
    "https:/evil.example",
    "。。//evil.example",
)


def cookies_of(answer: httpx.Response) -> dict[str, str]:
    return dict(header.partition("=")[::2] for header in answer.headers.get_list("set-cookie"))


def test_a_planted_session_is_never_taken_up(console: Whole) -> None:
    planted = "planted-by-somebody-else-0123456789abcdef"
    headers = {"cookie": f"{console.cookie_name}={planted}"}
    form = console.ask("GET", "/sign-in", headers=headers)
    assert planted not in str(form.headers.get_list("set-cookie"))
    assert console.ask("GET", HOME, headers=headers).status_code == 303
    seal = re.search(r'name="seal" value="([^"]+)"', form.text)
    assert seal
    cookie = "; ".join(
        [f"{n}={v.partition(';')[0]}" for n, v in cookies_of(form).items()] + [headers["cookie"]]
    )
    fields = {"seal": seal[1], "login": "auditor", "password": "wrong"}
    answer = console.ask("POST", "/sign-in", "", fields, {**SAME_SITE, "cookie": cookie})
    assert answer.status_code == 403
    assert console.cookie_name not in {n for n in cookies_of(answer) if n == console.cookie_name}
    assert console.ask("GET", HOME, headers={"cookie": cookie}).status_code == 303


def test_a_step_of_signing_in_is_no_session(console: Whole) -> None:
    new = session_rows.fresh()

    def job(tx: Any) -> None:
        session_rows.insert(
            tx,
            new,
            "auditor",
            "code",
            "password",
            Origin("127.0.0.1"),
            to_us(utc_now()),
            timedelta(minutes=5),
        )

    console.portal.call(console.rooms.spool.database.committer.run, job)
    headers = {"cookie": f"{console.cookie_name}={new.cookie}"}
    assert console.ask("GET", HOME, headers=headers).status_code == 303


def test_signing_out_ends_the_session_for_good(console: Whole) -> None:
    console.sign_in("auditor")
    old = console.sessions["auditor"]
    assert console.ask("GET", HOME, "auditor").status_code == 200
    answer = console.post("/sign-out", "auditor")
    assert answer.status_code == 303
    assert "Max-Age=0" in answer.headers["set-cookie"] or 'sekisho=""' in answer.headers["set-cookie"]
    assert console.ask("GET", HOME, headers={"cookie": f"{console.cookie_name}={old}"}).status_code == 303
    console.sign_in("auditor")


def test_who_is_suspended_is_out_at_once_and_does_not_come_back(console: Whole) -> None:
    console.sign_in("auditor")
    people = console.rooms.people
    console.portal.call(people.suspend, "auditor", SYSTEM, utc_now())
    assert console.ask("GET", HOME, "auditor").status_code == 303
    assert console.post("/sign-out", "auditor").status_code == 401
    console.portal.call(people.resume, "auditor", SYSTEM, utc_now())
    assert console.ask("GET", HOME, "auditor").status_code == 303, "the old session stays ended"
    console.sign_in("auditor")


def test_a_role_that_was_taken_is_gone_with_the_next_page(console: Whole) -> None:
    people = console.rooms.people
    person = console.portal.call(people.get, "auditor")
    assert console.ask("GET", HOME, "auditor").status_code == 200
    changed = replace(person, grants=(Grant(Role.APPROVER),))
    console.portal.call(people.change, changed, SYSTEM, utc_now())
    assert console.ask("GET", HOME, "auditor").status_code == 403
    console.portal.call(people.change, person, SYSTEM, utc_now())


@pytest.mark.parametrize("wanted", ELSEWHERE)
def test_signing_in_leads_nowhere_else(console: Whole, wanted: str) -> None:
    form = console.ask("GET", str(httpx.URL("/sign-in", params={"next": wanted})))
    hidden = re.search(r'name="next" value="([^"]*)"', form.text)
    assert hidden is None or hidden[1] == "", "it is dropped before anybody types a password"
    led = console.ask("GET", str(httpx.URL("/sign-in", params={"next": wanted})), "auditor")
    assert led.status_code == 303
    parts = urlsplit(led.headers["location"])
    assert (parts.scheme, parts.netloc) == ("", "")
    assert parts.path.startswith("/")
    assert "evil" not in led.headers["location"]


@pytest.mark.parametrize(
    "wanted", ["/held@evil.example:80//", "/%09/evil.example", "/held?next=//evil.example"]
)
def test_a_path_of_ours_that_looks_odd_stays_ours(console: Whole, wanted: str) -> None:
    led = console.ask("GET", str(httpx.URL("/sign-in", params={"next": wanted})), "auditor")
    assert led.headers["location"] in (wanted, "/log")
    assert urlsplit(led.headers["location"]).netloc == ""


@pytest.mark.parametrize("path", ["/figures?span=12m&lang=https://evil.example", "/?lang=//evil.example"])
def test_the_language_leads_nowhere_else(console: Whole, path: str) -> None:
    answer = console.ask("GET", path, "auditor")
    assert "evil.example" not in answer.headers.get("location", "")
    assert 'href="//evil' not in answer.text
    assert 'href="https://evil' not in answer.text
    assert "sekisho-language" not in answer.headers.get("set-cookie", "")
