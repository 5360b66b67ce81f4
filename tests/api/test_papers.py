"""What an auditor takes along through the API, approvals and absences: who may, and what comes."""

from __future__ import annotations

import zipfile
from datetime import timedelta
from io import BytesIO

import httpx
import pytest

from gateway.people.contract import Grant, Role, TokenScope
from gateway.spool.lifecycle import Kind
from gateway.spool.sql import SqlSpool
from tests.api.asking import bearer, kind
from tests.api.known import KnownPeople
from tests.spool.mails import T0, mail

SPAN = {"since": (T0 - timedelta(days=1)).isoformat(), "until": (T0 + timedelta(days=1)).isoformat()}


@pytest.fixture
def auditor(people: KnownPeople) -> dict[str, str]:
    return bearer(people.token("auditor@example.jp", TokenScope.LOG_READ, grants=(Grant(Role.AUDITOR),)))


@pytest.fixture
def ward(people: KnownPeople) -> dict[str, str]:
    grants = (Grant(Role.ORDERING, "hall"),)
    return bearer(people.token("ward@example.jp", TokenScope.LOG_READ, grants=grants))


async def test_a_copy_is_within_the_scope_and_an_event(
    client: httpx.AsyncClient, shared: SqlSpool, auditor: dict[str, str], ward: dict[str, str]
) -> None:
    queue_id = await shared.accept(mail(held=1))
    whole = await client.post("/log/copy", headers=auditor, json={"form": "csv", **SPAN})
    assert (whole.status_code, whole.headers["content-type"]) == (200, "text/csv; charset=utf-8")
    assert queue_id in whole.text
    assert queue_id not in (await client.post("/log/copy", headers=ward, json={"form": "jsonl"})).text
    exported = (await client.get("/log", headers=auditor, params={"kind": Kind.EXPORTED.value})).json()
    assert {"auditor@example.jp", "ward@example.jp"} <= {each["actor_name"] for each in exported["items"]}


async def test_a_proof_is_for_those_who_read_the_whole_log(
    client: httpx.AsyncClient, shared: SqlSpool, auditor: dict[str, str], ward: dict[str, str]
) -> None:
    await shared.accept(mail(held=1))
    refused = await client.post("/log/proof", headers=ward, json=SPAN)
    assert (refused.status_code, kind(refused)) == (403, "role")
    taken = await client.post("/log/proof", headers=auditor, json=SPAN)
    assert taken.status_code == 200
    assert zipfile.ZipFile(BytesIO(taken.content)).testzip() is None


async def test_the_log_is_verified(
    client: httpx.AsyncClient, shared: SqlSpool, auditor: dict[str, str]
) -> None:
    await shared.accept(mail(held=1))
    told = (await client.post("/log/verify", headers=auditor)).json()
    assert (told["intact"], told["problem"]) == (True, "")
    assert told["checked"] > 0


async def test_records_and_certificates_belong_to_a_group(
    client: httpx.AsyncClient, shared: SqlSpool, auditor: dict[str, str], ward: dict[str, str]
) -> None:
    await shared.accept(mail(held=1))
    asked = {"month": "2026-04", "group": "hall"}
    assert (await client.get("/record", headers=ward, params=asked)).json()["figures"]["mails"] == 0
    for group in ("", "pool"):
        other = await client.get("/record", headers=ward, params={**asked, "group": group})
        assert (other.status_code, kind(other)) == (404, "unknown")
    made = await client.post("/certificates", headers=auditor, json=SPAN)
    assert made.status_code == 201
    number = made.json()["number"]
    assert "statement" in (await client.get(f"/certificates/{number}", headers=auditor)).json()
    assert (await client.get(f"/certificates/{number}", headers=ward)).status_code == 404
    assert (await client.get("/certificates", headers=ward)).json() == []


async def test_an_approver_says_when_they_are_away(client: httpx.AsyncClient, people: KnownPeople) -> None:
    head = bearer(people.token("boss@example.jp", TokenScope.APPROVE, grants=(Grant(Role.APPROVER),)))
    away = {"since": SPAN["since"], "until": SPAN["until"], "note": "休暇"}
    assert (await client.post("/me/absences", headers=head, json=away)).status_code == 201
    (told,) = (await client.get("/me/absences", headers=head)).json()
    assert told["note"] == "休暇"
    gone = await client.delete("/me/absences", headers=head, params={"since": SPAN["since"]})
    assert gone.status_code == 204
    assert (await client.get("/me/absences", headers=head)).json() == []
    backwards = {"since": SPAN["until"], "until": SPAN["since"]}
    assert (await client.post("/me/absences", headers=head, json=backwards)).status_code == 422
    assert (await client.get("/approvals", headers=head)).json() == {"items": [], "next": None}


async def test_links_and_keys_of_others_are_unknown(
    client: httpx.AsyncClient, shared: SqlSpool, people: KnownPeople
) -> None:
    queue_id = await shared.accept(mail(held=1))
    other = bearer(people.token("other@example.jp", TokenScope.HELD_ACT, grants=(Grant(Role.SENDER),)))
    own = bearer(people.token("clerk@sports.example.jp", TokenScope.HELD_ACT, grants=(Grant(Role.SENDER),)))
    calls = {
        "links/lock": {"recipients": [0]},
        "links/unlock": {"recipients": [0]},
        "links/extend": {"recipients": [0], "until": SPAN["until"]},
        "keys/stop": {"recipients": [0]},
        "keys/supply": {"recipients": [0], "way": "sender"},
    }
    for verb, body in calls.items():
        refused = await client.post(f"/mails/{queue_id}/{verb}", headers=other, json=body)
        assert (refused.status_code, kind(refused)) == (404, "unknown-mail"), verb
        assert (await client.post(f"/mails/{queue_id}/{verb}", headers=own, json=body)).json()["done"] == []
