"""The view: everything about a recipient that determines the octets of the copy they get, and nothing else.

Recipients with equal views get identical octets, so delivery sends them in one transaction. A view is therefore normalised:
what does not change the copy does not stand in it.
"""

from __future__ import annotations

from datetime import timedelta

from gateway.message.address import Address
from gateway.policy.decision import Decision
from gateway.policy.demands import Form
from gateway.policy.handling import Handling
from gateway.policy.protection import EXPIRES, How, Way
from gateway.values import dataclass


@dataclass(frozen=True, slots=True)
class Keyed:
    """Which key a recipient's copy is sealed with (equal names are equal keys, empty for none), and how it gets there."""

    key_id: str = ""
    way: Way | None = None


NO_KEY = Keyed()


@dataclass(frozen=True, slots=True)
class Variant:
    """What becomes of the files in a copy, as far as its octets show it: copies with equal variants share a sealed mail.

    `recipient` is an envelope index where the copy has a link of its own. `obstacle` says why it can never be written.
    """

    forms: tuple[tuple[int, How], ...] = ()
    obstacle: str = ""
    needs_key: bool = False
    keyed: Keyed = NO_KEY
    hide_names: bool = False
    recipient: int | None = None
    expires: timedelta = EXPIRES

    @property
    def lacks(self) -> str:
        """Return what is missing for this to be written: a word, empty where nothing is."""
        if self.obstacle:
            return self.obstacle
        return "no-key" if self.needs_key and (not self.keyed.key_id or self.keyed.way is None) else ""


@dataclass(frozen=True, slots=True)
class View:
    """What one copy may show. `own` only in the individual form; `companions` are address keys, sorted; so are `tags`.

    `disclaimers` are the keys of the texts that stand under it, `variant` what becomes of its files: None where they all stay
    as they are.
    """

    form: Form
    own: Address | None = None
    companions: tuple[str, ...] = ()
    hide_internal: bool = False
    tags: tuple[tuple[str, str], ...] = ()
    disclaimers: tuple[str, ...] = ()
    variant: Variant | None = None

    @property
    def hides(self) -> bool:
        return self.form is not Form.ORIGINAL


def view_of(decision: Decision, index: int, address: Address, keyed: Keyed = NO_KEY) -> View:
    """Return the view of envelope recipient number `index`, whose address is `address` and whose key that one."""
    outcome = decision.of(index)
    demands = outcome.demands
    tags = tuple(sorted(demands.tags)) if demands.tags else ()
    asked = demands.disclaimers or decision.colleagues_may_stop
    texts = decision.disclaimers_of(index) if asked else ()
    variant = variant_of(outcome.handling, index, keyed) if outcome.handling is not None else None
    if demands.form is Form.ORIGINAL:
        return View(Form.ORIGINAL, tags=tags, disclaimers=texts, variant=variant)
    return View(
        form=demands.form,
        own=address if demands.form is Form.INDIVIDUAL else None,
        companions=tuple(sorted(set(outcome.companions))) if outcome.companions else (),
        hide_internal=demands.hide_internal,
        tags=tags,
        disclaimers=texts,
        variant=variant,
    )


def variant_of(handling: Handling | None, index: int, keyed: Keyed = NO_KEY) -> Variant | None:
    """Return the variant of envelope recipient number `index`; None where all files stay as they are.

    Whatever a recipient waits for may have come since the decision: the way is that of the key.
    """
    if handling is None or not (handling.forms or handling.obstacle):
        return None
    return Variant(
        forms=handling.forms,
        obstacle=handling.obstacle,
        needs_key=handling.needs_key,
        keyed=keyed if handling.needs_key else NO_KEY,
        hide_names=handling.hide_names,
        recipient=index if handling.shares else None,
        expires=handling.expires,
    )
