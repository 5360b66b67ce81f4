"""One-time codes of shares: made, put into a letter to the recipient, entered. Jobs of a transaction.

A code is good once and for VALID. Who guesses gets TRIES for a code and BARRED_AT in all, then nothing is looked at until an
hour has passed since the last of them; what is told is the same as for a wrong code. Everything is compared in constant time.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import json
import secrets
import unicodedata
from collections.abc import Callable
from datetime import timedelta

from gateway.spool.first_notices import notice_row
from gateway.spool.lifecycle import Kind, Reason
from gateway.spool.notice import NoticeKind
from gateway.spool.ranges import to_ranges
from gateway.spool.share_contract import Visitor
from gateway.spool.shares_rows import Facts, ShareRow, lock_row, write
from gateway.spool.shares_standing import address_of, share_of, why_closed, within
from gateway.spool.statements import NEW_NOTICES
from gateway.store.events import Event
from gateway.store.keys import MasterKey, MasterKeyError
from gateway.store.tx import Tx
from gateway.store.wrapping import bound
from gateway.values import dataclass

DIGITS = 8  # of a code: with BARRED_AT tries an hour, one in a hundred million each
VALID = timedelta(minutes=10)
AN_HOUR = timedelta(hours=1)
ASKED = 5  # codes that are sent, until none was asked for in an hour
TRIES = 5  # wrong entries that a code survives, but for the last
BARRED_AT = 15  # wrong entries, until an hour has passed since the last
VISITS = 20  # kept of a share: more than people open it while a visit lasts
MAX_ENTERED = 200  # characters of a code or a key; the longest key of ours has about 150


_HYPHENS = str.maketrans(dict.fromkeys("\u30fc\u2010\u2011\u2012\u2013\u2014\u2015\u2212\u2500", "-"))
"""What a keyboard or a phone makes of a hyphen; a key is ASCII."""


@dataclass(frozen=True, slots=True)
class Entry:
    """What somebody typed; `right_key` is None where the share needs none, empty where there is no key any more."""

    code: str
    key: str
    right_key: str | None
    visitor: Visitor


def new_code() -> str:
    """Make a code."""
    return f"{secrets.randbelow(10**DIGITS):0{DIGITS}d}"


def ask(
    queue_id: str, recipient: int, code: str, visitor: Visitor, now: int, master: MasterKey
) -> Callable[[Tx], str]:
    """Keep the code and have it sent; the job gives the reason why not, or nothing."""
    wrapped = master.wrap(code.encode(), bound("shares", queue_id, recipient))

    def job(tx: Tx) -> str:
        found = lock_row(tx, queue_id, recipient)
        if found is None:
            return "unknown"
        row, facts = found
        why = why_closed(row, facts, now) or _why_no_code(row, facts, now)
        if why:
            return why
        asked = row.codes_asked if within(row.code_at, now, AN_HOUR) else 0
        changed = row._replace(key_id=master.key_id, wrapped_code=wrapped, code_at=now)
        write(tx, changed._replace(codes_asked=asked + 1, changed_at=now))
        tx.under(master.key_id)
        to = str(address_of(row, facts))
        sealed = _packed(master.key_id, wrapped)
        tx.insert(NEW_NOTICES, [notice_row(NoticeKind.CODE, queue_id, to, [recipient], now, sealed)])
        tx.event(happened(row, Kind.SHARE_CODE, visitor, now))
        return ""

    return job


def enter(
    queue_id: str, recipient: int, entry: Entry, now: int, master: MasterKey
) -> Callable[[Tx], tuple[bool, str]]:
    """Try a code, and a key; the job tells whether they are right, or why nothing was looked at."""

    def job(tx: Tx) -> tuple[bool, str]:
        found = lock_row(tx, queue_id, recipient)
        if found is None:
            return False, "unknown"
        row, facts = found
        why = why_closed(row, facts, now) or ("used-up" if share_of(row, facts).used_up else "")
        if why:
            return False, why
        code = _good_code(row, now, master)
        if code is None:
            return False, ""
        code_right = hmac.compare_digest(_typed_code(entry.code).encode(), code.encode())
        key_right = _key_right(entry)
        if code_right and key_right:
            _let_in(tx, row, entry.visitor, now)
        else:
            _count(tx, row, entry.visitor, "key" if code_right else "code", now)
        return code_right and key_right, ""

    return job


def code_in(packed: str, queue_id: str, recipient: int, master: MasterKey) -> str | None:
    """Return the code that `ask` put into an outbox row; None where its master key is not held, or the row was altered."""
    key_id, _, wrapped = packed.partition(":")
    try:
        return _opened(master, key_id, base64.b64decode(wrapped, validate=True), queue_id, recipient)
    except binascii.Error:
        return None


def happened(row: ShareRow, kind: Kind, visitor: Visitor, now: int, **detail: object) -> Event:
    """Return the event of something that the person at the page did."""
    said = {"client": visitor.client, **detail}
    recipients = to_ranges([row.recipient])
    return Event(now, row.queue_id, kind, Reason.BY_RECIPIENT, "recipient", "", recipients, said)


def _why_no_code(row: ShareRow, facts: Facts, now: int) -> str:
    if share_of(row, facts).used_up:
        return "used-up"
    too_many = within(row.code_at, now, AN_HOUR) and row.codes_asked >= ASKED
    return "too-many" if too_many or _barred(row, now) else ""


def _barred(row: ShareRow, now: int) -> bool:
    return row.attempts >= BARRED_AT and within(row.tried_at, now, AN_HOUR)


def _good_code(row: ShareRow, now: int, master: MasterKey) -> str | None:
    """Return the code that is good now, if there is one."""
    if row.wrapped_code is None or not within(row.code_at, now, VALID) or _barred(row, now):
        return None
    return _opened(master, row.key_id or "", bytes(row.wrapped_code), row.queue_id, row.recipient)


def _opened(master: MasterKey, key_id: str, wrapped: bytes, queue_id: str, recipient: int) -> str | None:
    holder = master.holding(key_id)
    if holder is None:
        return None
    try:
        return holder.unwrap(wrapped, bound("shares", queue_id, recipient)).decode()
    except MasterKeyError:
        return None


def _packed(key_id: str, wrapped: bytes) -> str:
    return f"{key_id}:{base64.b64encode(wrapped).decode()}"


def _typed_code(text: str) -> str:
    """Return the digits of what was typed: a Japanese keyboard writes wide ones, and people copy what stands around them."""
    plain = unicodedata.normalize("NFKC", text[:MAX_ENTERED])
    return "".join(character for character in plain if character.isascii() and character.isdigit())


def _typed_key(text: str) -> str:
    """Return a key as it is written: in narrow letters, without the spaces around it.

    The hyphen key of a Japanese keyboard writes a long vowel, a phone a dash: no key has either.
    """
    return unicodedata.normalize("NFKC", text[:MAX_ENTERED]).strip().translate(_HYPHENS)


def _key_right(entry: Entry) -> bool:
    if entry.right_key is None:
        return True
    typed = _typed_key(entry.key)
    exact = hmac.compare_digest(typed.encode("utf-8", "replace"), entry.right_key.encode())
    as_told = hmac.compare_digest(_as_told(typed), _as_told(entry.right_key)) and entry.right_key.islower()
    return (exact or as_told) and bool(entry.right_key)


def _as_told(key: str) -> bytes:
    """Return what is heard of a key in small letters on the telephone: no hyphens, and nothing large."""
    return "".join(key.lower().replace("-", " ").split()).encode("utf-8", "replace")


def _let_in(tx: Tx, row: ShareRow, visitor: Visitor, now: int) -> None:
    visits = {**dict(list(row.begun.items())[1 - VISITS :]), visitor.visit: []}
    first = row.opened_at is None
    opened = row._replace(
        visits=json.dumps(visits),
        key_id=None,
        wrapped_code=None,
        attempts=0,
        tried_at=None,
        opened_at=now if first else row.opened_at,
        changed_at=now,
    )
    write(tx, opened)
    tx.event(happened(row, Kind.SHARE_OPENED, visitor, now, first=first))


def _count(tx: Tx, row: ShareRow, visitor: Visitor, what: str, now: int) -> None:
    """Count a wrong entry; the code dies with the last that it survives."""
    attempts = (row.attempts if within(row.tried_at, now, AN_HOUR) else 0) + 1
    tried = row._replace(attempts=attempts, tried_at=now, changed_at=now)
    if attempts % TRIES == 0:
        tried = tried._replace(key_id=None, wrapped_code=None)
    write(tx, tried)
    tx.event(happened(row, Kind.SHARE_DENIED, visitor, now, wrong=what, attempts=attempts))
