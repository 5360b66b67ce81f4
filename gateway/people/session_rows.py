"""Sessions as rows. The store keeps SHA-256 of what a cookie holds: who reads it can be nobody.

A row is a session (stage `in`), or a sign-in whose password was right and whose second step is to come (`code`). A sign-in
never becomes a session: it ends, and the session has an id of its own, so no id that somebody planted is ever worth anything.
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import bindparam, func, select

from gateway.people.contract import Person
from gateway.people.credentials import Credentials
from gateway.people.rows import login_key, person_of
from gateway.spool.times import from_us, span_us
from gateway.store.events import storable
from gateway.store.people_tables import browsers, credentials, people, sign_ins
from gateway.store.tx import Prepared, Queries, Tx
from gateway.values import dataclass

SECRET_BYTES = 32
MAX_SESSIONS = 50  # of one person: the oldest end
MAX_BROWSERS = 20  # remembered of one person
MAX_AGENT = 200  # characters of what a browser says it is
SECOND_STEP = timedelta(minutes=10)  # to find the telephone
TOUCHED = timedelta(minutes=1)  # a session's last use is written down this often

_S, _B, _C = sign_ins.c, browsers.c, credentials.c
_OF = _S.login == bindparam("b_login")
_INSERT = Prepared(sign_ins.insert().values({each.name: bindparam(f"b_{each.name}") for each in _S}))
_READ = Prepared(
    select(
        *(_S.login, _S.form_key, _S.how, _S.begun_at, _S.seen_at, _S.expires_at),
        *(people.c.written, people.c.name, people.c.addresses, people.c.grants, people.c.language),
        *(people.c.suspended_at, people.c.subject),
        *(_C.password, _C.password_at, _C.password_until),
        _C.totp_at,
    )
    .select_from(
        sign_ins.join(people, people.c.login == _S.login).outerjoin(credentials, _C.login == _S.login)
    )
    .where(_S.hash == bindparam("b_hash"), _S.stage == bindparam("b_stage"))
)
_TOUCH = Prepared(sign_ins.update().where(_S.hash == bindparam("b_hash")).values(seen_at=bindparam("b_at")))
_END = Prepared(sign_ins.delete().where(_S.hash == bindparam("b_hash"), _S.stage == bindparam("b_stage")))
_END_ALL = Prepared(sign_ins.delete().where(_OF, _S.hash != bindparam("b_hash")))
_COUNT = Prepared(select(func.count()).select_from(sign_ins).where(_OF, _S.stage == "in"))
_SWEEP = Prepared(sign_ins.delete().where(_S.expires_at <= bindparam("b_at")))
_LIST = Prepared(
    select(_S.hash, _S.how, _S.client, _S.agent, _S.begun_at, _S.seen_at)
    .where(_OF, _S.stage == "in")
    .order_by(_S.seen_at.desc())
)
_KNOWN = Prepared(select(_B.login).where(_B.hash == bindparam("b_hash")))
_SAW = Prepared(
    browsers.update()
    .where(_B.hash == bindparam("b_hash"), _B.login == bindparam("b_login"))
    .values(seen_at=bindparam("b_at"))
)
_NEW_BROWSER = Prepared(
    browsers.insert().values(hash=bindparam("b_hash"), login=bindparam("b_login"), seen_at=bindparam("b_at"))
)
_BROWSERS = Prepared(
    select(_B.hash).where(_B.login == bindparam("b_login")).order_by(_B.seen_at.desc()).offset(MAX_BROWSERS)
)
_FORGET = Prepared(browsers.delete().where(_B.login == bindparam("b_login"), _B.hash == bindparam("b_hash")))


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a sign-in comes from: network address, what the browser says it is, and the cookie that tells it again."""

    client: str
    agent: str = ""
    browser: str = ""


class NewRow(NamedTuple):
    """The secrets of a row to be: made before its job, which may run twice."""

    cookie: str
    form_key: str


class SessionRow(NamedTuple):
    """A row as it is read, with whose it is."""

    login: str
    form_key: str
    how: str
    begun_at: int
    seen_at: int
    expires_at: int
    person: Person
    had: Credentials


