"""The pages of people, for administrators of the whole organisation: who signs in here, and what they may do.

An administrator of one group has no business here: whoever grants roles could grant themselves all of them. Nobody suspends,
removes or demotes themselves by a slip, and the last administrator stays one (gateway/people/registry.py).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from urllib.parse import urlencode

from starlette.responses import Response
from starlette.routing import BaseRoute

from gateway.console.gate import Gated, Handler, Visit
from gateway.console.pages import Failure
from gateway.console.people.doors import Doors
from gateway.console.people.persons_view import (
    PAGE,
    Form,
    form_of,
    list_rows,
    person_in,
    person_path,
    person_values,
    role_fields,
)
from gateway.console.people.words import refused
from gateway.languages import Words
from gateway.people.checking import MAX_LOGIN
from gateway.people.contract import Grant, PersonRefused, Role, UnknownPerson
from gateway.people.passwords import Overloaded
from gateway.spool.values import Actor

ADMIN = frozenset({Role.ADMIN})
MAX_WORDS = 100  # characters of a search
MAX_PERSON = 64 << 10  # octets: 50 addresses and 100 groups
FIELDS = {"last-admin": "grant", "exists": "login"}
"""Beside which field an error stands, where its name is not the field's."""


class PersonPages:
    """The pages below /people."""

    def __init__(self, doors: Doors) -> None:
        self._doors = doors
        self._site = doors.site
        self._people = doors.people.verbs

    def routes(self) -> list[BaseRoute]:
        """Return the routes."""
        acts: dict[str, Handler] = {
            "change": self.change,
            "password": self.password,
            "second-factor": self.drop_factor,
            "sign-out": self.sign_out,
            "suspend": self.suspend,
            "resume": self.resume,
            "remove": self.remove,
        }
        return [
            self._route("/people", self.show),
            self._route("/people/new", self.ask),
            self._route("/people/new", self.add, "POST"),
            self._route("/people/person", self.one),
            *(self._route(f"/people/person/{verb}", act, "POST") for verb, act in acts.items()),
        ]

    def _route(self, path: str, handler: Handler, method: str = "GET") -> Gated:
        async def checked(visit: Visit) -> Response:
            if Grant(Role.ADMIN) not in visit.person.grants:
                raise Failure(403)
            return await handler(visit)

        return Gated(path, checked, self._site.gate, ADMIN, methods=(method,), most=MAX_PERSON)

    async def show(self, visit: Visit) -> Response:
        """GET /people: a page of the list."""
        query = visit.request.query_params
        words, after = query.get("words", "")[:MAX_WORDS], query.get("after", "")[:MAX_LOGIN]
        found = list(await self._people.find(words, PAGE + 1, after))
        more, found = len(found) > PAGE, found[:PAGE]
        asked = {"words": words} if words else {}
        path = f"{self._site.desk.links.base_path}/people"
        values = {
            "words": words,
            "rows": list_rows(found, self._words(visit)),
            "next": f"{path}?{urlencode({**asked, 'after': found[-1].login.casefold()})}" if more else "",
            "first": (f"{path}?{urlencode(asked)}" if asked else path) if after else "",
            "done": query.get("done", ""),
        }
        return self._site.page(visit, "people.html", values, here="/people")

    async def ask(self, visit: Visit) -> Response:
        """GET /people/new."""
        return self._form_page(visit, Form(), {})

    async def add(self, visit: Visit) -> Response:
        """POST /people/new: add a person, and make a password for the first sign-in."""
        given = form_of(visit.fields)
        try:
            await self._people.add(person_in(given), self._me(visit), self._now)
        except PersonRefused as no:
            return self._form_page(visit, given, self._errors(visit, no.why), 422)
        if given.elsewhere and self._doors.provider_name:
            return self._to_person(visit, given.login, "changed")
        return await self._password_page(visit, given.login)

    async def one(self, visit: Visit) -> Response:
        """GET /people/person?login=…"""
        return await self._person_page(visit, visit.request.query_params.get("login", ""), {})

    async def change(self, visit: Visit) -> Response:
        """POST: name, mailboxes, tasks, language. Nobody takes the administrator's task from themselves."""
        given = form_of(visit.fields)
        try:
            wanted = person_in(given)
            if self._is_oneself(visit, given.login) and Grant(Role.ADMIN) not in wanted.grants:
                raise PersonRefused("oneself")
            await self._people.change(wanted, self._me(visit), self._now)
        except PersonRefused as no:
            return await self._person_page(visit, given.login, self._errors(visit, no.why))
        except UnknownPerson:
            raise Failure(404) from None
        return self._to_person(visit, given.login, "changed")

    async def password(self, visit: Visit) -> Response:
        """POST: a password for the first sign-in, shown once."""
        return await self._password_page(visit, self._login(visit))

    async def drop_factor(self, visit: Visit) -> Response:
        """POST: forget the second factor."""
        return await self._act(visit, self._people.own.drop_totp, "second-factor")

    async def sign_out(self, visit: Visit) -> Response:
        """POST: end all sessions."""
        return await self._act(visit, self._people.sign_out_everywhere, "sign-out")

    async def suspend(self, visit: Visit) -> Response:
        """POST: stop a person; not oneself."""
        if self._is_oneself(visit, self._login(visit)):
            return await self._person_page(visit, self._login(visit), self._errors(visit, "oneself"))
        return await self._act(visit, self._people.suspend, "suspended")

    async def resume(self, visit: Visit) -> Response:
        """POST: let a person in again."""
        return await self._act(visit, self._people.resume, "resumed")

    async def remove(self, visit: Visit) -> Response:
        """POST: forget a person, whose login has been typed."""
        login = self._login(visit)
        typed = dict(visit.fields).get("confirm", "").strip()
        why = "oneself" if self._is_oneself(visit, login) else ""
        why = why or ("confirm" if typed.casefold() != login.casefold() else "")
        if why:
            return await self._person_page(visit, login, self._errors(visit, why))
        try:
            await self._people.remove(login, self._me(visit), self._now)
        except PersonRefused as no:
            return await self._person_page(visit, login, self._errors(visit, no.why))
        except UnknownPerson:
            raise Failure(404) from None
        return self._site.to(visit, "/people?done=removed")

    async def _act(
        self, visit: Visit, verb: Callable[[str, Actor, datetime], Awaitable[object]], done: str
    ) -> Response:
        login = self._login(visit)
        try:
            await verb(login, self._me(visit), self._now)
        except PersonRefused as no:
            return await self._person_page(visit, login, self._errors(visit, no.why))
        except UnknownPerson:
            raise Failure(404) from None
        return self._to_person(visit, login, done)

    async def _password_page(self, visit: Visit, login: str) -> Response:
        try:
            person = await self._people.get(login)
            password = await self._people.own.temporary_password(login, self._me(visit), self._now)
        except UnknownPerson:
            raise Failure(404) from None
        except Overloaded:
            raise Failure(503) from None
        values = {
            "password": password,
            "path": person_path(login),
            **list_rows([person], self._words(visit))[0],
        }
        return self._site.page(
            visit, "people-password.html", values | {"shown_name": values["name"]}, here="/people"
        )

    def _form_page(self, visit: Visit, form: Form, errors: dict[str, str], status: int = 200) -> Response:
        roles = role_fields(form, self._doors.people.groups(), self._words(visit))
        values = {"form": form, "errors": errors, "roles": roles, "provider": self._doors.provider_name}
        return self._site.page(visit, "people-new.html", values, here="/people", status=status)

    async def _person_page(self, visit: Visit, login: str, errors: dict[str, str]) -> Response:
        try:
            values = await person_values(self._people, login, self._doors.people.groups(), self._words(visit))
        except UnknownPerson:
            raise Failure(404) from None
        if errors and visit.fields:
            typed = form_of(visit.fields)
            if typed.name:
                values |= {
                    "form": typed,
                    "roles": role_fields(typed, self._doors.people.groups(), self._words(visit)),
                }
        done = "" if errors else visit.request.query_params.get("done", "")
        more = {"errors": errors, "done": done}
        status = 422 if errors else 200
        return self._site.page(visit, "people-person.html", values | more, here="/people", status=status)

    def _errors(self, visit: Visit, why: str) -> dict[str, str]:
        minimum = self._doors.people.settings.password_minimum
        return {FIELDS.get(why, why): refused(why, self._words(visit), minimum)}

    def _to_person(self, visit: Visit, login: str, done: str) -> Response:
        return self._site.to(visit, f"{person_path(login)}&done={done}")

    def _login(self, visit: Visit) -> str:
        return dict(visit.fields).get("login", "")

    def _is_oneself(self, visit: Visit, login: str) -> bool:
        return visit.person.login.casefold() == login.strip().casefold()

    def _me(self, visit: Visit) -> Actor:
        return Actor("admin", visit.person.login)

    def _words(self, visit: Visit) -> Words:
        return self._site.desk.pages.words(visit.language)

    @property
    def _now(self) -> datetime:
        return self._site.desk.clock()
