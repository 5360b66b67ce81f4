"""The shape of a policy file: every key there is, its type and its default. docs/policy.md lists them; a test compares.

These models hold what one file says. What only shows when all files are together is checked in load.py.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import model_validator

from gateway.policy import values
from gateway.policy.actions.action import Action
from gateway.policy.actions.proxies import Proxy
from gateway.policy.bilingual import Bilingual
from gateway.policy.calendar_keys import CalendarPart
from gateway.policy.clock_values import Zone
from gateway.policy.conditions.condition import Condition
from gateway.policy.disclaimers import DisclaimerName, Disclaimers
from gateway.policy.parts import Part, shorthand, told
from gateway.yaml_source import Hinted


class Rule(Part):
    """One rule: when it applies, and what it then asks for."""

    id: values.RuleId = told(
        "すべてのファイルを通じて一つだけの名前(`a-z`、`0-9`、`-`)。ログと通知に出ます",
        "a name of its own in all files: `a-z`, `0-9`, `-`; it stands in logs and notices; required",
        ...,
    )
    reason: Bilingual = told(
        "理由。事務員が読む言葉で",
        "why, in the words a clerk reads: `{ja: …, en: …}`, or one text for both; required",
        ...,
    )
    when: Condition | None = told(
        "条件。なければすべてのメールに適用", "the conditions; without it the rule applies to every mail"
    )
    unless: Condition | None = told(
        "例外。すべて確実に成り立てば適用しない",
        "the exception: if all its conditions certainly hold, the rule does not apply",
    )
    then: Action = told("要求", "what the rule asks for; required", ...)
    monitor: values.Flag = told(
        "`true`: 記録だけして、何もしない(ルールの試行)",
        "`true`: record only what the rule would have asked for; nothing is done (to introduce a rule)",
        False,
    )


class ToField(Part):
    """The To line of a hiding copy: `sender`, or an empty group with a name (RFC 5322 3.4)."""

    model_config = shorthand({"const": "sender"})

    group: values.Name | None = told(
        "To に入る表示名。アドレスは見えません",
        "the display name in To; such a To shows a name and no address",
    )

    @model_validator(mode="before")
    @classmethod
    def _sender(cls, value: object) -> object:
        if isinstance(value, str) and value != "sender":
            raise Hinted(f"not a To line: {value!r}", "write sender, or {group: a name}")
        return {} if value == "sender" else value


class Organisation(Part):
    """Whose gateway this is. Stands in exactly one file."""

    name: values.Name = told("組織の名前", "the name of the organisation", ...)
    internal: values.Domains = told(
        "内部のドメイン。`example.jp` はそのドメインだけ、`.example.jp` はその下すべて(両方必要なら両方)。空にはできません。"
        "それ以外のすべて、二通りに読めるアドレス、IP アドレスのリテラルは外部です。`.jp` のような最上位は誤りです",
        "who is inside: `example.jp` is that domain, `.example.jp` every domain below it, so write both where both are yours; "
        "never empty. A whole top-level domain such as `.jp` is refused: everybody would be inside. Everybody else, every "
        "address that can be read in two ways and every address literal is external",
        ...,
    )
    language: Literal["ja", "en"] = told(
        "通知と拒否の文の言語: `ja`(既定)、`en`",
        "language of notices and refusals: `ja` (default) or `en`",
        "ja",
    )
    to_line: ToField = told(
        "宛先を隠したときの To: `sender`(既定、送信者自身)、または `{group: ご案内先各位}`",
        "what stands in To where recipients are hidden: `sender` (default) or `{group: ご案内先各位}`",
        ToField(),
    )
    timezone: Zone = told(
        "時間帯。`Asia/Tokyo`(既定)、`UTC` など",
        "the time zone of everything that speaks of time: `Asia/Tokyo` (default), `UTC`, `Europe/Berlin`",
        "Asia/Tokyo",
    )


class Group(Part):
    """People who send, and who looks at their mail a second time."""

    senders: values.PeoplePatterns = told(
        "この人々: アドレスとドメイン", "the people: addresses and domains", ...
    )
    report_to: values.Copies | None = told(
        "このグループの一斉送信の報告を受け取る内部のアドレス(`then: {report_to: グループ名}`)",
        "addresses inside that get the reports of rules which say `report_to:` with the name of this group",
    )
    approvers: values.Addresses | None = told(
        "承認者のアドレス(`approve`)", "addresses of those who approve its mail (see `approve`)"
    )
    proxies: tuple[Proxy, ...] = told(
        "代理: 期間中、承認者に加わる人(承認者と入れ替わるのではない)",
        "who may approve as well, from one day to another: proxies add to the approvers and never replace them",
        (),
    )


class PolicyFile(Part):
    """One file of `policies/`."""

    version: Literal[1] = told("常に `1`", "always `1`", ...)
    organisation: Organisation | None = told(
        "だれの関所か。フォルダーのうち一つのファイルだけに書きます",
        "whose gateway this is; in exactly one file of the folder",
    )
    circles: dict[values.Name, values.Addresses] = told(
        "互いを知っている人々: 名前とアドレス", "people who know each other: a name and their addresses", {}
    )
    groups: dict[values.Name, Group] = told(
        "名前を付けた送信者の集まり。`sender_in` で使います", "senders with a name, for `sender_in`", {}
    )
    keywords: dict[values.Name, values.Sentences] = told(
        "名前を付けたキーワードのリスト。`text` で使います", "lists of words with a name, for `text`", {}
    )
    disclaimers: dict[DisclaimerName, Disclaimers] = told(
        "メールの本文の下に付ける文面: 名前と文面",
        "texts that rules put under mails: a name and the text",
        {},
    )
    calendars: dict[values.Name, CalendarPart] = told(
        "開いている時間: 名前と時間。`during`、`outside`、`hold` で使います",
        "when an office is open: a name and its hours, for `during`, `outside` and `hold`",
        {},
    )
    rules: tuple[Rule, ...] = told("ルール", "the rules", ())


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema of a policy file, for editors."""
    schema: dict[str, Any] = _without_null(PolicyFile.model_json_schema(by_alias=True))
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **schema,
        "title": "Sekisho policy file",
    }


def _without_null(schema: Any) -> Any:
    """Take out what models need and files must not have: null, and defaults that are models."""
    if isinstance(schema, list):
        return [_without_null(item) for item in schema if item != {"type": "null"}]
    if not isinstance(schema, dict):
        return schema
    out = {key: _without_null(value) for key, value in schema.items() if (key, value) != ("default", None)}
    if list(out.get("anyOf", ())) and len(out["anyOf"]) == 1:
        out |= out.pop("anyOf")[0]
    if isinstance(out.get("default"), dict):
        del out["default"]
    return out
