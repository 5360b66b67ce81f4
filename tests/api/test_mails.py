"""Held mail and the log through the API: what somebody may see, what the verbs answer, and what stays unknown."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
import pytest
import sqlalchemy as sa

from gateway.api.doors import Doors
from gateway.audit.auditing import Auditing
from gateway.people.contract import Grant, Role, TokenScope
from gateway.spool.sql import SqlSpool
from gateway.store.call_tables import api_calls
from tests.api.asking import bearer, kind
from tests.api.conftest import client_of
from tests.api.known import KnownPeople
from tests.spool.mails import RAW, T0, mail

CLERK = "clerk@sports.example.jp"
MAIL_SCOPES = (TokenScope.HELD_READ, TokenScope.HELD_ACT, TokenScope.BODY_READ, TokenScope.APPROVE)


@pytest.fixture
def clerk(people: KnownPeople) -> dict[str, str]:
    return bearer(people.token(CLERK, *MAIL_SCOPES, grants=(Grant(Role.SENDER),)))


@pytest.fixture
def stranger(people: KnownPeople) -> dict[str, str]:
    return bearer(people.token("other@example.jp", *MAIL_SCOPES, grants=(Grant(Role.SENDER),)))


@pytest.fixture
def auditor(people: KnownPeople) -> dict[str, str]:
    scopes = (TokenScope.LOG_READ, TokenScope.BODY_READ, TokenScope.FIGURES_READ, TokenScope.HELD_READ)
    return bearer(people.token("auditor@example.jp", *scopes, grants=(Grant(Role.AUDITOR),)))


async def test_a_sender_sees_own_mail_and_nobody_elses(
    client: httpx.AsyncClient, shared: SqlSpool, clerk: dict[str, str], stranger: dict[str, str]
) -> None:
    queue_id = await shared.accept(mail(held=2, queued=1))
    page = (await client.get("/held", headers=clerk)).json()
    (line,) = [each for each in page["items"] if each["queue_id"] == queue_id]
    assert (line["held"], line["recipients"], line["outside"], line["waits"]) == (2, 3, 2, ["time"])
    one = (await client.get(f"/mails/{queue_id}", headers=clerk)).json()
    assert [row["state"] for row in one["recipients"]] == ["held", "held", "queued"]
    assert {"see", "read", "stop", "send"} <= set(one["acts"])
    assert (await client.get("/held", headers=stranger)).json()["items"] == []
    assert (await client.get(f"/mails/{queue_id}", headers=stranger)).status_code == 404


async def test_unknown_and_not_yours_are_one_answer(
    client: httpx.AsyncClient, shared: SqlSpool, stranger: dict[str, str]
) -> None:
    queue_id = await shared.accept(mail(held=1))
    verbs: dict[str, dict[str, Any]] = {
        "cancel": {},
        "release": {},
        "confirm": {},
        "freeze": {},
        "thaw": {},
        "extend": {"until": "2026-04-02T09:00:00+09:00"},
        "correct": {"recipient": 0, "meant": "a@example.com"},
        "approve": {},
        "reject": {"comment": "no"},
        "take-back": {},
        "read": {},
    }
    for verb, body in verbs.items():
        theirs = await client.post(f"/mails/{queue_id}/{verb}", headers=stranger, json=body)
        nobodys = await client.post(f"/mails/0NOSUCHMAIL/{verb}", headers=stranger, json=body)
        assert (theirs.status_code, kind(theirs)) == (404, "unknown-mail"), verb
        assert theirs.content == nobodys.content, verb
    assert [row.state for row in (await shared.get(queue_id)).recipients] == ["held"]


async def test_a_cancel_tells_the_truth_and_is_idempotent(
    client: httpx.AsyncClient, shared: SqlSpool, clerk: dict[str, str]
) -> None:
    queue_id = await shared.accept(mail(held=3))
    head = clerk | {"idempotency-key": "once"}
    some = {"recipients": [0, 2]}
    first = await client.post(f"/mails/{queue_id}/cancel", headers=head, json=some)
    assert first.json() == {"done": [0, 2], "not_done": [], "perhaps": []}
    again = await client.post(f"/mails/{queue_id}/cancel", headers=head, json=some)
    assert (again.json(), again.headers["idempotent-replayed"]) == (first.json(), "true")
    anew = await client.post(f"/mails/{queue_id}/cancel", headers=clerk, json={})
    assert anew.json()["done"] == [1]
    assert anew.json()["not_done"] == [{"recipient": n, "state": "cancelled"} for n in (0, 2)]


async def test_a_release_and_a_read(
    client: httpx.AsyncClient, shared: SqlSpool, clerk: dict[str, str]
) -> None:
    queue_id = await shared.accept(mail(held=1))
    read = await client.post(f"/mails/{queue_id}/read", headers=clerk, json={})
    assert (read.content, read.headers["content-type"]) == (RAW, "message/rfc822")
    assert read.headers["cache-control"] == "no-store"
    assert (await client.post(f"/mails/{queue_id}/release", headers=clerk, json={})).json()["done"] == [0]


async def test_the_octets_of_a_mail_are_kept_with_no_answer(
    client: httpx.AsyncClient, shared: SqlSpool, clerk: dict[str, str]
) -> None:
    """They would stand in the store in the clear, and outlive the key whose end a certificate of deletion tells of."""
    queue_id = await shared.accept(mail(held=1))
    head = clerk | {"idempotency-key": "read-once"}
    for _ in range(2):
        read = await client.post(f"/mails/{queue_id}/read", headers=head, json={})
        assert (read.content, read.headers["content-type"]) == (RAW, "message/rfc822")
        assert "idempotent-replayed" not in read.headers
    kept = await shared.database.readers.run(
        lambda queries: [body for (body,) in queries.connection.execute(sa.select(api_calls.c.body))]
    )
    assert not any(bytes(body or b"") == RAW for body in kept)


async def test_an_auditor_reads_for_a_reason_that_is_written_down(
    client: httpx.AsyncClient, shared: SqlSpool, auditor: dict[str, str]
) -> None:
    queue_id = await shared.accept(mail(held=1))
    without = await client.post(f"/mails/{queue_id}/read", headers=auditor, json={})
    assert (without.status_code, kind(without)) == (422, "reason")
    reason = {"because": "照会 第12号"}
    assert (await client.post(f"/mails/{queue_id}/read", headers=auditor, json=reason)).content == RAW
    story = (await client.get(f"/log/{queue_id}", headers=auditor)).json()
    assert "照会 第12号" in [each["detail"].get("because") for each in story["items"]]
    refused = await client.get(f"/mails/{queue_id}", headers=auditor)
    assert (refused.status_code, kind(refused)) == (403, "act")


async def test_the_log_is_read_by_those_who_may(
    client: httpx.AsyncClient,
    shared: SqlSpool,
    people: KnownPeople,
    auditor: dict[str, str],
    clerk: dict[str, str],
) -> None:
    queue_id = await shared.accept(mail(held=1, subject="体育館の抽選結果"))
    found = (await client.get("/log", headers=auditor, params={"subject": "抽選結果"})).json()
    assert [each["queue_id"] for each in found["items"]] == [queue_id]
    assert (await client.get("/log", headers=clerk)).status_code == 403
    ward = people.token("ward@example.jp", TokenScope.LOG_READ, grants=(Grant(Role.ORDERING, "hall"),))
    assert (await client.get("/log", headers=bearer(ward))).json()["items"] == []
    assert (await client.get(f"/log/{queue_id}", headers=bearer(ward))).status_code == 404


async def test_an_ordering_body_reads_subjects_where_the_settings_say_so(
    doors: Doors, shared: SqlSpool, people: KnownPeople
) -> None:
    new = mail(held=1, subject="体育館の抽選結果")
    queue_id = await shared.accept(replace(new, groups=("hall",)))
    token = people.token("ward@example.jp", TokenScope.LOG_READ, grants=(Grant(Role.ORDERING, "hall"),))
    for sees in (True, False):
        auditing = Auditing(shared.database, lambda: T0, subjects_for_ordering=sees)
        async with client_of(replace(doors, auditing=auditing)) as client:
            found = await client.get("/log", headers=bearer(token), params={"subject": "抽選"})
            story = await client.get(f"/log/{queue_id}", headers=bearer(token))
        assert queue_id in [each["queue_id"] for each in found.json()["items"]]
        assert ("抽選" in found.text, "抽選" in story.text) == (sees, sees)


async def test_figures_count(client: httpx.AsyncClient, shared: SqlSpool, auditor: dict[str, str]) -> None:
    await shared.accept(mail(held=1))
    day = {"first": "2026-04-01", "last": "2026-04-01"}
    (told,) = (await client.get("/figures", headers=auditor, params=day)).json()
    assert told["mails"] >= told["held"] >= 1
    for wrong in (
        {"first": "2026-04-02", "last": "2026-04-01"},
        {"first": "2020-01-01", "last": "2026-04-01"},
    ):
        assert (await client.get("/figures", headers=auditor, params=wrong)).status_code == 422


@pytest.mark.parametrize(
    ("path", "params"),
    [
        ("/held", {"after": "garbage"}),
        ("/held", {"limit": "0"}),
        ("/held", {"limit": "100000"}),
        ("/held", {"since": "2026-04-01T00:00:00"}),
        ("/held", {"order": "size"}),
        ("/held", {"words": "x" * 500}),
    ],
)
async def test_what_a_list_does_not_know(
    client: httpx.AsyncClient, clerk: dict[str, str], path: str, params: dict[str, str]
) -> None:
    response = await client.get(path, headers=clerk, params=params)
    assert (response.status_code, kind(response)) == (422, "invalid")


async def test_a_mail_is_frozen_and_thawed(
    client: httpx.AsyncClient, shared: SqlSpool, clerk: dict[str, str]
) -> None:
    queue_id = await shared.accept(mail(held=2))
    frozen = await client.post(f"/mails/{queue_id}/freeze", headers=clerk, json={"because": "確認中"})
    assert frozen.json()["done"] == [0, 1]
    await shared.release_due(T0 + timedelta(hours=1), 100)
    assert [row.state for row in (await shared.get(queue_id)).recipients] == ["held", "held"]
    assert (await client.post(f"/mails/{queue_id}/thaw", headers=clerk)).json()["done"] == [0, 1]


async def test_a_mail_waits_longer_and_a_recipient_is_corrected(
    client: httpx.AsyncClient, shared: SqlSpool, clerk: dict[str, str]
) -> None:
    queue_id = await shared.accept(mail(held=2))
    until = (T0 + timedelta(hours=2)).isoformat()
    longer = await client.post(f"/mails/{queue_id}/extend", headers=clerk, json={"until": until})
    assert longer.json()["done"] == [0, 1]
    wrong = {"recipient": 1, "meant": "nobody at all"}
    assert (await client.post(f"/mails/{queue_id}/correct", headers=clerk, json=wrong)).status_code == 422
    right = {"recipient": 1, "meant": "sato@example.com"}
    assert (await client.post(f"/mails/{queue_id}/correct", headers=clerk, json=right)).json()["done"] == [1]
    assert [row.state for row in (await shared.get(queue_id)).recipients] == ["held", "cancelled"]


async def test_many_are_cancelled_when_the_count_is_right(
    client: httpx.AsyncClient, shared: SqlSpool, clerk: dict[str, str]
) -> None:
    ids = [
        await shared.accept(mail(held=2, subject="一斉 0413", at=T0 - timedelta(minutes=1))) for _ in range(3)
    ]
    wish = {"verb": "cancel", "question": {"words": "一斉 0413"}}
    seen = (await client.post("/held/preview", headers=clerk, json=wish)).json()
    assert (seen["mails"], seen["recipients"], seen["cannot"]) == (3, 6, 0)
    assert seen["wish"]["question"]["until"] is not None
    wrong = await client.post("/held/perform", headers=clerk, json={"wish": seen["wish"], "count": 2})
    assert (wrong.status_code, kind(wrong), wrong.json()["now"]) == (409, "count", 3)
    done = (await client.post("/held/perform", headers=clerk, json={"wish": seen["wish"], "count": 3})).json()
    assert (done["mails"], done["recipients"], done["nothing"], done["after"]) == (3, 6, [], None)
    for queue_id in ids:
        assert {row.state for row in (await shared.get(queue_id)).recipients} == {"cancelled"}


async def test_a_bulk_verb_reaches_no_mail_of_others(
    client: httpx.AsyncClient, shared: SqlSpool, stranger: dict[str, str]
) -> None:
    queue_id = await shared.accept(mail(held=1))
    for wish in ({"verb": "cancel", "queue_ids": [queue_id]}, {"verb": "cancel", "question": {}}):
        seen = (await client.post("/held/preview", headers=stranger, json=wish)).json()
        assert seen["mails"] == 0
        await client.post("/held/perform", headers=stranger, json={"wish": seen["wish"], "count": 0})
    assert [row.state for row in (await shared.get(queue_id)).recipients] == ["held"]


@pytest.mark.parametrize(
    "wish",
    [
        {"verb": "cancel"},
        {"verb": "cancel", "queue_ids": ["A"], "question": {}},
        {"verb": "extend", "queue_ids": ["A"]},
        {"verb": "delete", "queue_ids": ["A"]},
        {"verb": "cancel", "question": {"until": "2026-04-01T00:00:00"}},
    ],
)
async def test_a_wish_that_is_none(
    client: httpx.AsyncClient, clerk: dict[str, str], wish: dict[str, Any]
) -> None:
    response = await client.post("/held/preview", headers=clerk, json=wish)
    assert (response.status_code, kind(response)) == (422, "invalid")


async def test_deciding_on_many_needs_the_scope_for_it(
    client: httpx.AsyncClient, people: KnownPeople
) -> None:
    token = people.token("boss@example.jp", TokenScope.HELD_ACT, grants=(Grant(Role.APPROVER),))
    response = await client.post(
        "/held/preview", headers=bearer(token), json={"verb": "approve", "question": {}}
    )
    assert (response.status_code, kind(response)) == (403, "scope")
