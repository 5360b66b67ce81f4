"""`hold`: leave not before some time, and who may shorten that."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from pydantic import model_validator

from gateway.policy import values
from gateway.policy.actions.ask import Ask, Whom
from gateway.policy.conditions.context import Context
from gateway.policy.demands import NO_TIME, Demands
from gateway.policy.values import Part, shorthand, told


class Hold(Part):
    """Leave not before `window` has passed."""

    model_config = shorthand("window")

    window: values.Window = told("保留時間", "how long to wait", ...)
    for_: Whom = told(
        "だれが待つか: `external`(既定)、`all`、`matching`(このルールの `recipient` 条件の宛先)",
        "who waits: `external` (default), `all`, or `matching`: the recipients that the rule's own `recipient` condition "
        "names",
        "external",
        "for",
    )
    waive: Literal["sender", "reason", "nobody"] = told(
        "すぐに送ってよい人: `sender`(既定)、`reason`(送信者が理由を書けば。理由は記録され、`notify` の相手に知らされる)、"
        "`nobody`(誰も短縮できない)。取消はいつでもできます",
        "who may send it at once: `sender` (default), `reason` (the sender, who has to say why: it is recorded, and told to "
        "those of `notify`) or `nobody`. Cancelling is always possible",
        "sender",
    )

    @model_validator(mode="before")
    @classmethod
    def _short(cls, value: object) -> object:
        return {"window": value} if isinstance(value, str | int) else value


class HoldKeys(Part):
    """The key that makes mail wait."""

    hold: Hold | None = told("保留し、取り消せるようにする", "the mail waits and can be cancelled")


def asks(keys: HoldKeys, _rule: str, _context: Context) -> Iterator[Ask]:
    """Yield the window, and the part of it that cannot be waived."""
    if keys.hold is None:
        return
    window = keys.hold.window
    firm = window if keys.hold.waive == "nobody" else NO_TIME
    reasoned = window if keys.hold.waive == "reason" else NO_TIME
    yield Ask(keys.hold.for_, Demands(window=window, firm=firm, reasoned=reasoned))
