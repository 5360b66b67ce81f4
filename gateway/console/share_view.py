"""What waits behind links and who fetched it, as plain values. Pure. Whatever a stranger chose passes `shown`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from gateway.console import view
from gateway.languages import Words, shown
from gateway.spool.lifecycle import State
from gateway.spool.share_contract import Share
from gateway.spool.values import Recipient, Stored
from gateway.values import dataclass


@dataclass(frozen=True, slots=True)
class SharedFile:
    """One file: how often it was fetched, and how often it may be still; empty where there is no limit."""

    name: str
    fetched: int
    left: str


@dataclass(frozen=True, slots=True)
class ShareRow:
    """One recipient's share. `state` is a word: open, locked, ended, waiting; `tone` the state of a recipient whose look it
    has. `opened` is when the address was proved first, empty where it never was."""

    index: int
    address: str
    state: str
    tone: str
    opened: str
    expires: str
    files: tuple[SharedFile, ...]
    more_files: int
    open: bool


@dataclass(frozen=True, slots=True)
class Shares:
    """All shares of a mail; `more` are not listed. `locked` and `open` count those that can be unlocked, and locked."""

    rows: tuple[ShareRow, ...]
    more: int
    opened: int
    open: int
    locked: int


NO_SHARES = Shares((), 0, 0, 0, 0)
FILES = 20  # of one share, listed
_TONES = {"open": "delivered", "locked": "held", "ended": "cancelled", "waiting": "queued"}


def shares(message: Stored, found: Sequence[Share], words: Words, now: datetime) -> Shares:
    """Return the section for this moment; nothing where no file waits behind a link."""
    rows = {row.index: row for row in message.recipients}
    known = [share for share in found if share.recipient in rows]
    if not known:
        return NO_SHARES
    listed = known[: view.SHOWN_RECIPIENTS]
    states = [_state(share, rows[share.recipient], now) for share in known]
    return Shares(
        rows=tuple([_row(share, rows[share.recipient], words, now) for share in listed]),
        more=len(known) - len(listed),
        opened=sum(share.opened_at is not None for share in known),
        open=sum(state in ("open", "waiting") for state in states),
        locked=states.count("locked"),
    )


def _state(share: Share, row: Recipient, now: datetime) -> str:
    if share.ended_at is not None or now >= share.expires_at:
        return "ended"
    if share.locked_at is not None:
        return "locked"
    return "open" if row.perhaps or row.state in (State.ACTIVE, State.DELIVERED) else "waiting"


def _row(share: Share, row: Recipient, words: Words, now: datetime) -> ShareRow:
    state = _state(share, row, now)
    ended = share.ended_at is not None and share.ended_at < share.expires_at
    return ShareRow(
        index=share.recipient,
        address=shown(str(row.address), view.ADDRESS),
        state=state_name(state, words),
        tone=_TONES[state],
        opened=words.moment(share.opened_at) if share.opened_at else "",
        expires=words.moment(share.ended_at if ended and share.ended_at else share.expires_at),
        files=tuple([_file(share, place, name, words) for place, name in share.files[:FILES]]),
        more_files=max(0, len(share.files) - FILES),
        open=state in ("open", "waiting", "locked"),
    )


def _file(share: Share, place: int, name: str, words: Words) -> SharedFile:
    left = dict(share.left).get(place)
    return SharedFile(
        name=shown(name, view.FILE_NAME) or words.gettext("(no name)"),
        fetched=dict(share.fetched).get(place, 0),
        left="" if left is None else str(left),
    )


def state_name(state: str, words: Words) -> str:
    """Name the state of a share."""
    _ = words.gettext
    return {
        "open": _("open"),
        "locked": _("locked by you"),
        "ended": _("closed"),
        "waiting": _("opens when the mail has arrived"),
    }[state]
