"""Who may come to which route: the table stands here, the routes are read off the application, and each pair is tried.

A new route is missing in the table, a changed role differs from it: both fail. Routes without a gate stand in a list with the
reason why anybody may come there.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from gateway.console.gate import Gated
from gateway.people.contract import Role
from tests.console.whole import CITIZENS, NOBODY, OFFICE, Whole, filled, whole

ANYBODY = "sender approver admin auditor ordering-body"
SEEING = "sender approver admin"
READING = "sender approver admin auditor"
STOPPING = "sender admin"
COUNTING = "admin auditor ordering-body"
REPORTING = "admin ordering-body sender"
HANDLING = "admin ordering-body"

MATRIX = {
    "POST /sign-out": ANYBODY,
    "GET /approvals/absence": "approver",
    "POST /approvals/absence": "approver",
    "POST /approvals/absence/remove": "approver",
    "GET /approvals": "approver",
    "GET /approvals/many": "approver",
    "POST /approvals/many": "approver",
    "GET /held": SEEING,
    "POST /held/many": STOPPING,
    "POST /held/many/do": STOPPING,
    "GET /held/{queue_id}": SEEING,
    "GET /held/{queue_id}/text": READING,
    "POST /held/{queue_id}/text": READING,
    "GET /held/{queue_id}/html": READING,
    "POST /held/{queue_id}/approve": "approver",
    "POST /held/{queue_id}/reject": "approver",
    "POST /held/{queue_id}/cancel": STOPPING,
    "POST /held/{queue_id}/release": "sender",
    "POST /held/{queue_id}/confirm": "sender",
    "POST /held/{queue_id}/freeze": STOPPING,
    "POST /held/{queue_id}/thaw": STOPPING,
    "POST /held/{queue_id}/longer": STOPPING,
    "POST /held/{queue_id}/correct": STOPPING,
    "POST /held/{queue_id}/supply": "sender",
    "POST /held/{queue_id}/stop-keys": STOPPING,
    "POST /held/{queue_id}/key": "sender",
    "GET /held/{queue_id}/key": "sender",
    "POST /held/{queue_id}/lock": STOPPING,
    "POST /held/{queue_id}/unlock": "sender",
    "POST /held/{queue_id}/extend": "sender",
    "POST /held/{queue_id}/take-back": STOPPING,
    "GET /held/{queue_id}/take-back": STOPPING,
    "POST /held/{queue_id}/statement": STOPPING,
    "GET /held/{queue_id}/statement": STOPPING,
    "GET /log": COUNTING,
    "GET /log/export": COUNTING,
    "POST /log/export": COUNTING,
    "GET /log/verify": COUNTING,
    "POST /log/verify": COUNTING,
    "GET /log/{queue_id}": COUNTING,
    "GET /record": COUNTING,
    "GET /certificates": COUNTING,
    "POST /certificates": COUNTING,
    "GET /certificates/{number}": COUNTING,
    "GET /certificates/{number}/file": COUNTING,
    "GET /incidents": REPORTING,
    "GET /incidents/new": REPORTING,
    "POST /incidents/new": REPORTING,
    "GET /incidents/{queue_id}": REPORTING,
    "GET /incidents/{queue_id}/draft.docx": REPORTING,
    "POST /incidents/{queue_id}/note": REPORTING,
    "POST /incidents/{queue_id}/ask": REPORTING,
    "POST /incidents/{queue_id}/remind": REPORTING,
    "POST /incidents/{queue_id}/amend": HANDLING,
    "POST /incidents/{queue_id}/reported": HANDLING,
    "POST /incidents/{queue_id}/close": HANDLING,
    "POST /incidents/{queue_id}/reopen": HANDLING,
    "GET /me": ANYBODY,
    "GET /me/password": ANYBODY,
    "POST /me/password": ANYBODY,
    "GET /me/code": ANYBODY,
    "POST /me/code": ANYBODY,
    "POST /me/code/remove": ANYBODY,
    "POST /me/recovery-codes": ANYBODY,
    "POST /me/sign-out-everywhere": ANYBODY,
    "POST /me/language": ANYBODY,
    "POST /me/daily-letter": ANYBODY,
    "POST /me/tokens": ANYBODY,
    "POST /me/tokens/revoke": ANYBODY,
    "GET /people": "admin",
    "GET /people/new": "admin",
    "POST /people/new": "admin",
    "GET /people/person": "admin",
    "POST /people/person/change": "admin",
    "POST /people/person/password": "admin",
    "POST /people/person/second-factor": "admin",
    "POST /people/person/sign-out": "admin",
    "POST /people/person/suspend": "admin",
    "POST /people/person/resume": "admin",
    "POST /people/person/remove": "admin",
    "GET /figures": COUNTING,
    "GET /figures.csv": COUNTING,
}
"""Roles by method and path. Below /held, /log and the like, whose mail it is decides too: tests/console/security."""

PUBLIC = {
    "/": "says what this is, and leads who is signed in to their work",
    "/m/": "a capability: the sender's link (docs/decisions/0040)",
    "/a/": "a capability: an approver's link (0053)",
    "/c/": "a capability: a colleague's link (0087)",
    "/d/": "a capability: a recipient's link to files (0075)",
    "/i/": "a capability: to report a mail as misdirected (0093)",
    "/r/": "a capability: a wrong recipient's answer to a request to delete (0093)",
    "/n/": "a capability: to switch the daily letter off and on (0088)",
    "/sign-in": "nobody is signed in there yet",
    "/healthz": "says that the process lives, nothing else",
    "/readyz": "says which part does not work, in one word each",
    "/metrics": "counts; web.metrics_listen puts them elsewhere",
    "/static/": "the sheet and the scripts, the same for everybody",
}
"""Paths, or their beginnings, without a gate, and why."""

ADMITTED = frozenset({200, 303, 400, 404, 409, 415, 422})
"""Behind the gate: what the page makes of an empty form is its own."""


@pytest.fixture(scope="module")
def console(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Whole]:
    with whole(tmp_path_factory.mktemp("console")) as made:
        yield made


@pytest.fixture(scope="module")
def mail(console: Whole) -> str:
    return console.hand_in(OFFICE, CITIZENS)


def named(route: Gated) -> Iterator[str]:
    for method in sorted((route.methods or set()) - {"HEAD"}):
        yield f"{method} {route.path}"


def test_the_table_is_the_application(console: Whole) -> None:
    found = {name: " ".join(sorted(route.roles)) for route in console.gated() for name in named(route)}
    assert found == {name: " ".join(sorted(roles.split())) for name, roles in MATRIX.items()}


def test_whatever_has_no_gate_has_a_reason(console: Whole) -> None:
    bare = [route.path for route in console.routes() if not isinstance(route, Gated)]
    without = [path for path in bare if not any(_begins(path, known) for known in PUBLIC)]
    assert without == []
    assert not [known for known in PUBLIC if not any(_begins(path, known) for path in bare)], (
        "nothing is left over"
    )


def _begins(path: str, known: str) -> bool:
    return path == known or (known != "/" and path.startswith(known if known.endswith("/") else f"{known}/"))


@pytest.mark.parametrize("who", [role.value for role in Role])
@pytest.mark.parametrize("name", MATRIX)
def test_each_role_at_each_route(console: Whole, mail: str, name: str, who: str) -> None:
    method, _, path = name.partition(" ")
    address = filled(path, queue_id=mail)
    answer = console.ask("GET", address, who) if method == "GET" else console.post(address, who)
    if who in MATRIX[name].split():
        assert answer.status_code in ADMITTED, answer.text
        assert not answer.headers.get("location", "").startswith("/sign-in?next=")
    else:
        assert answer.status_code == 403
        assert "権限がありません" in answer.text or method == "POST"
    if path in ("/sign-out", "/me/sign-out-everywhere"):
        console.sign_in(who)


@pytest.mark.parametrize("name", MATRIX)
def test_nobody_comes_in_without_a_session(console: Whole, mail: str, name: str) -> None:
    method, _, path = name.partition(" ")
    before = console.events()
    for cookie in (NOBODY, "a-session-that-never-was", "x" * 600, '";drop'):
        headers = {"cookie": f"{console.cookie_name}={cookie}", "sec-fetch-site": "same-origin"}
        answer = console.ask(method, filled(path, queue_id=mail), headers=headers)
        if method == "GET":
            assert answer.status_code == 303
            assert answer.headers["location"].startswith("/sign-in?next=%2F")
        else:
            assert answer.status_code == 401
        assert SUBJECT_PART not in answer.text
    assert console.events() == before


SUBJECT_PART = "テニス教室"


def test_heads_ask_no_more_than_gets(console: Whole, mail: str) -> None:
    for route in console.gated():
        if "GET" not in (route.methods or set()):
            continue
        for who in (role.value for role in Role):
            got = console.ask("GET", filled(route.path, queue_id=mail), who)
            head = console.ask("HEAD", filled(route.path, queue_id=mail), who)
            assert (head.status_code, head.content) == (got.status_code, b""), route.path
