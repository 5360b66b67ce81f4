"""`attachments`: in what form files leave, and by which way the key gets to the recipient.

What cannot be (a key where no key is needed, the code of a page that nobody opens) is an error here; what is possible and weak
is a warning of `policy check` (protection_checks.py). docs/attachments.md is for those who write policies.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from gateway.detect.kinds import KINDS
from gateway.policy import values
from gateway.policy.actions.ask import Ask, Whom
from gateway.policy.conditions.context import Context
from gateway.policy.demands import Demands
from gateway.policy.parts import Part, Short, told
from gateway.policy.protection import EXPIRES, WITHIN, How, Protection, Way
from gateway.protect.keys import DEFAULT_BITS, MAX_BITS, MIN_BITS
from gateway.yaml_source import Hinted, nearest

MAX_DOWNLOADS = 1000  # a page opened more often than that is no attachment any more

WAYS = (Way.PREAGREED, Way.SMS, Way.SENDER)
"""By which way a key goes where the rule does not say: as little work as can be, and the last of them is always there."""

LINK_WAYS = (Way.CODE_PAGE,)
"""What opens a link where the rule does not say: the code that is mailed to the recipient."""

ProtectWord = Literal["native", "zip-aes256", "zip-legacy", "link", "block"]
WayWord = Literal["sms", "sender", "preagreed", "code-page", "second-mail"]
StyleWord = Literal["letters", "characters", "words-ja", "words-en"]
_IDLE_OF_BLOCK = ("password_by", "key", "per", "expires", "hide_names")


def _bits(value: object) -> object:
    if isinstance(value, int) and not MIN_BITS <= value <= MAX_BITS:
        raise Hinted(f"a key of {value} bits", f"write {MIN_BITS} to {MAX_BITS}; {DEFAULT_BITS} is usual")
    return value


def _kept(text: str) -> str:
    if "*" in text or "?" in text or "." in text or text in KINDS:
        return text
    raise Hinted(
        f"{text!r} is no kind of file and no pattern for names",
        nearest(text, sorted(KINDS), offer_all=False) or 'for example pdf, or "*.ics"',
    )


Bits = Annotated[int, BeforeValidator(_bits), Field(strict=True, ge=MIN_BITS, le=MAX_BITS)]
Downloads = Annotated[values.Count, Field(ge=1, le=MAX_DOWNLOADS)]
Kept = Annotated[
    tuple[Annotated[values.Glob, BeforeValidator(_kept)], ...], values.OneOrMany, values.FEW_OR_ONE
]
Ways = Annotated[tuple[WayWord, ...], values.OneOrMany, values.words_schema(WayWord)]


class KeyForm(Part):
    """What a key looks like, and how hard it is to guess."""

    style: StyleWord = told(
        "`letters`(小文字、既定)、`characters`(英字と数字)、`words-ja`(日本語の単語、ローマ字)、`words-en`(英単語)。"
        "見間違えやすい文字は使いません",
        "`letters` (default), `characters` (letters and digits), `words-ja` (Japanese words in Latin letters) or `words-en`; "
        "never characters that look alike",
        "letters",
    )
    bits: Bits = told(
        "強さ(ビット)。`40` から `128`、既定 `60`",
        "its strength in bits, `40` to `128`; `60` by default",
        DEFAULT_BITS,
    )


class Protect(Short):
    """In what form files leave."""

    short = "protect"

    protect: ProtectWord = told(
        "`native`(PDF と Office はそのまま暗号化、ほかは ZIP)、`zip-aes256`、`zip-legacy`(弱い)、`link`(メールから外し、"
        "ダウンロードページに置く)、`block`(外す)",
        "`native` (PDF and Office files are encrypted as what they are, others in a ZIP), `zip-aes256`, `zip-legacy` (weak), "
        "`link` (the files wait behind the download page) or `block` (they are left out); required",
        ...,
    )
    password_by: Ways | None = told(
        "鍵の伝え方。使える最初のもの: `preagreed`(事前に取り決めた鍵)、`sms`、`sender`(送信者が電話で伝える)、`code-page`"
        "(`link` のみ: 確認コードだけ)、`second-mail`(弱い)。既定は `[preagreed, sms, sender]`、`link` では `code-page`",
        "by which way the key gets there, the first that is possible: `preagreed`, `sms`, `sender` (who tells it on the "
        "telephone), `code-page` (`link` only: the mailed code alone opens it), `second-mail` (weak). Default "
        "`[preagreed, sms, sender]`; of `link`, `code-page`",
    )
    hide_names: values.Flag = told(
        "`true`: ファイル名も隠す。`native` は ZIP になります",
        "`true`: nobody without the key sees the files' names; `native` then becomes `zip-aes256`",
        False,
    )
    per: Literal["message", "recipient"] = told(
        "鍵は `message`(メールごと、既定)か `recipient`(宛先ごと)",
        "a key for each `message` (default) or for each `recipient`",
        "message",
    )
    key: KeyForm = told("鍵の形", "what a key looks like", KeyForm())
    keep: Kept = told(
        "このルールがそのままにするファイル: 種類か名前の型。ほかのルールは変わりません",
        'files that this rule leaves as they are, by kind or name: `[ics, "*.txt"]`; other rules still see them',
        (),
    )
    expires: values.Window = told(
        "鍵とリンクの期限(受付から、既定 `14d`)",
        "how long keys and links are good, from the acceptance of the mail: `14d` by default",
        EXPIRES,
    )
    downloads: Downloads | None = told(
        "`link`: 宛先ごとのダウンロード回数の上限。なければ制限なし",
        "`link`: how often each recipient may fetch a file; without it, as often as they like",
    )
    within: values.Window = told(
        "鍵の伝え方が決まるまで待つ時間。過ぎたら取消(既定 `24h`)",
        "how long the mail waits for what its key needs before it is cancelled: `24h` by default",
        WITHIN,
    )
    for_: Whom = told(
        "だれ宛てのファイルか: `external`(既定)、`all`、`matching`",
        "in whose copies: `external` (default), `all` or `matching`",
        "external",
        "for",
    )

    @model_validator(mode="after")
    def _possible(self) -> Self:
        if self.protect == "block":
            self._needs_no_key()
        if self.downloads is not None and self.protect != "link":
            raise Hinted("downloads counts at a link, and there is none", "write protect: link, or remove it")
        if "code-page" in (self.password_by or ()) and self.protect != "link":
            raise Hinted(
                "code-page is a way for links: the code goes to the mailbox that the file itself is in",
                "write protect: link, or another way such as sms or sender",
            )
        return self

    def _needs_no_key(self) -> None:
        idle = [key for key in _IDLE_OF_BLOCK if key in self.model_fields_set]
        if idle:
            raise Hinted(f"block leaves the files out: {idle[0]} means nothing", "remove it")

    @property
    def ways(self) -> tuple[Way, ...]:
        """Return by which ways a key may go, in the order of preference; each once."""
        if self.password_by is not None:
            return tuple(dict.fromkeys(map(Way, self.password_by)))
        return {"link": LINK_WAYS, "block": ()}.get(self.protect, WAYS)


class AttachmentsKeys(Part):
    """The key for the form in which files leave."""

    attachments: Protect | None = told(
        "添付ファイルを保護して送る。鍵は別の経路で", "files leave protected, and their key by another way"
    )


def asks(keys: AttachmentsKeys, rule: str, _context: Context) -> Iterator[Ask]:
    """Yield what the files of a mail need; a mail without files is asked nothing."""
    if keys.attachments is not None:
        wanted = protection_of(keys.attachments, rule)
        yield Ask(keys.attachments.for_, Demands(protections=frozenset([wanted])), of_files=True)


def protection_of(asked: Protect, rule: str) -> Protection:
    """Return what the rule asks for as a value."""
    return Protection(
        rule=rule,
        how=How[asked.protect.upper().replace("-", "_")],
        ways=asked.ways,
        keep=tuple(sorted(set(asked.keep))),
        hide_names=asked.hide_names,
        style=asked.key.style,
        bits=asked.key.bits,
        own_key=asked.per == "recipient",
        expires=asked.expires,
        downloads=asked.downloads or 0,
        within=asked.within,
    )
