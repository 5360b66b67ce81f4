"""What becomes of a recipient's files, in the words of `sekisho policy explain`, Japanese and English, and as data. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from gateway.policy.decision import Decision
from gateway.policy.demands import Language
from gateway.policy.handling import Handling
from gateway.units import format_duration

_WORDS = {
    Language.JA: {
        "file": "添付 {name}: {form}",
        "native": "鍵付きの元の形式(できないものはZIP)",
        "zip-aes256": "鍵付きZIP(AES-256)",
        "zip-legacy": "鍵付きZIP(旧方式、弱い)",
        "link": "ダウンロードページ",
        "block": "外す",
        "as-it-is": "そのまま",
        "key": "鍵: {way}",
        "sms": "SMS",
        "sender": "送信者が電話で伝える",
        "preagreed": "事前に取り決めたもの",
        "code-page": "なし(メールで届く確認コードだけで開く)",
        "second-mail": "別のメール(弱い)",
        "waits": "鍵の伝え方が決まるまで待ちます: {ways}({within}以内、なければ取消)",
        "held": "添付ファイルを保護できないため保留します: {why}({within}後に取消)",
        "expires": "期限: 受付から {span}",
    },
    Language.EN: {
        "file": "file {name}: {form}",
        "native": "encrypted as what it is, or in a ZIP",
        "zip-aes256": "in a ZIP with a key (AES-256)",
        "zip-legacy": "in a ZIP with a key (old and weak)",
        "link": "behind the download page",
        "block": "left out",
        "as-it-is": "as it is",
        "key": "the key: {way}",
        "sms": "by SMS",
        "sender": "told by the sender on the telephone",
        "preagreed": "agreed on beforehand",
        "code-page": "none; the mailed code alone opens the page",
        "second-mail": "in a mail of its own (weak)",
        "waits": "waits for a way for the key: {ways}, within {within}, else it is cancelled",
        "held": "held, because its files cannot be protected: {why}; cancelled after {within}",
        "expires": "good for {span} from acceptance",
    },
}
_OBSTACLES = {
    "unclear": ("構造が一通りに読めない", "its structure can be read in two ways"),
    "unread": ("添付を調べられなかった", "its files could not be looked at"),
    "structure": ("メールの構造が変わってしまう", "it would have other parts than before"),
    "undecodable": ("添付の符号化が壊れている", "a file is not what its transfer encoding allows"),
    "signed": ("署名されている", "it is signed"),
    "encrypted": ("メール全体が暗号化されている", "it is encrypted as a whole"),
    "forwarded": ("転送メールの中身である", "the file is the content of a forwarded mail"),
    "two-halves": ("ファイルが二つに分かれている", "the file is in two halves"),
    "no-body": ("本文がない", "it has no body"),
    "nothing-left": ("何も残らない", "nothing would be left of it"),
    "partly-encrypted": ("一部だけ暗号化された書庫がある", "an archive is encrypted only in part"),
    "too-large": ("旧方式のZIPには大きすぎる", "it is too large for the old cipher of ZIP"),
    "no-page": ("ダウンロードページの公開アドレスがない", "the download page has no public address"),
    "no-way": ("ルールに共通する鍵の伝え方がない", "its rules have no way for the key in common"),
}


def obstacle_text(word: str, language: Language) -> str:
    """Return why files cannot be protected; a word that is not known here stands for itself."""
    return _OBSTACLES.get(word, (word, word))[language is Language.EN]


def handling_lines(handling: Handling, names: Mapping[int, str], language: Language) -> Iterator[str]:
    """Yield what becomes of the files; `names` are those of all files, by place."""
    words = _WORDS[language]
    if handling.obstacle:
        why = obstacle_text(handling.obstacle, language)
        yield words["held"].format(why=why, within=format_duration(handling.within))
        return
    forms = {place: how.word for place, how in handling.forms}
    for place, name in names.items():
        yield words["file"].format(name=name or f"#{place}", form=words[forms.get(place, "as-it-is")])
    if handling.way is not None:
        yield words["key"].format(way=words[handling.way])
    elif handling.needs_key:
        ways = ", ".join(words[way] for way in handling.ways)
        yield words["waits"].format(ways=ways, within=format_duration(handling.within))
    if handling.needs_key or handling.shares:
        yield words["expires"].format(span=format_duration(handling.expires))


def names_of(decision: Decision) -> dict[int, str]:
    """Return the names of a mail's files by place."""
    return {file.place: file.name for file in decision.files}


def handling_json(handling: Handling | None) -> dict[str, Any] | None:
    """Return the handling for programs."""
    if handling is None:
        return None
    return {
        "rules": list(handling.rules),
        "forms": {str(place): how.word for place, how in handling.forms},
        "obstacle": handling.obstacle,
        "needs_key": handling.needs_key,
        "key_by": handling.way,
        "ways": list(handling.ways),
        "expires_s": handling.expires.total_seconds(),
        "within_s": handling.within.total_seconds(),
    }
