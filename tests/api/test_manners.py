"""How the API treats every client: tokens, scopes, problems, bounds, idempotency. Through the application, as mounted."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import httpx
import pytest

from gateway.api.app import MAX_BODY
from gateway.people.contract import Grant, Role, TokenScope
from tests.api.asking import bearer, kind
from tests.api.known import KnownPeople

BOTH = (TokenScope.PEOPLE_READ, TokenScope.PEOPLE_WRITE)
NEW = {"login": "clerk@example.jp", "name": "佐藤", "roles": [{"role": "sender"}]}


@pytest.mark.parametrize(
    "given", [None, "", "Basic YTpi", "Bearer", "Bearer sek_unknown", "Bearer " + "x" * 4000]
)
async def test_without_a_good_token_nobody_gets_in(client: httpx.AsyncClient, given: str | None) -> None:
    headers = {} if given is None else {"authorization": given}
    for path in ("/me", "/people", "/people/a@example.jp"):
        response = await client.get(path, headers=headers)
        assert (response.status_code, kind(response)) == (401, "token")
        assert response.headers["www-authenticate"].startswith("Bearer ")


async def test_a_token_in_the_address_is_none(client: httpx.AsyncClient, people: KnownPeople) -> None:
    """It would stand in the logs of every proxy (RFC 6750 5.3)."""
    text = people.token("admin@example.jp", *BOTH)
    assert (await client.get(f"/people?access_token={text}")).status_code == 401


async def test_scopes_bound_what_a_token_is_for(client: httpx.AsyncClient, people: KnownPeople) -> None:
    text = people.token("admin@example.jp", TokenScope.PEOPLE_READ)
    assert (await client.get("/people", headers=bearer(text))).status_code == 200
    refused = await client.post("/people", headers=bearer(text), json=NEW)
    assert (refused.status_code, kind(refused)) == (403, "scope")
    assert 'scope="people:write"' in refused.headers["www-authenticate"]


@pytest.mark.parametrize("grant", [Grant(Role.SENDER), Grant(Role.AUDITOR), Grant(Role.ADMIN, "hall")])
async def test_a_scope_gives_nobody_a_role(
    client: httpx.AsyncClient, people: KnownPeople, grant: Grant
) -> None:
    text = people.token("clerk@example.jp", *BOTH, grants=(grant,))
    for response in (
        await client.get("/people", headers=bearer(text)),
        await client.post("/people", headers=bearer(text), json={**NEW, "login": "x"}),
        await client.delete("/people/clerk@example.jp", headers=bearer(text)),
    ):
        assert (response.status_code, kind(response)) == (403, "role")
    assert people.acts == []


async def test_a_token_tells_whose_it_is(client: httpx.AsyncClient, people: KnownPeople) -> None:
    text = people.token("clerk@example.jp", TokenScope.HELD_READ, grants=(Grant(Role.SENDER),))
    value = (await client.get("/me", headers=bearer(text))).json()
    assert (value["person"]["login"], value["scopes"]) == ("clerk@example.jp", ["held:read"])


async def test_what_is_wrong_is_named_and_not_repeated(
    client: httpx.AsyncClient, people: KnownPeople
) -> None:
    text = people.token("admin@example.jp", *BOTH)
    wrong = {"login": "a", "name": "", "rolls": "hunter2"}
    response = await client.post("/people", headers=bearer(text), json=wrong)
    assert (response.status_code, kind(response)) == (422, "invalid")
    assert {each["where"] for each in response.json()["errors"]} == {"body/name", "body/rolls"}
    assert "hunter2" not in response.text


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/nothing", 404), ("DELETE", "/people", 405), ("GET", "/people/", 404)],
)
async def test_unknown_ways_are_problems_too(
    client: httpx.AsyncClient, people: KnownPeople, method: str, path: str, status: int
) -> None:
    response = await client.request(method, path, headers=bearer(people.token("admin@example.jp", *BOTH)))
    assert response.status_code == status
    kind(response)


async def test_a_body_without_end_is_cut(client: httpx.AsyncClient, people: KnownPeople) -> None:
    text = people.token("admin@example.jp", *BOTH)

    async def endless() -> AsyncIterator[bytes]:
        for _ in range(MAX_BODY // 65536 + 1):
            yield b"x" * 65536

    response = await client.post("/people", headers=bearer(text), content=endless())
    assert (response.status_code, kind(response)) == (413, "too-large")


async def test_people_are_kept(client: httpx.AsyncClient, people: KnownPeople) -> None:
    head = bearer(people.token("admin@example.jp", *BOTH))
    made = await client.post("/people", headers=head, json=NEW)
    assert (made.status_code, made.json()["roles"]) == (201, [{"role": "sender", "group": ""}])
    again = await client.post("/people", headers=head, json=NEW)
    assert (again.status_code, kind(again), again.json()["why"]) == (409, "person", "exists")
    changed = {**NEW, "roles": [{"role": "approver", "group": "hall"}]}
    assert (await client.put("/people/clerk@example.jp", headers=head, json=changed)).status_code == 200
    assert (await client.put("/people/other@example.jp", headers=head, json=changed)).status_code == 422
    assert (await client.post("/people/clerk@example.jp/suspend", headers=head)).json()["suspended"] is True
    assert (await client.post("/people/clerk@example.jp/resume", headers=head)).json()["suspended"] is False
    assert (await client.delete("/people/clerk@example.jp", headers=head)).status_code == 204
    gone = await client.get("/people/clerk@example.jp", headers=head)
    assert (gone.status_code, kind(gone)) == (404, "unknown-person")
    assert {by for _, _, by in people.acts} == {"admin@example.jp"}


async def test_lists_are_paged(client: httpx.AsyncClient, people: KnownPeople) -> None:
    head = bearer(people.token("admin@example.jp", *BOTH))
    for number in range(7):
        people.token(f"p{number}@example.jp")
    logins, after = [], ""
    while True:
        page = (await client.get("/people", headers=head, params={"limit": 3, "after": after})).json()
        assert len(page["items"]) <= 3
        logins += [each["login"] for each in page["items"]]
        if page["next"] is None:
            break
        after = page["next"]
    assert logins == sorted(people.people)


async def test_the_same_key_does_it_once(client: httpx.AsyncClient, people: KnownPeople) -> None:
    head = bearer(people.token("admin@example.jp", *BOTH), idempotency_key="5c5e-1")
    first = await client.post("/people", headers=head, json=NEW)
    again = await client.post("/people", headers=head, json=NEW)
    assert (first.status_code, again.status_code) == (201, 201)
    assert (again.content, again.headers["idempotent-replayed"]) == (first.content, "true")
    assert len(people.acts) == 1


async def test_an_answer_that_refuses_is_kept_as_well(client: httpx.AsyncClient, people: KnownPeople) -> None:
    head = bearer(people.token("admin@example.jp", *BOTH), idempotency_key="k")
    people.people["clerk@example.jp"] = people.people["admin@example.jp"]
    first = await client.post("/people", headers=head, json=NEW)
    del people.people["clerk@example.jp"]
    again = await client.post("/people", headers=head, json=NEW)
    assert (first.status_code, again.status_code, kind(again)) == (409, 409, "person")


async def test_a_key_is_good_for_one_call(client: httpx.AsyncClient, people: KnownPeople) -> None:
    head = bearer(people.token("admin@example.jp", *BOTH), idempotency_key="k")
    await client.post("/people", headers=head, json=NEW)
    other = await client.post("/people", headers=head, json={**NEW, "login": "other@example.jp"})
    assert (other.status_code, kind(other)) == (422, "idempotency-key")
    elsewhere = await client.post("/people/clerk@example.jp/suspend", headers=head)
    assert (elsewhere.status_code, kind(elsewhere)) == (422, "idempotency-key")


@pytest.mark.parametrize("key", ["", "x" * 200, "a\x7fb"])
async def test_a_key_that_is_none(client: httpx.AsyncClient, people: KnownPeople, key: str) -> None:
    head = bearer(people.token("admin@example.jp", *BOTH), idempotency_key=key)
    response = await client.post("/people", headers=head, json=NEW)
    assert (response.status_code, kind(response)) == (400, "idempotency-key")
    assert people.acts == []


async def test_a_key_without_a_token_is_kept_for_nobody(
    client: httpx.AsyncClient, people: KnownPeople
) -> None:
    response = await client.post("/people", headers=bearer("sek_none", idempotency_key="k"), json=NEW)
    assert response.status_code == 401
    head = bearer(people.token("admin@example.jp", *BOTH), idempotency_key="k")
    assert (await client.post("/people", headers=head, json=NEW)).status_code == 201


async def test_an_error_of_ours_says_nothing_and_may_be_tried_again(
    client: httpx.AsyncClient, people: KnownPeople, monkeypatch: pytest.MonkeyPatch
) -> None:
    head = bearer(people.token("admin@example.jp", *BOTH), idempotency_key="k")
    with monkeypatch.context() as broken:
        broken.setattr(people, "add", _fails)
        response = await client.post("/people", headers=head, json=NEW)
    assert (response.status_code, kind(response)) == (500, "error")
    assert "secret cause" not in response.text
    assert (await client.post("/people", headers=head, json=NEW)).status_code == 201


async def _fails(*_: object) -> None:
    raise RuntimeError("secret cause")


@pytest.fixture(autouse=True)
def _no_log(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    yield
    assert "sek_" not in caplog.text


async def test_the_document_names_everything(client: httpx.AsyncClient) -> None:
    document = (await client.get("/openapi.json")).json()
    assert document["openapi"].startswith("3.1")
    for path, verbs in document["paths"].items():
        for method, operation in verbs.items():
            assert operation["description"], (method, path)
            assert {"401", "403", "422", "503"} <= set(operation["responses"]), (method, path)
            assert operation["security"], (method, path)
