"""The pages of people: for administrators of the whole organisation, and what they cannot do by a slip."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

import pytest
from starlette.applications import Starlette

from gateway.people.contract import Grant, Person, Role, UnknownPerson
from gateway.people.signing_in import SignInRefused
from tests.console.people.conftest import Browser
from tests.people.conftest import BOSS, GOOD, HERE, House

ASKED = {"login": "bob", "name": "坊 主", "addresses": "bob@example.jp\r\ninfo@example.jp", "language": "ja"}


@pytest.fixture
async def root(app: Starlette, house: House) -> AsyncIterator[Browser]:
    await house.add("root", Grant(Role.ADMIN))
    made = Browser(app)
    await made.sign_in("root")
    yield made
    await made.client.aclose()


async def test_a_person_is_added_and_gets_in_with_the_password_shown(
    root: Browser, house: House, app: Starlette
) -> None:
    page = await root.get("/people/new")
    shown = await root.post(
        page, "/people/new", **ASKED, role=["sender", "approver"], **{"groups-sender": "sports, 文化"}
    )
    password = re.search(r"[a-z2-9]{4}(-[a-z2-9]{4}){4}", shown.text)
    assert password is not None
    bob = await house.people.get("bob")
    assert bob.grants == (Grant(Role.APPROVER), Grant(Role.SENDER, "sports"), Grant(Role.SENDER, "文化"))
    assert bob.addresses == ("bob@example.jp", "info@example.jp")
    assert password[0] not in (await root.get("/people/person?login=bob")).text
    browser = Browser(app)
    entered = await browser.sign_in("bob", password[0])
    assert (await browser.follow(entered)).headers["location"] == "/held"
    await browser.client.aclose()


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"login": "ROOT"}, "Somebody has this login already."),
        ({"addresses": "not an address"}, "no mail address"),
        ({"name": "x" * 101}, "at most 100 characters"),
        ({"role": []}, "Please choose at least one."),
    ],
)
async def test_what_is_wrong_with_a_form_stands_beside_the_field(
    root: Browser, changed: dict[str, str], said: str
) -> None:
    page = await root.get("/people/new")
    answer = await root.post(page, "/people/new", **{**ASKED, "role": ["sender"], **changed})
    assert answer.status_code == 422
    assert said in answer.text
    assert "info@example.jp" in answer.text or "addresses" in changed


async def test_a_group_that_the_policy_does_not_have_is_told(root: Browser, house: House) -> None:
    """It is kept all the same: the policy may get it tomorrow. The name of a group that is there may hold a space."""
    page = await root.get("/people/person?login=ANN")
    assert "The policy has no group" not in page.text
    changed = {"name": "Anna", "addresses": "", "language": "", "role": "sender"}
    named = {"groups-sender": "hals, 文化 会館、sports"}
    saved = await root.follow(await root.post(page, "/people/person/change", **changed, **named))
    assert "The policy has no group hals. Its groups: halls, sports, 文化 会館" in saved.text
    found = (await house.people.get("ann")).grants
    assert found == tuple(Grant(Role.SENDER, name) for name in ("hals", "sports", "文化 会館"))


async def test_a_person_is_changed_suspended_and_removed(root: Browser, house: House) -> None:
    page = await root.get("/people/person?login=ANN")
    changed = {"name": "Anna", "addresses": "", "language": "", "role": "auditor", "groups-auditor": ""}
    saved = await root.post(page, "/people/person/change", **changed)
    page = await root.follow(saved)
    assert "Saved." in page.text
    ann = await house.people.get("ann")
    assert (ann.name, ann.grants, ann.addresses) == ("Anna", (Grant(Role.AUDITOR),), ())
    page = await root.follow(await root.post(page, "/people/person/suspend"))
    assert (await house.people.get("ann")).suspended
    page = await root.follow(await root.post(page, "/people/person/resume"))
    assert not (await house.people.get("ann")).suspended
    kept = await root.post(page, "/people/person/remove", confirm="anna")
    assert "type the login" in kept.text
    await root.post(kept, "/people/person/remove", confirm="ANN")
    with pytest.raises(UnknownPerson):
        await house.people.get("ann")
    told = [event["actor_name"] for event in house.told() if '"removed"' in event["detail"]]
    assert told == ["root"]


async def test_a_new_password_ends_what_the_old_one_opened(root: Browser, house: House) -> None:
    page = await root.get("/people/person?login=ann")
    await root.post(page, "/people/person/password")
    with pytest.raises(SignInRefused, match="wrong"):
        await house.people.signing_in.with_password("ann", GOOD, HERE, house.now)


async def test_nobody_takes_the_ground_from_under_themselves(root: Browser, house: House) -> None:
    await house.add("second", Grant(Role.ADMIN))
    page = await root.get("/people/person?login=root")
    for verb, fields in (
        ("suspend", {}),
        ("remove", {"confirm": "root"}),
        ("change", {"name": "x", "role": "sender"}),
    ):
        answer = await root.post(page, f"/people/person/{verb}", **fields)
        assert answer.status_code == 422
        assert "to yourself" in answer.text
    assert Grant(Role.ADMIN) in (await house.people.get("root")).grants


@pytest.mark.parametrize("grant", [Grant(Role.ADMIN, "sports"), Grant(Role.SENDER), Grant(Role.AUDITOR)])
async def test_nobody_else_comes_here(app: Starlette, house: House, grant: Grant) -> None:
    await house.add("eve", grant)
    eve = Browser(app)
    await eve.sign_in("eve")
    seal = re.search(r'name="seal" value="([^"]+)"', (await eve.get("/me")).text)
    assert seal is not None
    for path in ("/people", "/people/new", "/people/person?login=ann"):
        assert (await eve.get(path)).status_code == 403
    fields = {"seal": seal[1], "login": "ann", "name": "x", "role": "admin", "confirm": "ann"}
    for path in (
        "/people/new",
        *(f"/people/person/{verb}" for verb in ("change", "suspend", "password", "remove")),
    ):
        assert (await eve.client.post(path, data=fields)).status_code == 403
    assert "/people" not in (await eve.get("/me")).text
    await eve.client.aclose()


async def test_the_list_is_searched_and_paged(root: Browser, house: House) -> None:
    for number in range(60):
        person = Person(f"p{number:02d}", f"<i>{number}", (), (Grant(Role.SENDER),))
        await house.people.add(person, BOSS, house.now)
    first = await root.get("/people?words=p")
    assert first.text.count('href="/people/person') == 50
    assert "<i>" not in first.text
    following = re.search(r'rel="next" href="([^"]+)"', first.text)
    assert following is not None
    rest = await root.get(following[1].replace("&amp;", "&"))
    assert rest.text.count('href="/people/person') == 10
    assert "Nobody was found." in (await root.get("/people?words=zzz")).text


async def test_logins_of_any_kind_have_a_page(root: Browser, house: House) -> None:
    login = "a/b?c&d=é <x>'\""
    await house.people.add(Person(login, "x", (), (Grant(Role.SENDER),)), BOSS, house.now)
    page = await root.get("/people?words=a/b")
    path = re.search(r'href="(/people/person[^"]+)"', page.text)
    assert path is not None
    one = await root.get(path[1])
    assert one.status_code == 200
    assert "<x>" not in one.text
    assert (await root.post(one, "/people/person/suspend")).status_code == 303
    assert (await house.people.get(login)).suspended
    assert (await root.get("/people/person?login=nobody")).status_code == 404
