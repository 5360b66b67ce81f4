"""Demands on the mail as a whole: refuse it, mark every copy, tell people of the hold and the sender of its end."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from pydantic import field_validator

from gateway.policy import values
from gateway.policy.actions.ask import Ask
from gateway.policy.bilingual import Bilingual
from gateway.policy.conditions.context import Context
from gateway.policy.demands import Demands, MailDemands, Refusal
from gateway.policy.values import Part, told
from gateway.yaml_source import Hinted


class WholeKeys(Part):
    """Keys for the mail as a whole."""

    refuse: Bilingual | None = told(
        "だれにも届けない。この文が送信者のメールソフトにすぐ表示される",
        "nobody gets the mail; the sender's mail client shows this text at once",
    )
    tag: dict[values.TagName, values.TagValue] | None = told(
        "すべての控えに加えるヘッダー欄", "header fields to add to every copy"
    )
    notify: values.Told | None = told(
        "保留を知らせる相手: `sender` とアドレス。`{sender: [hold, left]}` と書くと、送信者には送信完了も知らせる",
        "who gets a notice about the hold: `sender` and addresses; with `{sender: [hold, left]}` the sender also hears that "
        "the mail has left",
    )
    colleagues_may_stop: values.Flag | None = told(
        "`true`: すぐに届く内部の受信者の控えに、まだ外部へ出ていない分を止められるリンクを付ける",
        "`true`: recipients inside who get their copy at once find a link in it by which they can stop what has not left for "
        "outside",
    )

    @field_validator("colleagues_may_stop")
    @classmethod
    def _may(cls, value: bool | None) -> bool | None:
        if value is False:
            raise Hinted(
                "colleagues_may_stop: false takes nothing away from other rules", "leave the key out"
            )
        return value


def asks(keys: WholeKeys, _rule: str, _context: Context) -> Iterator[Ask]:
    """Yield the tags: every copy has them."""
    if keys.tag is not None:
        yield Ask("all", Demands(tags=frozenset(keys.tag.items())))


def for_mail(keys: WholeKeys, rule: str) -> MailDemands:
    """Return the refusal, and who is told."""
    moments = _moments(keys.notify)
    refused = frozenset([Refusal(rule, keys.refuse.text())]) if keys.refuse is not None else frozenset()
    of_hold = {person for person, when in moments.items() if "hold" in when}
    return MailDemands(
        refusals=refused,
        notify_sender="sender" in of_hold,
        notify=frozenset(of_hold - {"sender"}),
        tell_left="left" in moments.get("sender", ()),
        colleagues_may_stop=bool(keys.colleagues_may_stop),
    )


def _moments(
    asked: tuple[str, ...] | dict[str, tuple[values.Moment, ...]] | None,
) -> Mapping[str, Sequence[str]]:
    """Return who is told of what; whom the short form names is told of the hold."""
    return asked if isinstance(asked, dict) else dict.fromkeys(asked or (), ("hold",))
