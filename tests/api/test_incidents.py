"""Incidents through the API: one press, who may do what, and what stays unknown."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import httpx
import pytest

from gateway.people.contract import Grant, Role, TokenScope
from gateway.spool.sql import SqlSpool
from tests.api.asking import bearer, kind
from tests.api.known import KnownPeople
from tests.spool.mails import mail

CLERK = "clerk@sports.example.jp"
TOLD: dict[str, Any] = {
    "what": "wrong-recipients",
    "wrong": [1],
    "data": ["name", "mail-address"],
    "persons": 120,
    "known_at": "2026-04-01T18:00:00+09:00",
    "description": "名簿の行がずれていました",
}


@pytest.fixture
def clerk(people: KnownPeople) -> dict[str, str]:
    return bearer(people.token(CLERK, TokenScope.INCIDENT, grants=(Grant(Role.SENDER),)))


@pytest.fixture
def admin(people: KnownPeople) -> dict[str, str]:
    return bearer(people.token("admin@example.jp", TokenScope.INCIDENT, grants=(Grant(Role.ADMIN),)))


async def test_one_press_stops_what_can_be_stopped(
    client: httpx.AsyncClient, shared: SqlSpool, clerk: dict[str, str], admin: dict[str, str]
) -> None:
    queue_id = await shared.accept(mail(held=3))
    opened = await client.post("/incidents", headers=clerk, json={**TOLD, "queue_id": queue_id})
    value = opened.json()
    assert (opened.status_code, value["open"], value["taken_back"]["stopped"]) == (201, True, [1])
    assert value["clocks"], "120 persons of a local government have to be reported"
    assert [row.state for row in (await shared.get(queue_id)).recipients] == ["held", "cancelled", "held"]
    again = await client.post("/incidents", headers=admin, json={**TOLD, "wrong": [0], "queue_id": queue_id})
    assert again.json()["wrong"] == [1]
    listed = (await client.get("/incidents", headers=clerk)).json()["items"]
    assert queue_id in [each["queue_id"] for each in listed]


async def test_handling_is_for_those_who_handle(
    client: httpx.AsyncClient, shared: SqlSpool, clerk: dict[str, str], admin: dict[str, str]
) -> None:
    queue_id = await shared.accept(mail(held=2))
    await client.post("/incidents", headers=clerk, json={**TOLD, "queue_id": queue_id})
    noted = await client.post(f"/incidents/{queue_id}/note", headers=clerk, json={"text": "電話で伝えました"})
    assert noted.json()["notes"][-1]["text"] == "電話で伝えました"
    why = {"text": "全員の削除を確認"}
    refused = await client.post(f"/incidents/{queue_id}/close", headers=clerk, json=why)
    assert (refused.status_code, kind(refused)) == (403, "act")
    handed_in = await client.post(
        f"/incidents/{queue_id}/reported", headers=admin, json={"report": "preliminary"}
    )
    assert [each["handed_in_at"] is not None for each in handed_in.json()["clocks"]] == [True, False]
    assert (await client.post(f"/incidents/{queue_id}/close", headers=admin, json=why)).json()[
        "open"
    ] is False
    late = await client.post(f"/incidents/{queue_id}/close", headers=admin, json=why)
    assert (late.status_code, kind(late), late.json()["why"]) == (409, "incident", "closed")


async def test_a_stranger_cannot_tell_what_there_is(
    client: httpx.AsyncClient, shared: SqlSpool, people: KnownPeople, clerk: dict[str, str]
) -> None:
    queue_id = await shared.accept(mail(held=2))
    await client.post("/incidents", headers=clerk, json={**TOLD, "queue_id": queue_id})
    other = bearer(people.token("other@example.jp", TokenScope.INCIDENT, grants=(Grant(Role.SENDER),)))
    assert (await client.get("/incidents", headers=other)).json()["items"] == []
    for name in (queue_id, "0NOSUCHMAIL"):
        told = await client.get(f"/incidents/{name}", headers=other)
        assert (told.status_code, kind(told)) == (404, "unknown-incident")
        for wrong in ([0], [77]):
            said = {**TOLD, "wrong": wrong, "queue_id": name}
            response = await client.post("/incidents", headers=other, json=said)
            assert (response.status_code, kind(response)) == (404, "unknown-mail")


@pytest.mark.parametrize(
    "change",
    [{"wrong": [7]}, {"known_at": "2026-04-01T18:00:00"}, {"persons": -1}, {"what": "oops"}, {"extra": 1}],
)
async def test_what_is_wrong_is_refused(
    client: httpx.AsyncClient, shared: SqlSpool, clerk: dict[str, str], change: dict[str, Any]
) -> None:
    queue_id = await shared.accept(mail(held=2))
    response = await client.post("/incidents", headers=clerk, json={**TOLD, "queue_id": queue_id, **change})
    assert (response.status_code, kind(response)) == (422, "invalid")
    assert [row.state for row in (await shared.get(queue_id)).recipients] == ["held", "held"]


@pytest.mark.parametrize(
    "change",
    [
        {"wrong": [77]},
        {"known_at": "9999-12-31T23:59:59+09:00"},
        {"known_at": "2027-04-01T18:00:00+09:00"},
        {"known_at": "0001-01-01T00:00:00+09:00"},
    ],
)
async def test_a_correction_is_looked_at_as_the_first_word(
    client: httpx.AsyncClient, shared: SqlSpool, admin: dict[str, str], change: dict[str, Any]
) -> None:
    """No clock of the law runs from tomorrow, and nobody is named whom the mail does not have."""
    queue_id = await shared.accept(mail(held=2))
    first = await client.post("/incidents", headers=admin, json={**TOLD, **change, "queue_id": queue_id})
    assert (first.status_code, kind(first)) == (422, "invalid")
    assert (
        await client.post("/incidents", headers=admin, json={**TOLD, "queue_id": queue_id})
    ).status_code == 201
    later = await client.put(f"/incidents/{queue_id}", headers=admin, json={**TOLD, **change})
    assert (later.status_code, kind(later)) == (422, "invalid")
    kept = (await client.get(f"/incidents/{queue_id}", headers=admin)).json()
    assert (kept["wrong"], kept["clocks"] != []) == ([1], True)


async def test_a_letter_of_our_own_is_no_mail_to_report(
    client: httpx.AsyncClient, shared: SqlSpool, admin: dict[str, str]
) -> None:
    own = await shared.accept(replace(mail(held=1), from_gateway=True))
    response = await client.post("/incidents", headers=admin, json={**TOLD, "wrong": [], "queue_id": own})
    assert (response.status_code, kind(response)) == (404, "unknown-mail")
