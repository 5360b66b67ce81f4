"""What a policy asks of the settings for the keys of files: somebody who carries text messages, a page that recipients reach.

A rule that could never send a key makes the policy one that is not put in force, like an unknown route; a way that is not
there while others are is a warning. Both name the rule.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from gateway.config.settings import Settings
from gateway.config.values import is_loopback
from gateway.policy.model import Policy, Rule
from gateway.policy.protection import How, Protection, Way
from gateway.yaml_source import Problem, Problems

_NO_CARRIER = (
    "set channels.sms.webhook or channels.sms.twilio, or add another way to password_by, for example sender"
)


def is_reachable(public_url: str) -> bool:
    """Tell whether the address of the pages can mean anything to somebody outside."""
    host = urlsplit(public_url).hostname
    return bool(host) and not is_loopback(str(host))


def carries_texts(settings: Settings) -> bool:
    """Tell whether somebody carries text messages."""
    return settings.channels.sms.webhook is not None or settings.channels.sms.twilio is not None


def check_ways(policy: Policy, texts: bool | None, folder: Path) -> None:
    """Raise `Problems` where a rule sends keys by text message alone and nobody carries them: no such mail would leave.

    `texts` tells whether somebody does; None asks for nothing.
    """
    if texts is not False:
        return
    alone = [rule for rule, asked in _protections(policy) if asked.ways == (Way.SMS,)]
    if alone:
        told = "keys go by sms alone, and the settings name nobody who carries text messages"
        raise Problems([_problem(folder, rule, told, _NO_CARRIER) for rule in dict.fromkeys(alone)])


def way_warnings(policy: Policy, settings: Settings) -> tuple[Problem, ...]:
    """Return what works otherwise than its author may think, one line for each rule and reason."""
    texts, reachable = carries_texts(settings), is_reachable(settings.web.public_url)
    found: dict[Problem, None] = {}
    for rule, asked in _protections(policy):
        for problem in _warnings(rule, asked, texts, reachable, settings):
            found[problem] = None
    return tuple(found)


def _warnings(
    rule: Rule, asked: Protection, texts: bool, reachable: bool, settings: Settings
) -> Iterator[Problem]:
    if asked.ways[:1] == (Way.SMS,) and not texts:
        told = "keys are to go by sms first, and the settings name nobody who carries text messages"
        yield _problem(settings.policies, rule, told, _NO_CARRIER)
    if not reachable and (asked.how is How.LINK or Way.CODE_PAGE in asked.ways):
        told = f"recipients are to fetch files at web.public_url, and {settings.web.public_url} is this machine alone"
        yield _problem(settings.policies, rule, told, "set it to the address that recipients reach")


def _protections(policy: Policy) -> Iterator[tuple[Rule, Protection]]:
    for rule in policy.rules:
        for ask in rule.asks if rule.protects else ():
            for asked in sorted(ask.demands.protections):
                yield rule, asked


def _problem(folder: Path, rule: Rule, told: str, hint: str) -> Problem:
    return Problem(str(folder / rule.file), max(rule.line, 1), 1, rule.id, told, hint)
