"""A decision is a value: what every recipient of one mail gets, when, in which form, and which rules asked for it.

Demands form a join-semilattice: `join` is commutative, associative and idempotent, and never weakens either side. That is
why rules can only ever add (docs/decisions/0003-rules-only-add.md). The decision is stored with the message as JSON.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from enum import IntEnum, StrEnum
from functools import reduce
from typing import Any

NO_TIME = timedelta(0)


class Form(IntEnum):
    """How the recipients of a copy are shown, in the order of how much it hides."""

    ORIGINAL = 0
    BCC = 1
    INDIVIDUAL = 2


class Language(StrEnum):
    JA = "ja"
    EN = "en"


@dataclass(frozen=True, slots=True)
class Text:
    """A sentence for people in both languages; a policy that gives one language gives it for both."""

    ja: str
    en: str

    def in_(self, language: Language) -> str:
        return self.ja if language is Language.JA else self.en


@dataclass(frozen=True, slots=True)
class Demands:
    """What rules ask for one recipient. The empty value demands nothing and is the neutral element of `join`.

    `window` is how long to hold; `firm` is the part of it that the sender cannot waive (firm <= window).
    `hide_internal` says that a hiding form hides internal addresses too. `tags` are header fields to add.
    """

    window: timedelta = NO_TIME
    firm: timedelta = NO_TIME
    form: Form = Form.ORIGINAL
    hide_internal: bool = False
    tags: frozenset[tuple[str, str]] = frozenset()

    def join(self, other: Demands) -> Demands:
        """Return the least demands that satisfy both."""
        return Demands(
            window=max(self.window, other.window),
            firm=max(self.firm, other.firm),
            form=max(self.form, other.form),
            hide_internal=self.hide_internal or other.hide_internal,
            tags=self.tags | other.tags,
        )

    def covers(self, other: Demands) -> bool:
        """Tell whether these demands are at least as strict as `other` (the order the join belongs to)."""
        return self.join(other) == self


NOTHING = Demands()
"""What no rule asks anything for gets."""


def join_all(demands: list[Demands]) -> Demands:
    """Join any number of demands, in any order; none at all gives the empty ones."""
    return reduce(Demands.join, demands) if demands else NOTHING


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a class of recipients gets. `companions` are addresses (keys) that they may see although they are external."""

    external: bool
    demands: Demands
    companions: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Refusal:
    rule: str
    text: Text


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a rule applies, in its author's words."""

    rule: str
    text: Text


@dataclass(frozen=True, slots=True)
class ToLine:
    """The To field of a copy that hides: the sender's own address, or an empty group with this display name."""

    group: str | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """The whole decision on one mail.

    `assigned[i]` is the index into `outcomes` of envelope recipient i; recipients with the same fate share one outcome.
    A mail with `refusals` is refused as a whole. `internal` are the policy's patterns at that time, so that rendering needs
    no policy, and `tag_names` (lower case) the header fields that only the policy sets. `digest` names the policy that
    decided.
    """

    digest: str
    outcomes: tuple[Outcome, ...]
    assigned: tuple[int, ...]
    refusals: tuple[Refusal, ...] = ()
    reasons: tuple[Reason, ...] = ()
    notify_sender: bool = False
    notify: frozenset[str] = frozenset()
    internal: tuple[str, ...] = ()
    to_line: ToLine = field(default_factory=ToLine)
    language: Language = Language.JA
    tag_names: frozenset[str] = frozenset()

    def of(self, recipient: int) -> Outcome:
        """Return the outcome of envelope recipient number `recipient`."""
        return self.outcomes[self.assigned[recipient]]

    def to_json(self) -> dict[str, Any]:
        """Return the stored form, version 1, without `assigned`: each recipient's row keeps its own class."""
        return {
            "v": 1,
            "digest": self.digest,
            "outcomes": [_outcome_json(o) for o in self.outcomes],
            "refusals": [[r.rule, r.text.ja, r.text.en] for r in self.refusals],
            "reasons": [[r.rule, r.text.ja, r.text.en] for r in self.reasons],
            "notify_sender": self.notify_sender,
            "notify": sorted(self.notify),
            "internal": list(self.internal),
            "to_group": self.to_line.group,
            "language": self.language.value,
            "tag_names": sorted(self.tag_names),
        }

    @staticmethod
    def from_json(data: dict[str, Any], assigned: tuple[int, ...]) -> Decision:
        """Rebuild a decision from its stored form; raises ValueError on a version this code does not know."""
        if data.get("v") != 1:
            raise ValueError(f"stored decision has version {data.get('v')!r}, known is 1")
        return Decision(
            digest=data["digest"],
            outcomes=tuple(_outcome_from(o) for o in data["outcomes"]),
            assigned=assigned,
            refusals=tuple(Refusal(r, Text(ja, en)) for r, ja, en in data["refusals"]),
            reasons=tuple(Reason(r, Text(ja, en)) for r, ja, en in data["reasons"]),
            notify_sender=data["notify_sender"],
            notify=frozenset(data["notify"]),
            internal=tuple(data["internal"]),
            to_line=ToLine(data["to_group"]),
            language=Language(data["language"]),
            tag_names=frozenset(data.get("tag_names", ())),
        )


def _outcome_json(outcome: Outcome) -> dict[str, Any]:
    demands = outcome.demands
    return {
        "external": outcome.external,
        "window_s": demands.window.total_seconds(),
        "firm_s": demands.firm.total_seconds(),
        "form": demands.form.name.lower(),
        "hide_internal": demands.hide_internal,
        "tags": sorted(demands.tags),
        "companions": list(outcome.companions),
        "rules": list(outcome.rules),
    }


def _outcome_from(data: dict[str, Any]) -> Outcome:
    return Outcome(
        external=data["external"],
        demands=Demands(
            window=timedelta(seconds=data["window_s"]),
            firm=timedelta(seconds=data["firm_s"]),
            form=Form[data["form"].upper()],
            hide_internal=data["hide_internal"],
            tags=frozenset((name, value) for name, value in data["tags"]),
        ),
        companions=tuple(data["companions"]),
        rules=tuple(data["rules"]),
    )
