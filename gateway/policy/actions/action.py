"""`then`: the keys of all families in one model, and what they ask for together."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Self

from pydantic import model_validator

from gateway.policy.actions import attachments, hold, leaving, recipients, second_look, whole
from gateway.policy.actions.ask import Ask
from gateway.policy.actions.attachments import AttachmentsKeys
from gateway.policy.actions.hold import HoldKeys
from gateway.policy.actions.leaving import LeavingKeys
from gateway.policy.actions.recipients import RecipientKeys
from gateway.policy.actions.second_look import SecondLookKeys
from gateway.policy.actions.whole import WholeKeys
from gateway.policy.conditions.context import Context
from gateway.policy.demands import MailDemands
from gateway.yaml_source import Hinted


class Action(AttachmentsKeys, LeavingKeys, WholeKeys, RecipientKeys, SecondLookKeys, HoldKeys):
    """What the rule asks for. Everything here is added to what other rules ask for."""

    @model_validator(mode="after")
    def _asks(self) -> Self:
        if not self.model_fields_set or self.tag == {}:
            raise Hinted("the rule asks for nothing", "write what it asks for, for example hold: 10m")
        return self


def asks(action: Action, rule: str, context: Context) -> Iterator[Ask]:
    """Yield what the rule asks for some or all of the recipients."""
    yield from hold.asks(action, rule, context)
    yield from second_look.asks(action, rule, context)
    yield from recipients.asks(action, rule, context)
    yield from whole.asks(action, rule, context)
    yield from leaving.asks(action, rule, context)
    yield from attachments.asks(action, rule, context)


def for_mail(action: Action, rule: str, context: Context) -> MailDemands:
    """Return what the rule asks for the mail as a whole."""
    return whole.for_mail(action, rule).join(leaving.for_mail(action, context))
