"""What people did with mail, as metrics. What an administrator cancels is counted by who watches the log."""

from __future__ import annotations

from gateway import metrics, rule_effects
from gateway.acting.allowed import Allowed
from gateway.people.contract import Role
from gateway.spool.contract import Change
from gateway.spool.lifecycle import Reason


def count_cancelled(found: Allowed, change: Change) -> None:
    """Count who was cancelled, and a mail for each rule that had held them."""
    if found.role is Role.ADMIN:
        return
    reason = Reason.REJECTED if found.role is Role.APPROVER else found.reason
    metrics.CANCELLED.labels(reason.value).inc(len(change.done))
    if found.role is Role.SENDER:
        _count(rule_effects.CANCELLED, found, change)


def count_waived(found: Allowed, change: Change) -> None:
    """Count a mail for each rule whose window was shortened."""
    _count(rule_effects.WAIVED, found, change)


def _count(effect: str, found: Allowed, change: Change) -> None:
    rules = {rule for index in change.done for rule in found.message.decision.of(index).rules}
    if rules:
        rule_effects.mails(effect, rule_effects.holding(rules))
