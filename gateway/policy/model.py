"""A policy ready to decide with: rules as tests and demands. Built by load.py, used by decide.py; never changed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import field
from datetime import UTC, tzinfo

from gateway.message.domains import DomainSet
from gateway.policy.actions.ask import Ask
from gateway.policy.conditions.context import Need
from gateway.policy.decision import ToLine
from gateway.policy.demands import Language, MailDemands, Text
from gateway.policy.disclaimers import Disclaimer
from gateway.policy.joined import Remembered
from gateway.policy.mail import Mail
from gateway.policy.memberships import NO_GROUPS, Memberships
from gateway.policy.people import People
from gateway.policy.protection import How, Protection, Way
from gateway.policy.tiers import Tier
from gateway.values import dataclass


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule. `file` is where it stands, below the policy folder: circles count for the hiding rules of their own file.

    `tier` is the file's, None in a folder without tiers; `line` is where the rule begins, 0 where nobody knows.

    A rule that only watches (`monitor`) asks for nothing; what it would ask for is recorded. `needs` is what has to be looked
    up before it can be told whether it applies; `words`: the mail's header fields or texts are.
    `written` is the rule as its file has it, in one spelling, with what stands for all names of the policy.
    """

    id: str
    file: str
    reason: Text
    applies: Callable[[Mail], bool]
    asks: tuple[Ask, ...]
    for_mail: MailDemands
    matching: People | None = None
    monitor: bool = False
    needs: Need = Need.NOTHING
    words: bool = False
    written: str = ""
    tier: Tier | None = None
    line: int = 0

    @property
    def place(self) -> str:
        """Return `file:line`."""
        return f"{self.file}:{self.line}"

    @property
    def holds(self) -> bool:
        """Tell whether the rule may make a recipient wait."""
        return any(
            ask.worked_out is not None or ask.demands.waits or ask.demands.protections for ask in self.asks
        )

    @property
    def protects(self) -> bool:
        """Tell whether the rule asks for files to be protected."""
        return any(ask.demands.protections for ask in self.asks) and not self.monitor


@dataclass(frozen=True, slots=True)
class Circle:
    """People who know each other: the keys of their addresses, and the file that says so."""

    file: str
    members: frozenset[str]


@dataclass(frozen=True, slots=True)
class Policy:
    """All files of a folder as one. `rules` are in the order of their ids; `seats` gives the circles of an address.

    `tag_names` are all header fields that some rule sets, in lower case: nobody else may. `needs` is what has to be looked up
    before it can decide. `disclaimers` are the texts that may stand under mails, by the keys that rules ask by.
    `zone` is the organisation's time zone. `protects`: some rule asks for files to be protected, so that mail may have to be
    looked at for them. `reports` are, by group, the keys of those who get its reports: its ordering body.
    `memberships` tells of which groups somebody is. `joined` gives what rules ask for that apply together.
    """

    digest: str
    organisation: str
    internal: tuple[str, ...]
    domains: DomainSet
    to_line: ToLine
    language: Language
    rules: tuple[Rule, ...]
    seats: Mapping[str, tuple[Circle, ...]]
    tag_names: frozenset[str] = frozenset()
    needs: Need = Need.NOTHING
    zone: tzinfo = UTC
    disclaimers: Mapping[str, Disclaimer] = field(default_factory=dict)
    protects: bool = False
    reports: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    memberships: Memberships = NO_GROUPS
    joined: Remembered = field(default_factory=Remembered, init=False, repr=False, compare=False)

    @property
    def routes(self) -> tuple[str, ...]:
        """Return the names of all next hops that its rules ask for, in order."""
        rules = [rule for rule in self.rules if not rule.monitor]
        return tuple(sorted({name for rule in rules for ask in rule.asks for name in ask.demands.routes}))

    @property
    def ways(self) -> tuple[Way, ...]:
        """Return all ways by which its rules may send keys, in order."""
        return tuple(sorted({way for each in self._protections() for way in each.ways}))

    @property
    def links(self) -> bool:
        """Tell whether a rule puts files behind the download page."""
        return any(each.how is How.LINK for each in self._protections())

    def _protections(self) -> Iterator[Protection]:
        rules = [rule for rule in self.rules if not rule.monitor]
        yield from (each for rule in rules for ask in rule.asks for each in ask.demands.protections)

    @property
    def has_floor(self) -> bool:
        """Tell whether an ordering body's rules are among these."""
        return any(rule.tier is Tier.FLOOR for rule in self.rules)
