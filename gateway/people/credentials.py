"""Credentials as rows: passwords with those before, the secret of one-time passwords, recovery codes. Parts of jobs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy import bindparam, func, select

from gateway.people import one_time
from gateway.people.rows import login_key
from gateway.spool.times import span_us, to_us
from gateway.store.keys import MasterKey, MasterKeyError
from gateway.store.people_tables import credentials, recovery_codes
from gateway.store.tx import Prepared, Queries, Tx
from gateway.store.wrapping import bound

TEMPORARY_VALID = timedelta(
    days=7
)  # of a password that somebody else made: a letter in the house mail takes days

_C, _R = credentials.c, recovery_codes.c
_ONE = _C.login == bindparam("b_login")
_COLUMNS = (_C.password, _C.password_at, _C.password_until, _C.history, _C.key_id, _C.wrapped, _C.totp_at)
_READ = Prepared(select(*_COLUMNS, _C.totp_step).where(_ONE))
_BEGIN = Prepared(
    sa.text(
        "INSERT INTO credentials (login, history, totp_step) VALUES (:b_login, '[]', 0) ON CONFLICT DO NOTHING"
    )
)
_SET_PASSWORD = Prepared(
    credentials.update()
    .where(_ONE)
    .values(
        password=bindparam("b_password"),
        password_at=bindparam("b_at"),
        password_until=bindparam("b_until"),
        history=bindparam("b_history"),
    )
)
_SET_TOTP = Prepared(
    credentials.update()
    .where(_ONE)
    .values(
        key_id=bindparam("b_key_id"),
        wrapped=bindparam("b_wrapped"),
        totp_at=bindparam("b_at"),
        totp_step=bindparam("b_step"),
    )
)
_USED = Prepared(
    credentials.update().where(_ONE, _C.totp_step < bindparam("b_step")).values(totp_step=bindparam("b_step"))
)
_NEW_CODE = Prepared(recovery_codes.insert().values(login=bindparam("b_login"), hash=bindparam("b_hash")))
_USE_CODE = Prepared(
    recovery_codes.delete().where(_R.login == bindparam("b_login"), _R.hash == bindparam("b_hash"))
)
_DROP_CODES = Prepared(recovery_codes.delete().where(_R.login == bindparam("b_login")))
_LEFT = Prepared(select(func.count()).select_from(recovery_codes).where(_R.login == bindparam("b_login")))


class Credentials(NamedTuple):
    """What one person can prove with; all empty for somebody who signs in elsewhere."""

    password: str | None = None
    password_at: int | None = None
    password_until: int | None = None
    history: str = "[]"
    key_id: str | None = None
    wrapped: bytes | None = None
    totp_at: int | None = None
    totp_step: int = 0

    @property
    def before(self) -> list[str]:
        """Return the hashes of passwords that were used before, the newest first."""
        return list(json.loads(self.history))

    def is_over(self, now: int) -> bool:
        """Tell whether a password that somebody else made was left too long."""
        return self.password_until is not None and self.password_until <= now


def of(queries: Queries, login: str) -> Credentials:
    """Read a person's credentials."""
    row = queries.row(_READ, {"b_login": login_key(login)})
    return Credentials(*row) if row is not None else Credentials()


def set_password(
    tx: Tx, login: str, hashed: str, now: int, keep: int, temporary_for: timedelta | None = None
) -> None:
    """Set a password; `keep` of those before stay in the history. The person must be there."""
    tx.run(_BEGIN, {"b_login": login_key(login)})
    had = of(tx, login)
    history = ([had.password] if had.password is not None else []) + had.before
    until = now + span_us(temporary_for) if temporary_for is not None else None
    tx.run(
        _SET_PASSWORD,
        {
            "b_login": login_key(login),
            "b_password": hashed,
            "b_at": now,
            "b_until": until,
            "b_history": json.dumps(history[:keep]),
        },
    )


def wrap_secret(master: MasterKey, login: str, secret: str) -> bytes:
    """Wrap a secret for its row."""
    return master.wrap(secret.encode("ascii"), bound(credentials.name, login_key(login)))


def secret_of(had: Credentials, login: str, master: MasterKey) -> str | None:
    """Return the secret of one-time passwords; None where none is set up, or its master key is not held."""
    if had.totp_at is None or had.wrapped is None:
        return None
    holder = master.holding(had.key_id or "")
    if holder is None:
        return None
    try:
        return holder.unwrap(bytes(had.wrapped), bound(credentials.name, login_key(login))).decode("ascii")
    except MasterKeyError:
        return None


def set_totp(tx: Tx, login: str, wrapped: bytes, master: MasterKey, now: int, step: int) -> None:
    """Set up one-time passwords; the code of `step` proved them, and is used up."""
    tx.run(_BEGIN, {"b_login": login_key(login)})
    values = {"b_key_id": master.key_id, "b_wrapped": wrapped, "b_at": now, "b_step": step}
    tx.run(_SET_TOTP, values | {"b_login": login_key(login)})
    tx.under(master.key_id)


def drop_totp(tx: Tx, login: str) -> bool:
    """Forget the second factor and its recovery codes; tell whether there was one."""
    had = of(tx, login)
    values = {"b_key_id": None, "b_wrapped": None, "b_at": None, "b_step": had.totp_step}
    tx.run(_SET_TOTP, values | {"b_login": login_key(login)})
    tx.run(_DROP_CODES, {"b_login": login_key(login)})
    return had.totp_at is not None


def use_code(tx: Tx, login: str, typed: str, master: MasterKey, now: datetime) -> str:
    """Use up a one-time password or a recovery code; return which it was, or nothing where it is neither."""
    had = of(tx, login)
    secret = secret_of(had, login, master)
    step = None if secret is None else one_time.step_of(secret, typed, now, had.totp_step)
    if step is not None and tx.run(_USED, {"b_login": login_key(login), "b_step": step}):
        return "totp"
    used = tx.run(_USE_CODE, {"b_login": login_key(login), "b_hash": one_time.recovery_hash(typed)})
    return "recovery-code" if used and had.totp_at is not None else ""


def set_recovery_codes(tx: Tx, login: str, codes: Sequence[str]) -> None:
    """Replace all recovery codes."""
    tx.run(_DROP_CODES, {"b_login": login_key(login)})
    rows = [{"b_login": login_key(login), "b_hash": one_time.recovery_hash(code)} for code in codes]
    tx.many(_NEW_CODE, rows)


def recovery_codes_left(queries: Queries, login: str) -> int:
    """Count the recovery codes that are good yet."""
    (left,) = queries.row(_LEFT, {"b_login": login_key(login)})
    return int(left)


def password_due(had: Credentials, now: datetime, age: timedelta | None) -> bool:
    """Tell whether the person has to choose a new password before anything else."""
    if had.password is None or had.password_at is None:
        return False
    too_old = age is not None and to_us(now) - had.password_at > span_us(age)
    return had.password_until is not None or too_old
