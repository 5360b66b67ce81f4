"""Signing in through a real OpenID provider: both shapes of groups, keys that change, and answers that are not for us."""

from __future__ import annotations

import re
import shutil
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest
from starlette.applications import Starlette

from gateway.clock import utc_now
from gateway.config.sign_in_settings import Oidc
from gateway.console.app import create_app
from gateway.console.people.doors import People
from gateway.console.people.sign_in import CALLBACK
from gateway.links import Links
from gateway.people.contract import Grant, Person, Role
from gateway.people.oidc import discovery
from gateway.people.oidc.provider import Provider
from gateway.spool.sql import open_spool
from tests.console.conftest import ORIGIN, SECRET
from tests.console.people.conftest import Browser
from tests.interop.conftest import missing
from tests.peers import openid
from tests.peers.openid import NoProvider, OpenIdProvider, openid_provider
from tests.people.conftest import BOSS, GOOD, House
from tests.people.conftest import empty_state as empty_state
from tests.spool.conftest import MASTER

pytestmark = pytest.mark.interop

GUID = "5f6c3a1e-0d0b-4d8e-9a51-3f1f5d1f2c11"
ENTRA: dict[str, Any] = {
    "name": "安藤 花",
    "preferred_username": "Hana@city.example.jp",
    "oid": "0a0b",
    "email": "hana@city.example.jp",
    "groups": [GUID, "0e0e0e0e-0000-0000-0000-000000000000"],
}
KEYCLOAK: dict[str, Any] = {
    "name": "Ken",
    "preferred_username": "ken",
    "email": "ken@city.example.jp",
    "email_verified": False,
    "realm_access": {"roles": ["offline_access", "sekisho-audit"]},
}
ROLES = {GUID: ("sender@sports", "approver"), "sekisho-audit": ("auditor",)}


@pytest.fixture
def there(tmp_path: Path) -> Iterator[OpenIdProvider]:
    """A provider that tells everything in its ID token."""
    yield from running(tmp_path, in_token=True)


@pytest.fixture
def terse(tmp_path: Path) -> Iterator[OpenIdProvider]:
    """One whose ID token tells who it is and nothing else."""
    yield from running(tmp_path, in_token=False)


def running(folder: Path, *, in_token: bool) -> Iterator[OpenIdProvider]:
    try:
        with openid_provider(folder, f"{ORIGIN}{CALLBACK}", in_token=in_token) as found:
            yield found
    except NoProvider as why:
        missing(str(why))


@pytest.fixture
async def house(tmp_path: Path, empty_state: Path) -> AsyncIterator[House]:
    shutil.copytree(empty_state, tmp_path / "state")
    spool = open_spool(tmp_path / "state", MASTER, serve=True)
    made = House(spool)
    made.now = utc_now()
    yield made
    made.hashing.close()
    await spool.close()


class Visitor(Browser):
    """A browser that also goes to the provider."""

    def __init__(self, app: Starlette) -> None:
        super().__init__(app)
        self.there = httpx.AsyncClient()

    async def through(self, wanted: str = "") -> httpx.Response:
        """Sign in through the provider; return what the gateway answers in the end."""
        return await self.get(await self.answer_to(wanted))

    async def answer_to(self, wanted: str = "") -> str:
        """Return the address that the provider sends this browser back to."""
        go = await self.get(f"/sign-in/oidc?next={wanted}")
        assert go.status_code == 303, go.text
        answer = await self.there.get(go.headers["location"])
        while answer.status_code in (302, 303) and not answer.headers["location"].startswith(ORIGIN):
            answer = await self.there.get(httpx.URL(str(answer.url)).join(answer.headers["location"]))
        return str(answer.headers["location"]).removeprefix(ORIGIN)

    async def close(self) -> None:
        await self.there.aclose()
        await self.client.aclose()


def provider_of(there: OpenIdProvider, claim: str = "groups") -> Provider:
    settings = Oidc(
        issuer=there.issuer,
        client_id="sekisho",
        client_secret_file=Path("unread"),
        name="職員認証",
        scopes=("openid", "profile", "email", "groups"),
        groups_claim=claim,
        roles=ROLES,
    )
    return Provider(settings, lambda: openid.SECRET, f"{ORIGIN}{CALLBACK}")


def app_of(house: House, provider: Provider) -> Starlette:
    people = People(house.people, house.settings, provider)
    links = Links(SECRET, ORIGIN, timedelta(days=7))
    return create_app(house.spool, links, utc_now, ZoneInfo("Asia/Tokyo"), "mx.example.jp", people=people)


@pytest.fixture
async def provider(there: OpenIdProvider) -> AsyncIterator[Provider]:
    made = provider_of(there)
    yield made
    await made.close()


@pytest.fixture
async def visitor(house: House, provider: Provider) -> AsyncIterator[Visitor]:
    made = Visitor(app_of(house, provider))
    yield made
    await made.close()


