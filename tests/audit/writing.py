"""Events of mails, written into a store as the spool writes them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from gateway.spool.sql import SqlSpool
from gateway.store.events import Event
from gateway.store.tx import Tx


def came(
    queue_id: str,
    at: int,
    *,
    sender: str = "clerk@sports.example.jp",
    to: Sequence[str] = ("a@example.com",),
    groups: Sequence[str] | None = ("sports",),
    subject: str = "お知らせ",
    rules: Sequence[str] = (),
    account: str = "",
    kind: str = "accepted",
) -> Event:
    """Return the event of a mail that was accepted, or refused."""
    detail: dict[str, object] = {
        "sender": sender,
        "recipients": list(to),
        "subject": subject,
        "account": account,
        "outcomes": [{"rules": list(rules)}],
    }
    if groups is not None:
        detail["groups"] = list(groups)
    return Event(
        at, queue_id if kind == "accepted" else None, kind, "policy", "sender", sender, "0", detail=detail
    )


def later(queue_id: str | None, at: int, kind: str, actor: str = "", **detail: object) -> Event:
    """Return what happened to it later."""
    return Event(at, queue_id, kind, "by-admin", "admin" if actor else "system", actor, "0", detail=detail)


async def write(spool: SqlSpool, events: Iterable[Event]) -> None:
    """Put events into the chain of this store."""
    given = list(events)

    def job(tx: Tx) -> None:
        for event in given:
            tx.event(event)

    await spool.database.committer.run(job)
