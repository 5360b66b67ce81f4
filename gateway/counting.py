"""What people did with mail, as metrics, whichever way they came: by a link, signed in, or by a program."""

from __future__ import annotations

from collections.abc import Collection

from gateway import metrics, rule_effects
from gateway.spool.lifecycle import CANCELLABLE, Reason
from gateway.spool.values import Stored

_HANDED_IN = frozenset(
    {Reason.BY_SENDER, Reason.BY_COLLEAGUE}
)  # whose second thought tells whether a rule was right


def count_cancelled(reason: Reason, message: Stored, done: Collection[int]) -> None:
    """Count the recipients who were cancelled, and a mail for each rule that had held them.

    What an administrator cancels is counted by who watches the log (gateway/service/watch.py).
    """
    if reason is Reason.BY_ADMIN:
        return
    metrics.CANCELLED.labels(reason.value).inc(len(done))
    if reason in _HANDED_IN:
        _count(rule_effects.CANCELLED, message, done)


def count_stopped(reason: Reason, before: Stored, stopped: Collection[int]) -> None:
    """Count those whom a mail that was taken back was stopped for by this, and not by an earlier word."""
    open_ = {row.index for row in before.recipients if row.state in CANCELLABLE}
    count_cancelled(reason, before, open_.intersection(stopped))


def count_waived(message: Stored, done: Collection[int]) -> None:
    """Count a mail for each rule whose window was shortened."""
    _count(rule_effects.WAIVED, message, done)


def _count(effect: str, message: Stored, done: Collection[int]) -> None:
    rules = {rule for index in done for rule in message.decision.of(index).rules}
    if rules:
        rule_effects.mails(effect, rule_effects.holding(rules))