async def test_groups_of_entra_id_become_roles_anew_each_time(
    visitor: Visitor, there: OpenIdProvider, house: House
) -> None:
    there.knows("hana", hana=ENTRA)
    assert "職員認証" in (await visitor.get("/sign-in")).text
    entered = await visitor.through("/held")
    assert entered.headers["location"] == "/held"
    hana = await house.people.get("hana@city.example.jp")
    assert hana.grants == (Grant(Role.APPROVER), Grant(Role.SENDER, "sports"))
    assert (hana.name, hana.addresses) == ("安藤 花", ("hana@city.example.jp",))
    session = await house.people.session(visitor.cookie, utc_now())
    assert session is not None
    assert session.duty is None

    there.knows("hana", hana={**ENTRA, "groups": [], "email": "h.ando@city.example.jp"})
    refused = await visitor.through()
    assert refused.status_code == 403
    assert "no task here yet" in refused.text
    hana = await house.people.get("hana@city.example.jp")
    assert (hana.grants, hana.addresses) == ((), ("h.ando@city.example.jp",))
    assert await house.people.sessions("hana@city.example.jp") == []
    told = [event["reason"] for event in house.told() if event["kind"] == "person"]
    assert told == ["by-provider", "by-provider"]


async def test_nested_roles_of_keycloak_and_an_address_nobody_checked(
    terse: OpenIdProvider, house: House
) -> None:
    terse.knows("ken", ken=KEYCLOAK)
    provider = provider_of(terse, "realm_access.roles")
    visitor = Visitor(app_of(house, provider))
    assert (await visitor.through()).headers["location"] == "/"
    ken = await house.people.get("ken")
    assert (ken.grants, ken.addresses) == ((Grant(Role.AUDITOR),), ())
    await visitor.close()
    await provider.close()


async def test_a_login_of_somebody_else_is_not_taken_over(
    visitor: Visitor, there: OpenIdProvider, house: House
) -> None:
    there.knows("hana", hana=ENTRA)
    await house.people.add(_hana(Role.ADMIN), BOSS, house.now)
    await house.people.own.set_password("hana@city.example.jp", GOOD, BOSS, house.now)
    refused = await visitor.through()
    assert "Somebody else has your login here." in refused.text
    assert (await house.people.get("hana@city.example.jp")).grants == (Grant(Role.ADMIN),)


async def test_who_was_added_without_a_password_is_waited_for_and_suspended_is_suspended(
    visitor: Visitor, there: OpenIdProvider, house: House
) -> None:
    there.knows("hana", hana=ENTRA, other={**ENTRA, "name": "Another"})
    await house.people.add(_hana(Role.SENDER), BOSS, house.now)
    assert (await visitor.through()).status_code == 303
    assert (await house.people.get("hana@city.example.jp")).addresses == (
        "info@city.example.jp",
        "hana@city.example.jp",
    )
    await house.people.suspend("hana@city.example.jp", BOSS, house.now)
    assert "You may not sign in at the moment." in (await visitor.through()).text
    there.knows("other", hana=ENTRA, other={**ENTRA, "name": "Another"})
    visitor.there.cookies.clear()
    assert "Somebody else has your login here." in (await visitor.through()).text


def _hana(role: Role) -> Person:
    return Person("hana@city.example.jp", "x", ("info@city.example.jp",), (Grant(role),))


async def test_keys_that_changed_are_fetched_again(
    visitor: Visitor, there: OpenIdProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    there.knows("hana", hana=ENTRA)
    assert (await visitor.through()).status_code == 303
    there.change_keys()
    visitor.there.cookies.clear()
    monkeypatch.setattr(discovery, "AGAIN_S", 0.0)
    assert (await visitor.through()).status_code == 303


async def test_answers_for_others_and_old_ones_are_worth_nothing(
    visitor: Visitor, there: OpenIdProvider, house: House, provider: Provider
) -> None:
    there.knows("hana", hana=ENTRA)
    answer = await visitor.answer_to()
    stranger = Visitor(app_of(house, provider))
    for query in (
        answer,
        re.sub("state=[^&]+", "state=x", answer),
        f"{CALLBACK}?error=access_denied",
        CALLBACK,
    ):
        refused = await stranger.get(query)
        assert refused.status_code == 403
        assert "Signing in did not work." in refused.text
    await stranger.get("/sign-in/oidc")
    assert (await stranger.get(answer)).status_code == 403  # of another browser's question
    assert stranger.cookie == ""
    assert (
        await visitor.get(re.sub("iss=[^&]+", "iss=https%3A%2F%2Fevil.example", answer))
    ).status_code == 403
    again = await visitor.answer_to()
    assert (await visitor.get(again)).status_code == 303
    visitor.client.cookies.delete("__Host-sekisho")
    assert (await visitor.get(again)).status_code == 403
    await stranger.close()
