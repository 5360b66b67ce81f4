"""What one's own page shows: read from the store, put into the reader's words."""

from __future__ import annotations

from gateway.console.people.words import MAX_TEXT, browser_name, how_words, roles_of, scope_words
from gateway.languages import Words, shown
from gateway.people.contract import ApiToken, Person, TokenScope
from gateway.people.session_rows import SessionLine
from gateway.people.sql import SqlPeople


async def own_values(people: SqlPeople, person: Person, here: str, words: Words) -> dict[str, object]:
    """Return the values of the page; `here` is the cookie of the session that looks."""
    had = await people.own.of(person.login)
    return {
        "facts": _facts(person, words),
        "has_password": had.password is not None,
        "second_factor": had.totp_at is not None,
        "codes_left": await people.own.codes_left(person.login),
        "sessions": [_session(each, words) for each in await people.sessions(person.login, here)],
        "tokens": [_token(each, words) for each in await people.tokens.of(person.login)],
        "scopes": [(scope.value, scope_words(scope, words)) for scope in TokenScope],
        "spoken": person.language.value if person.language else words.language,
    }


def _facts(person: Person, words: Words) -> list[tuple[str, str]]:
    mailboxes = ", ".join(shown(each, MAX_TEXT) for each in person.addresses)
    return [
        (words.gettext("Name"), shown(person.name, MAX_TEXT)),
        (words.gettext("Login"), shown(person.login, MAX_TEXT)),
        (words.gettext("Mailboxes"), mailboxes or words.gettext("none")),
        (words.gettext("Tasks"), roles_of(person, words)),
    ]


def _session(line: SessionLine, words: Words) -> dict[str, object]:
    return {
        "here": line.here,
        "since": words.moment(line.begun_at),
        "seen": words.moment(line.seen_at),
        "client": shown(line.client, MAX_TEXT),
        "agent": browser_name(line.agent),
        "how": how_words(line.how, words),
    }


def _token(token: ApiToken, words: Words) -> dict[str, object]:
    used = token.used_on.isoformat() if token.used_on else words.gettext("never")
    return {
        "number": token.number,
        "name": shown(token.name, MAX_TEXT),
        "scopes": ", ".join(scope_words(scope, words) for scope in TokenScope if scope in token.scopes),
        "until": words.moment(token.expires_at),
        "used": used,
    }
