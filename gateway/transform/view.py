"""The view: everything about a recipient that determines the octets of the copy they get, and nothing else.

Recipients with equal views get identical octets, so delivery sends them in one transaction. A view is therefore normalised:
what does not change the copy does not stand in it.
"""

from __future__ import annotations

from dataclasses import dataclass

from gateway.message.address import Address
from gateway.policy.decision import Decision
from gateway.policy.demands import Form


@dataclass(frozen=True, slots=True)
class View:
    """What one copy may show. `own` only in the individual form; `companions` are address keys, sorted; so are `tags`.

    `disclaimers` are the keys of the texts that stand under it.
    """

    form: Form
    own: Address | None = None
    companions: tuple[str, ...] = ()
    hide_internal: bool = False
    tags: tuple[tuple[str, str], ...] = ()
    disclaimers: tuple[str, ...] = ()

    @property
    def hides(self) -> bool:
        return self.form is not Form.ORIGINAL


def view_of(decision: Decision, index: int, address: Address) -> View:
    """Return the view of envelope recipient number `index`, whose address is `address`."""
    outcome = decision.of(index)
    demands = outcome.demands
    tags = tuple(sorted(demands.tags))
    texts = decision.disclaimers_of(index)
    if demands.form is Form.ORIGINAL:
        return View(Form.ORIGINAL, tags=tags, disclaimers=texts)
    return View(
        form=demands.form,
        own=address if demands.form is Form.INDIVIDUAL else None,
        companions=tuple(sorted(set(outcome.companions))),
        hide_internal=demands.hide_internal,
        tags=tags,
        disclaimers=texts,
    )
