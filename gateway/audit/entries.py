"""An event as the auditor meets it, and the questions that may be asked of the log."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from gateway.spool.list_contract import Scope
from gateway.values import dataclass

MAX_LIMIT = 10_000  # entries in one answer; who wants more goes on behind the last seq

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
WHOLE = Scope(everything=True)  # what somebody at the machine itself may read


@dataclass(frozen=True, slots=True)
class Entry:
    """One event of the log. `recipients` are compact indexes into the addresses that ACCEPTED's detail lists."""

    seq: int
    at: datetime
    queue_id: str | None
    kind: str
    reason: str
    actor_kind: str
    actor_name: str
    recipients: str
    detail: Mapping[str, object]
    prev: bytes
    hash: bytes
    node: str = ""  # whose chain it is in; one gateway alone has a chain without a name

    @classmethod
    def of(cls, row: tuple[object, ...]) -> Entry:
        """Return the entry of a row of `events`; raises ValueError where a number or a time is none.

        A detail that is no JSON object any more (somebody altered it) is shown as it stands, under `unreadable`.
        """
        seq, at, queue_id, kind, reason, actor_kind, actor_name, recipients, detail, prev, hash_, node = row
        facts = _facts(str(detail))
        when = _EPOCH + int(str(at)) * _MICROSECOND
        return cls(
            int(str(seq)),
            when,
            None if queue_id is None else str(queue_id),
            str(kind),
            str(reason),
            str(actor_kind),
            str(actor_name),
            str(recipients),
            facts,
            bytes(prev),  # type: ignore[call-overload]
            bytes(hash_),  # type: ignore[call-overload]
            str(node),
        )


def _facts(detail: str) -> Mapping[str, object]:
    try:
        facts = json.loads(detail)
    except ValueError:
        facts = None
    return facts if isinstance(facts, dict) else {"unreadable": detail}


@dataclass(frozen=True, slots=True)
class Question:
    """What to look for; everything given must hold. `sender`, `recipient`, `subject`, `group` and `rule` find all events of
    such mails; a sender or recipient `@example.jp` is everybody there. `scope` is what may be found at all.

    `since` is included, `until` is not. `node` asks for one chain; `after` is the seq in it behind which the answer begins,
    `behind` the place (time, node, seq) where chains are read together.
    """

    since: datetime | None = None
    until: datetime | None = None
    queue_id: str | None = None
    sender: str | None = None
    recipient: str | None = None
    subject: str | None = None
    group: str | None = None
    rule: str | None = None
    actor: str | None = None
    kinds: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()
    after: int = 0
    limit: int = 100
    node: str | None = None
    behind: tuple[int, str, int] | None = None
    scope: Scope = WHOLE

    @property
    def of_mails(self) -> bool:
        """Tell whether something is asked of the mail itself, so that events without a mail are no answer."""
        asked = (self.sender, self.recipient, self.subject, self.group, self.rule)
        return not self.scope.everything or any(each is not None for each in asked)


def microseconds(at: datetime) -> int:
    """Return an aware datetime as the log keeps it."""
    return (at - _EPOCH) // _MICROSECOND
