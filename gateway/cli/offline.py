"""What a command can know of a mail beyond its own octets: its content, read here. Nobody is asked about anything else.

Earlier mail and the DNS are the running gateway's to ask: without them a decision is made in doubt, which is strict, and the
command says what was not looked up.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace

from gateway.config.settings import Content as ContentSettings
from gateway.config.settings import Sealing as SealingSettings
from gateway.evidence.content.reader import Reader
from gateway.message.envelope import Envelope
from gateway.message.evidence import Content, Evidence
from gateway.message.facts import Facts
from gateway.message.replies import is_reply
from gateway.policy.conditions.context import Need
from gateway.policy.decision import Decision
from gateway.policy.demands import Language
from gateway.policy.handle import with_handling
from gateway.policy.handling import Seen
from gateway.policy.model import Policy
from gateway.policy.protection import Way
from gateway.sealing.sealer import Sealing

_WORDS = {
    Need.WRITERS: ("writers", "過去に送った相手", "who wrote to whom before"),
    Need.VOLUME: ("volume", "これまでの送信数", "how much was sent before"),
    Need.EARLIER: ("earlier", "返信元のメール", "the mail it replies to"),
    Need.DOMAINS: ("domains", "宛先ドメインのDNS", "the DNS of the domains"),
    Need.LOOK_ALIKES: ("look-alikes", "似たドメイン", "look-alike domains"),
    Need.HALVES: ("halves", "先に送ったファイルやパスワード", "files and passwords sent before"),
}
_KEYS = ("keys", "携帯電話の番号と事前に取り決めた鍵", "telephone numbers and agreed keys")
_SAID_OF_KEYS = {
    Language.JA: "照会していないため、ないものとして扱いました: {what}",
    Language.EN: "not looked up here, so none is known: {what}",
}
_SAID = {
    Language.JA: "照会していないため、該当するものとして扱いました: {what}",
    Language.EN: "not looked up here, so a rule that asks for it applies: {what}",
}


def with_what_is_here(facts: Facts, raw: bytes, policy: Policy) -> Facts:
    """Return the facts with the mail's content read, where a rule asks for it."""
    content = asyncio.run(_read(facts, raw)) if Need.CONTENT in policy.needs else None
    return replace(facts, evidence=Evidence(content=content, replies=_replies(facts)))


def with_files_here(decision: Decision, envelope: Envelope, raw: bytes) -> Decision:
    """Return the decision with what becomes of the files; numbers and agreed keys are not looked up, so none is known."""
    if not decision.protects:
        return decision
    always = frozenset({Way.SECOND_MAIL, Way.CODE_PAGE})
    ways = always | {Way.SENDER} if envelope.sender is not None else always
    return with_handling(decision, asyncio.run(_looked_at(raw)), lambda _: ways)


async def _looked_at(raw: bytes) -> Seen:
    sealing = Sealing(SealingSettings())
    try:
        return await sealing.look(raw)
    finally:
        await sealing.close()


def not_looked_up(policy: Policy) -> list[str]:
    """Return the kinds of evidence that rules ask for and that no command looks up."""
    return [words[0] for words in _missing(policy)]


def said(policy: Policy, language: Language) -> str:
    """Return the line that says so, empty where nothing is missing."""
    number = 1 if language is Language.JA else 2
    missing = [words[number] for need, words in _WORDS.items() if need in policy.needs]
    between = "、" if language is Language.JA else ", "
    lines = [_SAID[language].format(what=between.join(missing))] if missing else []
    lines += [_SAID_OF_KEYS[language].format(what=_KEYS[number])] if policy.protects else []
    return "".join(f"{line}\n" for line in lines)


def _missing(policy: Policy) -> list[tuple[str, str, str]]:
    found = [words for need, words in _WORDS.items() if need in policy.needs]
    return [*found, _KEYS] if policy.protects else found


def _replies(facts: Facts) -> bool | None:
    """Tell what is certain without asking: a mail that is no reply."""
    return None if is_reply(facts.header) else False


async def _read(facts: Facts, raw: bytes) -> Content:
    reader = Reader(ContentSettings())
    try:
        return await reader.read(facts, raw)
    finally:
        await reader.close()
