"""One's own page: password, second factor, recovery codes, sessions, tokens.

What opens the door (password, second factor, tokens) is changed only by somebody who types the current password again: an open
browser is not enough. Wrong ones count as at sign-in. What is shown once comes as the answer to the form, and never to a GET.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from starlette.responses import Response
from starlette.routing import BaseRoute

from gateway.console.gate import ANYBODY, Gated, Visit
from gateway.console.pages import LANGUAGE_COOKIE, Failure
from gateway.console.people.doors import MAX_FORM, Doors
from gateway.console.people.own_letters import OwnLetters
from gateway.console.people.own_view import own_values
from gateway.console.people.words import refused
from gateway.languages import LANGUAGES
from gateway.links import LinkInvalid
from gateway.people import one_time
from gateway.people.contract import Duty, PersonRefused, TokenScope
from gateway.people.passwords import Overloaded
from gateway.people.rows import oneself
from gateway.people.signing_in import SignInRefused
from gateway.policy.demands import Language

ISSUER = "Sekisho"  # what stands in an authenticator app


class OwnPages:
    """The pages below /me."""

    def __init__(self, doors: Doors, letters: OwnLetters) -> None:
        self._doors = doors
        self._letters = letters
        self._site = doors.site
        self._people = doors.people.verbs
        self._own = doors.people.verbs.own

    def routes(self) -> list[BaseRoute]:
        """Return the routes: for everybody with an account."""
        gets = {"/me": self.show, "/me/password": self.ask_password, "/me/code": self.ask_code}
        posts = {
            "/me/password": self.set_password,
            "/me/code": self.set_code,
            "/me/code/remove": self.drop_code,
            "/me/recovery-codes": self.new_codes,
            "/me/sign-out-everywhere": self.leave_everywhere,
            "/me/language": self.set_language,
            "/me/daily-letter": self.set_letter,
            "/me/tokens": self.make_token,
            "/me/tokens/revoke": self.revoke_token,
        }
        gate = self._site.gate
        return [
            *(Gated(path, handler, gate, ANYBODY) for path, handler in gets.items()),
            *(
                Gated(path, handler, gate, ANYBODY, methods=("POST",), most=MAX_FORM)
                for path, handler in posts.items()
            ),
        ]

    async def show(self, visit: Visit) -> Response:
        """GET /me."""
        return await self._page(visit)

    async def ask_password(self, visit: Visit) -> Response:
        """GET /me/password."""
        return await self._password_page(visit)

    async def set_password(self, visit: Visit) -> Response:
        """POST /me/password: the current one, and the new one twice."""
        given = dict(visit.fields)
        new = given.get("new", "")
        if why := await self._not_them(visit):
            return await self._password_page(visit, {"current": why})
        if new != given.get("again", ""):
            return await self._password_page(visit, {"again": "differs"})
        here = self._doors.cookies.session(visit.request)
        try:
            await self._own.set_password(
                visit.person.login, new, oneself(visit.person.login), self._now, here
            )
        except PersonRefused as no:
            return await self._password_page(visit, {"new": no.why})
        except Overloaded:
            return await self._password_page(visit, {"new": "busy"})
        return self._done(visit, "password")

    async def ask_code(self, visit: Visit) -> Response:
        """GET /me/code: a new secret, as a picture and in letters. Nothing is kept until a code proves it."""
        await self._with_password(visit)
        return self._code_page(visit, one_time.new_secret())

    async def set_code(self, visit: Visit) -> Response:
        """POST /me/code: a code of the secret that this page gave to this session."""
        await self._with_password(visit)
        given = dict(visit.fields)
        secret = self._secret(visit, given.get("secret", ""))
        if why := await self._not_them(visit):
            return self._code_page(visit, secret, {"current": why})
        login, here = visit.person.login, self._doors.cookies.session(visit.request)
        codes = await self._own.set_totp(
            login, secret, given.get("code", ""), oneself(login), self._now, here
        )
        if codes is None:
            return self._code_page(visit, secret, {"code": "code"})
        return self._site.page(visit, "me-codes.html", {"codes": codes, "fresh": True}, here="/me")

    async def drop_code(self, visit: Visit) -> Response:
        """POST /me/code/remove."""
        if why := await self._not_them(visit):
            return await self._page(visit, {"remove": why})
        login, here = visit.person.login, self._doors.cookies.session(visit.request)
        await self._own.drop_totp(login, oneself(login), self._now, here)
        return self._done(visit, "code-removed")

    async def new_codes(self, visit: Visit) -> Response:
        """POST /me/recovery-codes: new ones, shown once."""
        if why := await self._not_them(visit):
            return await self._page(visit, {"codes": why})
        login = visit.person.login
        try:
            codes = await self._own.new_recovery_codes(login, oneself(login), self._now)
        except PersonRefused:
            raise Failure(409) from None
        return self._site.page(visit, "me-codes.html", {"codes": codes, "fresh": False}, here="/me")

    async def leave_everywhere(self, visit: Visit) -> Response:
        """POST /me/sign-out-everywhere: all sessions end, this one too."""
        await self._people.sign_out_everywhere(visit.person.login, oneself(visit.person.login), self._now)
        response = self._doors.to("/sign-in?left=1")
        self._doors.cookies.drop_session(response)
        return response

    async def set_language(self, visit: Visit) -> Response:
        """POST /me/language: what letters and pages are written in."""
        asked = dict(visit.fields).get("language", "")
        if asked not in LANGUAGES:
            raise Failure(400)
        await self._people.speak(visit.person.login, Language(asked), oneself(visit.person.login), self._now)
        response = self._doors.to("/me?done=language")
        response.delete_cookie(LANGUAGE_COOKIE, path=f"{self._site.desk.links.base_path}/")
        return response

    async def set_letter(self, visit: Visit) -> Response:
        """POST /me/daily-letter: whether one of the person's mailboxes gets it."""
        await self._letters.choose(visit.person, visit.fields, self._now)
        return self._done(visit, "letter")

    async def make_token(self, visit: Visit) -> Response:
        """POST /me/tokens: a token, shown once."""
        given = dict(visit.fields)
        if why := await self._not_them(visit):
            return await self._page(visit, {"token": why})
        known = {scope.value for scope in TokenScope}
        scopes = {TokenScope(value) for name, value in visit.fields if name == "scope" and value in known}
        days = given.get("days", "")
        span = timedelta(days=int(days) if days.isascii() and days.isdigit() and len(days) < 5 else 0)
        login = visit.person.login
        try:
            _, text = await self._people.tokens.make(
                login, given.get("name", ""), scopes, self._now + span, oneself(login), self._now
            )
        except PersonRefused as no:
            return await self._page(visit, {"token": no.why})
        return self._site.page(visit, "me-token.html", {"token": text, "name": given["name"]}, here="/me")

    async def revoke_token(self, visit: Visit) -> Response:
        """POST /me/tokens/revoke: less than was there needs no password."""
        login = visit.person.login
        number = dict(visit.fields).get("number", "")
        await self._people.tokens.revoke(login, number, oneself(login), self._now)
        return self._done(visit, "token-revoked")

    @property
    def _now(self) -> datetime:
        return self._site.desk.clock()

    async def _not_them(self, visit: Visit) -> str:
        """Return why the current password was not taken; empty where it was, and for who has none here."""
        had = await self._own.of(visit.person.login)
        if had.password is None:
            return ""
        typed = dict(visit.fields).get("current", "")
        try:
            await self._people.signing_in.confirm(
                visit.person.login, typed, self._doors.origin(visit.request), self._now
            )
        except SignInRefused as no:
            return no.why
        return ""

    async def _with_password(self, visit: Visit) -> None:
        """Raise Failure for somebody who signs in elsewhere: the second factor is asked for there."""
        if (await self._own.of(visit.person.login)).password is None:
            raise Failure(404)

    def _secret(self, visit: Visit, sealed: str) -> str:
        try:
            return str(self._site.desk.links.unseal(visit.session.key, sealed)["totp"])
        except (LinkInvalid, KeyError):
            raise Failure(400) from None

    def _errors(self, visit: Visit, why: dict[str, str] | None) -> dict[str, str]:
        words = self._site.desk.pages.words(visit.language)
        minimum = self._doors.people.settings.password_minimum
        return {field: refused(each, words, minimum) for field, each in (why or {}).items()}

    def _done(self, visit: Visit, what: str) -> Response:
        return self._site.to(visit, f"/me?done={what}")

    async def _page(self, visit: Visit, why: dict[str, str] | None = None) -> Response:
        words = self._site.desk.pages.words(visit.language)
        here = self._doors.cookies.session(visit.request)
        values = await own_values(self._people, visit.person, here, words)
        done = visit.request.query_params.get("done", "")
        letters = await self._letters.of(visit.person)
        more = {"errors": self._errors(visit, why), "done": "" if why else done, "letters": letters}
        return self._site.page(visit, "me.html", values | more, here="/me", status=422 if why else 200)

    async def _password_page(self, visit: Visit, why: dict[str, str] | None = None) -> Response:
        await self._with_password(visit)
        values = {
            "errors": self._errors(visit, why),
            "minimum": self._doors.people.settings.password_minimum,
            "duty": visit.session.duty is Duty.PASSWORD,
        }
        return self._site.page(visit, "me-password.html", values, here="/me", status=422 if why else 200)

    def _code_page(self, visit: Visit, secret: str, why: dict[str, str] | None = None) -> Response:
        values = {
            "errors": self._errors(visit, why),
            "duty": visit.session.duty is Duty.CODE,
            "picture": one_time.picture(one_time.uri(secret, visit.person.login, ISSUER)),
            "letters": one_time.in_groups(secret),
            "secret": self._site.desk.links.seal(visit.session.key, {"totp": secret}),
        }
        return self._site.page(visit, "me-code.html", values, here="/me", status=422 if why else 200)
