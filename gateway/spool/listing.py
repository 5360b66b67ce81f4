"""The narrow row by which a held mail is found, sorted and shown in lists, and whose a mail is. Pure.

Both answers come from one `Whose`: a list shows what `Scope.holds` says, for every mail and every scope. Texts are folded
(widths, kinds of signs, case), so a search does not depend on how somebody types; names stand between line ends, so that
none is part of another.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Iterable, Sequence
from datetime import timedelta

import orjson

from gateway.message.address import Address
from gateway.message.envelope import Envelope
from gateway.policy.decision import Decision
from gateway.policy.demands import Approval, Confirmation
from gateway.spool.list_contract import Scope, Waits, Whose
from gateway.spool.second_look import FROZEN, SOMEBODY, Look, unmet
from gateway.spool.times import to_us
from gateway.store.events import storable
from gateway.store.inserts import Row
from gateway.values import dataclass

_FROZEN = to_us(FROZEN)
NOBODY_KNOWS = to_us(SOMEBODY)  # the due time of a mail of which nobody leaves by time
FAR = to_us(SOMEBODY - timedelta(days=330_000))  # what is due later waits for somebody, not for its time
BITS = {kind: 1 << place for place, kind in enumerate(Waits)}
_EDGE = "\n"


@dataclass(frozen=True, slots=True)
class Standing:
    """How a mail's held recipients stand: indexes and due times (microseconds)."""

    due: Sequence[tuple[int, int]]

    @property
    def frozen(self) -> bool:
        """Tell whether somebody stopped the timer."""
        return _FROZEN in [due for _, due in self.due]

    @property
    def first(self) -> int:
        """Return when the first of them leaves by time."""
        times = [due for _, due in self.due if due < FAR]
        return min(times) if times else NOBODY_KNOWS


def whose_of(
    envelope: Envelope, authors: Iterable[Address], groups: Iterable[str], looks: Sequence[Look]
) -> Whose:
    """Return whose a mail is. Asked are all who may decide by now, proxies of all days among them."""
    senders = [each.key for each in (envelope.sender, *authors) if each is not None]
    asked = frozenset([each.address for look in looks for each in look.approvers()] if looks else ())
    account = envelope.client.account
    return Whose(frozenset(senders), account.casefold() if account else "", frozenset(groups), asked)


def listing_row(
    queue_id: str,
    at: int,
    sender: str,
    recipients: Sequence[str],
    subject: str,
    whose: Whose,
    decision: Decision,
    looks: tuple[Look, ...],
    standing: Standing,
) -> Row:
    """Return the row, in the order of the table's columns."""
    people = recipients[: len(recipients) - decision.copied]  # nobody hears of copies
    held = [index for index, _ in standing.due if index < len(people)]
    first = standing.first
    return (
        queue_id,
        at,
        first,
        waits_of(looks, standing, first),
        len(held),
        len(people),
        _outside(decision, len(people)),
        folded(sender),
        names_text(tokens(whose)),
        names_text(rules_of(decision, held)),
        folded(subject),
        folded(_EDGE.join(people)),
    )


def name_rows(row: Row) -> list[Row]:
    """Return the names by which a listed mail is somebody's, as rows."""
    return [(name, row[0]) for name in names_from(str(row[8]))]


def waits_of(looks: tuple[Look, ...], standing: Standing, first: int) -> int:
    """Return what somebody among the held recipients waits for, as bits; `first` is when one of them leaves by time."""
    if standing.frozen:
        return BITS[Waits.FROZEN]
    if not looks:
        return BITS[Waits.TIME] if first < FAR else 0
    found = 0
    for index, due in standing.due:
        open_looks = unmet(looks, index)
        for look in open_looks:
            found |= BITS[_kind(look)]
        found |= BITS[Waits.TIME] if not open_looks and due < FAR else 0
    return found


def kinds_of(bits: int) -> frozenset[Waits]:
    """Return what the bits stand for."""
    return frozenset(kind for kind, bit in BITS.items() if bits & bit)


def _outside(decision: Decision, known: int) -> int:
    """Return how many of the recipients that people know of are outside; nearly all mail has one or two outcomes."""
    if len(decision.outcomes) == 1:
        return known if decision.outcomes[0].external else 0
    numbers = decision.assigned[:known]
    return sum([numbers.count(number) for number, each in enumerate(decision.outcomes) if each.external])


def rules_of(decision: Decision, indexes: Collection[int]) -> list[str]:
    """Return the rules that asked for something for these recipients, in order."""
    if len(decision.outcomes) == 1:
        return sorted(decision.outcomes[0].rules) if indexes else []
    numbers = {decision.assigned[index] for index in indexes}
    return sorted({rule for number in numbers for rule in decision.outcomes[number].rules})


def tokens(whose: Whose | Scope) -> list[str]:
    """Return the names by which a mail is somebody's, each with its kind; of a scope, those it asks for."""
    if isinstance(whose, Scope):
        senders, logins = whose.addresses, whose.logins
    else:
        senders, logins = whose.senders, frozenset({whose.login.casefold()} - {""})
    kinds: tuple[tuple[str, Collection[str]], ...] = (
        ("s", senders),
        ("l", logins),
        ("g", whose.groups),
        ("a", whose.asked),
    )
    return [f"{kind}:{name}" for kind, names in kinds if names for name in sorted(names) if _EDGE not in name]


def names_text(names: Iterable[str]) -> str:
    """Return names so that `name_in` finds each of them and no part of one."""
    inside = storable(_EDGE.join(names))
    return f"{_EDGE}{inside}{_EDGE}" if inside else ""


def name_in(name: str) -> str:
    """Return what stands in a `names_text` where the name is one of them."""
    return f"{_EDGE}{storable(name)}{_EDGE}"


def names_from(text: str) -> list[str]:
    """Return the names of a `names_text`."""
    return [name for name in text.split(_EDGE) if name]


def folded(text: str) -> str:
    """Return the form in which texts are compared."""
    if text.isascii() and "\0" not in text:
        return text.lower()
    return storable(text.lower() if text.isascii() else unicodedata.normalize("NFKC", text).casefold())


def groups_json(groups: Sequence[str]) -> str:
    """Return the stored form of a sender's groups; empty for none, as code of the version before writes it."""
    return orjson.dumps([storable(name) for name in groups]).decode() if groups else ""


def groups_from(text: str) -> tuple[str, ...]:
    """Return the groups of a stored form; none where it cannot be read: then the mail is of no group."""
    try:
        return tuple([str(name) for name in orjson.loads(text)]) if text else ()
    except (ValueError, TypeError):
        return ()


def _kind(look: Look) -> Waits:
    if isinstance(look.demand, Approval):
        return Waits.APPROVAL
    return Waits.CONFIRMATION if isinstance(look.demand, Confirmation) else Waits.KEY_WAY
