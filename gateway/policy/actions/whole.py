"""Demands on the mail as a whole: refuse it, mark every copy, tell people of the hold and the sender of its end."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Literal, get_args

from pydantic import AfterValidator, Discriminator, Tag, WithJsonSchema, field_validator

from gateway.policy import values
from gateway.policy.actions.ask import Ask
from gateway.policy.bilingual import Bilingual
from gateway.policy.conditions.context import Context
from gateway.policy.demands import Demands, MailDemands, Refusal
from gateway.policy.parts import Part, told
from gateway.policy.people import read_address
from gateway.policy.values import one_or_list
from gateway.yaml_source import Hinted

MAX_TAG = 200  # characters of a tag's value: one header line without folding (RFC 5322 2.1.1 allows 998)

_TAG_NAME = re.compile(r"X-[A-Za-z0-9](?:[A-Za-z0-9-]{0,60}[A-Za-z0-9])?", re.IGNORECASE)


def _tag_name(text: str) -> str:
    if not _TAG_NAME.fullmatch(text) or text.casefold().startswith("x-sekisho"):
        raise Hinted(
            f"not a header field a tag may set: {text!r}", "write X- and letters, digits or -; not X-Sekisho…"
        )
    return text


def _tag_value(text: str) -> str:
    if not text.strip() or len(text) > MAX_TAG or not (text.isascii() and text.isprintable()):
        raise Hinted("not a value for a header field", f"write 1 to {MAX_TAG} ASCII characters")
    return text.strip()


def _person(text: str) -> str:
    return text if text == "sender" else read_address(text)


def _when_told(moments: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    if not moments:
        raise Hinted("nobody is named", "leave the key out, or write {sender: [hold, left]}")
    for person, when in moments.items():
        if person != "sender" and "left" in when:
            hint = "write report_to: for people who want to know what became of a mail"
            raise Hinted(f"only the sender can be told that a mail left, not {person}", hint)
    return moments


TagName = Annotated[str, AfterValidator(_tag_name)]
TagValue = Annotated[str, AfterValidator(_tag_value)]

Moment = Literal["hold", "left"]
_Person = Annotated[str, AfterValidator(_person)]
_Moments = Annotated[tuple[Moment, ...], values.OneOrMany]
_TEXT = {"type": "string"}
_MOMENT = {"enum": list(get_args(Moment))}
Notified = Annotated[
    Annotated[tuple[_Person, ...], values.OneOrMany, Tag("people")]
    | Annotated[dict[_Person, _Moments], AfterValidator(_when_told), Tag("moments")],
    Discriminator(lambda value: "moments" if isinstance(value, dict) else "people"),
    WithJsonSchema(
        {
            "anyOf": [
                *one_or_list(_TEXT)["anyOf"],
                {"type": "object", "additionalProperties": one_or_list(_MOMENT), "minProperties": 1},
            ]
        }
    ),
]
"""Who is told, and of what: of a hold where nothing else is said."""


class WholeKeys(Part):
    """Keys for the mail as a whole."""

    refuse: Bilingual | None = told(
        "だれにも届けない。この文が送信者のメールソフトにすぐ表示される",
        "nobody gets the mail; the sender's mail client shows this text at once",
    )
    tag: dict[TagName, TagValue] | None = told(
        "すべての控えに加えるヘッダー欄", "header fields to add to every copy"
    )
    notify: Notified | None = told(
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
    asked: tuple[str, ...] | dict[str, tuple[Moment, ...]] | None,
) -> Mapping[str, Sequence[str]]:
    """Return who is told of what; whom the short form names is told of the hold."""
    return asked if isinstance(asked, dict) else dict.fromkeys(asked or (), ("hold",))
