"""Mails whose files a rule protects: one builder with the knobs that matter to the pages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from zoneinfo import ZoneInfo

from gateway.policy.decision import Outcome
from gateway.policy.demands import Demands
from gateway.policy.handling import Attached, Handling
from gateway.policy.protection import How, Way
from gateway.spool.key_contract import Stage
from gateway.spool.lifecycle import State
from gateway.spool.share_contract import Share
from gateway.spool.values import Stored
from tests.console.conftest import FileSpool
from tests.memory_spool import INSIDE, NOON, decision_for, hold, mail

TOKYO = ZoneInfo("Asia/Tokyo")
LIST, PLAN = Attached(2, "名簿.csv", "", 812, "plain"), Attached(3, "計画.pdf", "pdf", 1_400_000, "plain")
SEALED = Handling(
    rules=("protect",),
    forms=((2, How.ZIP_AES256), (3, How.NATIVE)),
    needs_key=True,
    way=Way.SENDER,
    ways=(Way.SENDER,),
)
LINKED = replace(SEALED, forms=((2, How.LINK), (3, How.LINK)), way=Way.CODE_PAGE, ways=(Way.CODE_PAGE,))
OPEN_WAYS = replace(SEALED, way=None, ways=(Way.SMS, Way.SENDER))
STUCK = replace(SEALED, forms=(), needs_key=False, way=None, ways=(), obstacle="signed")


def protect(
    spool: FileSpool,
    handling: Handling,
    outside: Sequence[str] = ("sato@example.com",),
    *,
    inside: Sequence[str] = (),
    files: tuple[Attached, ...] = (LIST, PLAN),
    subject: str = "テニス教室のお知らせ",
    queue_id: str = "Q1",
    copied: int = 0,
) -> Stored:
    """Put a mail into the spool whose recipients outside have this handling; held where it is not complete."""
    outcome = Outcome(True, Demands(), rules=("protect",), handling=handling)
    decision = replace(
        decision_for((0,) * len(outside) + (1,) * len(inside), (outcome, INSIDE)), files=files, copied=copied
    )
    raw = mail(subject, (*outside, *inside)[: len(outside) + len(inside) - copied])
    message = hold(spool, queue_id, outside, inside, subject=subject, decision=decision, raw=raw)
    if not handling.is_complete:  # who waits for people has no time
        waits = [replace(row, due_at=None, state=State.HELD) for row in message.recipients[: len(outside)]]
        rows = [*waits, *message.recipients[len(outside) :]]
        message = spool.messages[queue_id] = replace(message, recipients=tuple(rows))
    if handling.needs_key:
        for index in range(len(outside)):
            spool.keys.put(queue_id, index, handling.way, Stage.WAITING)
    return message


def arrive(spool: FileSpool, *recipients: int, queue_id: str = "Q1") -> None:
    """Let the mail arrive, and the sender have a key to tell."""
    for index in recipients:
        spool.set_state(queue_id, index, State.DELIVERED)
        status = next(
            (row for row in spool.keys.stages.get(queue_id, []) if row.recipient == index and row.way), None
        )
        if status is not None:
            spool.keys.put(queue_id, index, status.way, Stage.READY)


def share(recipient: int = 0, queue_id: str = "Q1", **more: object) -> Share:
    """Return a share of two files, fetched three times of five."""
    whole = Share(
        queue_id=queue_id,
        recipient=recipient,
        files=((2, "名簿.csv"), (3, "計画.pdf")),
        expires_at=NOON + timedelta(days=14),
        needs_key=True,
        way=Way.CODE_PAGE,
        left=((2, 4), (3, None)),
        fetched=((2, 1),),
    )
    return replace(whole, **more)  # type: ignore[arg-type]
