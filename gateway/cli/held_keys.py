"""What `sekisho held show` tells of keys of attachments: by which way each goes, and how far it is. Never a key."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from gateway.cli.printable import printable
from gateway.spool.key_contract import KeyStatus
from gateway.spool.sql import SqlSpool
from gateway.spool.values import Stored


async def with_keys(spool: SqlSpool, queue_id: str) -> tuple[Stored, Mapping[int, KeyStatus]]:
    """Return a mail, and how the key of each recipient who needs one stands."""
    message = await spool.get(queue_id)
    return message, by_recipient(await spool.keys.statuses(queue_id))


def by_recipient(statuses: Sequence[KeyStatus]) -> dict[int, KeyStatus]:
    """Return the statuses by recipient."""
    return {status.recipient: status for status in statuses}


def key_line(status: KeyStatus) -> str:
    """Return a line for people: `key by sms to ...5678: failed, no such number`."""
    way = f"by {status.way}" if status.way is not None else "by no way yet"
    to = f" to ...{status.to}" if status.to else ""
    detail = f", {status.detail}" if status.detail else ""
    return printable(f"    key {way}{to}: {status.stage}{detail}")


def key_json(status: KeyStatus) -> dict[str, object]:
    """Return the same for programs."""
    return {
        "way": None if status.way is None else status.way.value,
        "stage": status.stage.value,
        "changed_at": status.changed_at.isoformat(),
        "attempts": status.attempts,
        "to_ends_in": status.to,
        "detail": status.detail,
    }
