"""Things that the texts of a mail hold, by detector: which, where, and how many different ones.

Nothing is known but how many there are in each place. The same thing may stand in two, so that all together hold as many
as one of them at least, and the sum at most; and what could not be read may hold any number.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields
from functools import partial
from typing import Annotated, Literal, get_args

from gateway.message.evidence import Content, Findings
from gateway.policy import values
from gateway.policy.conditions.certainty import NOBODY_KNOWS, Counted, in_range
from gateway.policy.conditions.context import Test
from gateway.policy.mail import Mail
from gateway.policy.parts import Part, told

Place = Literal["subject", "body", "attachments"]
Thing = Literal[
    "my_number",
    "corporate_number",
    "card",
    "phone",
    "postal_address",
    "mail_address",
    "person",
    "password",
]

EVERYWHERE: tuple[Place, ...] = get_args(Place)
_POSSIBLE = frozenset(field.name for field in fields(Findings) if field.name.endswith("_possible"))

Things = Annotated[tuple[Thing, ...], values.OneOrMany, values.words_schema(Thing)]
Places = Annotated[tuple[Place, ...], values.OneOrMany, values.words_schema(Place)]


class Holds(Part):
    """Which things a mail holds, where, and how many of them."""

    has: Things = told(
        "探すもの: `my_number`(マイナンバー)、`corporate_number`(法人番号)、`card`(カード番号)、`phone`(電話)、"
        "`postal_address`(住所)、`mail_address`(メールアドレス)、`person`(表の中の人)、`password`(パスワード)。いずれか",
        "what to look for: `my_number`, `corporate_number`, `card`, `phone`, `postal_address`, `mail_address`, `person` (in a "
        "table: a name and something about it), `password`; OR",
        ...,
    )
    in_: Places = told(
        "探す場所: `subject`(件名)、`body`(本文)、`attachments`(添付)。既定は全部",
        "where: `subject`, `body`, `attachments`; everywhere if it is not said",
        EVERYWHERE,
        alias="in",
    )
    at_least: values.Count = told(
        "異なるものがこの数以上。既定は1", "this many different ones or more; 1 if not said", 1
    )
    possible: values.Flag = told(
        "`true`: 検査数字が合うだけの番号も数える",
        "`true`: count also numbers of which only the check digit speaks for them",
        False,
    )
    certain: values.Flag = told(
        "`true`: 読めたものだけで判断。読めないものは `unread` で",
        "`true`: only what could be read counts; rules for the rest ask for `unread`",
        False,
    )


def holds(wanted: Holds, in_doubt: bool) -> Test:
    """Return the test that one of the things is there often enough."""
    counts = [
        partial(number_of, thing, places=wanted.in_, possible=wanted.possible, certain=wanted.certain)
        for thing in wanted.has
    ]
    tests = [in_range(wanted.at_least, None, count, in_doubt) for count in counts]
    return lambda mail: any(test(mail) for test in tests)


def number_of(
    thing: str,
    mail: Mail,
    places: Iterable[Place] = EVERYWHERE,
    possible: bool = False,
    certain: bool = False,
) -> Counted:
    """Return how many different ones there are: as many as in one place at least, as in all of them together at most."""
    found: list[int] = []
    known = True
    for place in places:
        if place == "subject":
            found.append(_of(mail.subject_findings, thing, possible))
            continue
        content = mail.facts.evidence.content
        if content is None and certain and not mail.facts.recorded:
            continue  # nothing could be read: a rule that is sure of what it says must not take that for a find
        if content is None:
            return NOBODY_KNOWS
        found += [_of(one, thing, possible) for one in _found(content, place)]
        known = known and (certain or not any(unread_of(content, place)))
    return Counted(max(found, default=0), sum(found) if known else None)


def _found(content: Content, place: Place) -> list[Findings]:
    return [content.body] if place == "body" else [file.found for file in content.files]


def unread_of(content: Content, place: Place) -> list[str]:
    """Return for each text of a place why it was not read; empty where it was."""
    return [content.body_unread] if place == "body" else [file.unread for file in content.files]


def _of(found: Findings, thing: str, possible: bool) -> int:
    certain: int = getattr(found, thing)
    doubtful = f"{thing}_possible"
    return certain + (getattr(found, doubtful) if possible and doubtful in _POSSIBLE else 0)
