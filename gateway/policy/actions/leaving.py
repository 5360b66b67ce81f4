"""Demands that change what leaves, and to whom: dropped recipients, copies, reports, next hops, texts under the mail."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import model_validator

from gateway.policy import values
from gateway.policy.actions.ask import Ask, Whom
from gateway.policy.conditions.context import Context
from gateway.policy.demands import Demands, Language, MailDemands
from gateway.policy.disclaimers import DisclaimerName, key_of
from gateway.policy.parts import Part, Short, shorthand, told
from gateway.yaml_source import Hinted


class Drop(Part):
    """Some recipients do not get the mail; the others do."""

    model_config = shorthand({"const": True})

    for_: Whom = told(
        "だれに送らないか: `matching`(既定。このルールの `recipient` 条件の宛先)、`external`、`all`",
        "who does not get it: `matching` (default): the recipients that the rule's own `recipient` condition names, "
        "`external` or `all`",
        "matching",
        "for",
    )

    @model_validator(mode="before")
    @classmethod
    def _short(cls, value: object) -> object:
        if value is False:
            raise Hinted("drop_recipient: false drops nobody", "leave the key out")
        return {} if value is True else value


class NextHop(Short):
    """Another smarthost, by its name in the settings."""

    short = "name"

    name: values.RouteName = told(
        "設定 `delivery.routes` にある中継先の名前",
        "the name of the next hop in the settings, `delivery.routes`",
        ...,
    )
    for_: Whom = told(
        "だれ宛てのメールか: `external`(既定)、`all`、`matching`",
        "whose mail goes there: `external` (default), `all` or `matching`",
        "external",
        "for",
    )


class TextUnder(Short):
    """A text of `disclaimers` under the mail's own."""

    short = "name"

    name: DisclaimerName = told(
        "`disclaimers` にある文面の名前", "the name of the text in `disclaimers`", ...
    )
    language: Language | None = told(
        "文面の言語: `ja`、`en`。なければ組織の `language`",
        "in which language: `ja` or `en`; without it, the organisation's `language`",
    )
    for_: Whom = told(
        "だれ宛てのメールに付けるか: `external`(既定)、`all`、`matching`",
        "in whose copies it stands: `external` (default), `all` or `matching`",
        "external",
        "for",
    )


class LeavingKeys(Part):
    """Keys for what leaves, and to whom."""

    drop_recipient: Drop | None = told(
        "一部の宛先に送らない。ほかの宛先には届く", "some recipients do not get the mail; the others do"
    )
    bcc_to: values.Copies | None = told(
        "控えを受け取る人(上長など)。だれの控えにも表示されない",
        "who gets a copy, such as a supervisor; nobody's copy shows it",
    )
    report_to: values.Reported | None = told(
        "全宛先の結果が決まったあとに報告を受け取る内部のアドレス、または `report_to` のあるグループの名前",
        "who gets a report when the fate of all recipients is known: addresses inside, or names of groups with `report_to`",
    )
    route: NextHop | None = told("別の中継先から送る", "the mail leaves by another next hop")
    disclaimer: TextUnder | None = told("本文の下に文面を付ける", "a text stands under the mail's own text")


def asks(keys: LeavingKeys, _rule: str, _context: Context) -> Iterator[Ask]:
    """Yield who is dropped, by which way the others' mail leaves, and with what under it."""
    if keys.drop_recipient is not None:
        yield Ask(keys.drop_recipient.for_, Demands(drop=True))
    if keys.route is not None:
        yield Ask(keys.route.for_, Demands(routes=frozenset([keys.route.name])))
    if keys.disclaimer is not None:
        key = key_of(keys.disclaimer.name, keys.disclaimer.language)
        yield Ask(keys.disclaimer.for_, Demands(disclaimers=frozenset([key])))


def for_mail(keys: LeavingKeys, context: Context) -> MailDemands:
    """Return who gets a copy, and who the report."""
    reported: set[str] = set()
    for each in keys.report_to or ():
        reported.update([each] if "@" in each else context.reports.get(each, ()))
    return MailDemands(bcc_to=frozenset(keys.bcc_to or ()), report_to=frozenset(reported))
