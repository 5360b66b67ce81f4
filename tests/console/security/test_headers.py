"""What every answer carries: strict content policy, no frames, no sniffing, no keeping; whoever asks, whatever comes back."""

from __future__ import annotations

import pytest

from tests.console.security.conftest import Mails, tokens
from tests.console.whole import Whole, filled

FRAMED = ("/held/{queue_id}/html",)  # a stranger's HTML in a sandbox: our own page frames it
NO_DATA = ("/static/{name}",)
OPEN_TO_CACHES = ("public", "max-age")


def every_address(console: Whole, mails: Mails) -> list[tuple[str, str]]:
    given = tokens(console, mails.sports)
    found = []
    for route in console.routes():
        token = given.get(route.path[:3], "x")
        found.append(
            (
                route.path,
                filled(route.path, queue_id=mails.sports, token=token, name="style.css", login="other"),
            )
        )
    return [*found, ("", "/nothing"), ("", "/held/"), ("", "//evil.example/")]


@pytest.mark.parametrize("who", ["", "admin", "sender", "auditor"])
def test_every_answer_is_guarded(console: Whole, mails: Mails, who: str) -> None:
    for route, address in every_address(console, mails):
        for method in ("GET", "POST"):
            answer = console.ask(method, address, who)
            policy = answer.headers["content-security-policy"]
            assert policy.startswith("default-src 'none'"), address
            assert "unsafe" not in policy, address
            assert "*" not in policy, address
            assert answer.headers["x-content-type-options"] == "nosniff", address
            assert answer.headers["referrer-policy"] == "no-referrer", address
            assert "server" not in answer.headers, address
            if route not in FRAMED:
                assert "frame-ancestors 'none'" in policy, address
                assert answer.headers["x-frame-options"] == "DENY", address
            if route not in NO_DATA or answer.status_code != 200:
                assert answer.headers["cache-control"] == "no-store", address
    for who_else in ("admin", "sender", "auditor"):
        console.sign_in(who_else)


def test_no_page_has_a_script_or_a_style_in_it(console: Whole, mails: Mails) -> None:
    for who in ("", "admin", "sender", "approver", "auditor", "ordering-body"):
        for _, address in every_address(console, mails):
            page = console.ask("GET", address, who).text
            assert " style=" not in page, address
            assert "<style" not in page, address
            assert "javascript:" not in page, address
            assert " onclick" not in page, address
            assert not [tag for tag in page.split("<script")[1:] if not tag.startswith(" src=")], address


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8025", "127.0.0.1:8025@evil.example", ""])
def test_no_host_of_others_comes_back(console: Whole, mails: Mails, host: str) -> None:
    headers = {
        "host": host,
        "x-forwarded-host": "evil.example",
        "x-forwarded-proto": "gopher",
        "x-original-url": "/people",
        "x-rewrite-url": "/people",
        "forwarded": "host=evil.example",
    }
    for _, address in every_address(console, mails):
        for who in ("", "admin"):
            answer = console.ask("GET", address, who, headers=headers)
            assert "evil.example" not in answer.headers.get("location", ""), address
            if address != "//evil.example/":
                assert "evil.example" not in answer.text, address
            assert "gopher" not in answer.headers.get("location", ""), address


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "TRACE", "OPTIONS", "CONNECT", "PROPFIND"])
def test_other_methods_do_nothing(console: Whole, mails: Mails, method: str) -> None:
    before = console.events()
    for _, address in every_address(console, mails):
        for who in ("", "admin"):
            answer = console.ask(method, address, who)
            assert answer.status_code in (401, 403, 404, 405), address
            assert "access-control-allow-origin" not in answer.headers, address
    assert console.events() == before


@pytest.mark.parametrize("name", ["x-http-method-override", "x-method-override", "x-http-method"])
def test_a_get_is_never_taken_for_a_post(console: Whole, mails: Mails, name: str) -> None:
    before = console.events()
    for route in console.routes():
        if "POST" in (route.methods or set()):
            address = filled(route.path, queue_id=mails.sports, login="other")
            for query in ("", "?_method=POST", "?method=POST"):
                console.ask("GET", f"{address}{query}", "admin", headers={name: "POST"})
    assert console.events() == before
    assert console.states(mails.sports) == ["held"] * 3


def test_nobody_may_read_answers_from_another_site(console: Whole, mails: Mails) -> None:
    for _, address in every_address(console, mails):
        answer = console.ask("GET", address, "admin", headers={"origin": "https://evil.example"})
        assert "access-control-allow-origin" not in answer.headers, address
        assert answer.headers["cross-origin-resource-policy"] == "same-origin", address