class SessionLine(NamedTuple):
    """A session as its person sees it in a list; `number` names it and opens nothing."""

    number: str
    how: str
    client: str
    agent: str
    begun_at: datetime
    seen_at: datetime
    here: bool


def fresh() -> NewRow:
    """Make the secrets of one row."""
    return NewRow(secrets.token_urlsafe(SECRET_BYTES), secrets.token_urlsafe(SECRET_BYTES))


def digest(secret: str) -> str:
    """Return what the store knows a secret by."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def insert(
    tx: Tx, new: NewRow, login: str, stage: str, how: str, origin: Origin, now: int, length: timedelta
) -> None:
    """Add a row; those that are over go, and the oldest where a person has too many."""
    tx.run(_SWEEP, {"b_at": now})
    if stage == "in":
        _make_room(tx, login)
    tx.run(
        _INSERT,
        {
            "b_hash": digest(new.cookie),
            "b_login": login_key(login),
            "b_stage": stage,
            "b_form_key": new.form_key,
            "b_how": how,
            "b_client": storable(origin.client),
            "b_agent": storable(origin.agent[:MAX_AGENT]),
            "b_begun_at": now,
            "b_seen_at": now,
            "b_expires_at": now + span_us(length),
        },
    )


def read(queries: Queries, cookie: str, stage: str) -> SessionRow | None:
    """Return a row with its person and what is known of their credentials: one look by primary key."""
    row = queries.row(_READ, {"b_hash": digest(cookie), "b_stage": stage})
    if row is None:
        return None
    had = Credentials(password=row[13], password_at=row[14], password_until=row[15], totp_at=row[16])
    login, form_key, how, begun_at, seen_at, expires_at = row[:6]
    person = person_of(row[6:13]).person
    return SessionRow(login, form_key, how, begun_at, seen_at, expires_at, person, had)


def listed(queries: Queries, login: str, here: str = "") -> list[SessionLine]:
    """Return a person's sessions, the last used first; `here` is the cookie of the one that asks."""
    rows = queries.rows(_LIST, {"b_login": login_key(login)})
    own = digest(here)
    return [
        SessionLine(number, how, client, agent, from_us(begun), from_us(seen), number == own)
        for number, how, client, agent, begun, seen in rows
    ]


def touch(tx: Tx, cookie: str, now: int) -> None:
    """Note that a session is used."""
    tx.run(_TOUCH, {"b_hash": digest(cookie), "b_at": now})


def end(tx: Tx, cookie: str, stage: str = "in") -> bool:
    """End one row; tell whether there was one."""
    return tx.run(_END, {"b_hash": digest(cookie), "b_stage": stage}) > 0


def end_all(tx: Tx, login: str, but: str = "") -> int:
    """End a person's sessions and sign-ins, except that of the cookie `but`; return how many."""
    return tx.run(_END_ALL, {"b_login": login_key(login), "b_hash": digest(but) if but else ""})


def knows_browser(queries: Queries, login: str, browser: str) -> bool:
    """Tell whether this person has signed in there before."""
    return bool(browser) and login_key(login) in _logins(queries, browser)


def note_browser(tx: Tx, login: str, browser: str, new: str, now: int) -> str:
    """Remember that this person signed in there; return what its cookie is to hold.

    A value that we gave stays, because colleagues share machines; any other is replaced by `new`.
    """
    known = _logins(tx, browser) if browser else frozenset[str]()
    kept = browser if known else new
    values = {"b_hash": digest(kept), "b_login": login_key(login), "b_at": now}
    if login_key(login) in known:
        tx.run(_SAW, values)
    else:
        tx.run(_NEW_BROWSER, values)
        for (hash_,) in tx.rows(_BROWSERS, values):
            tx.run(_FORGET, values | {"b_hash": hash_})
    return kept


def _logins(queries: Queries, browser: str) -> frozenset[str]:
    return frozenset(row[0] for row in queries.rows(_KNOWN, {"b_hash": digest(browser)}))


def _make_room(tx: Tx, login: str) -> None:
    (count,) = tx.row(_COUNT, {"b_login": login_key(login)})
    if count >= MAX_SESSIONS:
        for line in listed(tx, login)[MAX_SESSIONS - 1 :]:
            tx.run(_END, {"b_hash": line.number, "b_stage": "in"})
