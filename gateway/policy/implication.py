"""When does every mail that fits one condition certainly fit another? Sound, not complete: False means "nobody knows". Pure.

Both conditions are read the same way, both as `when` or both as `unless`. Keys are joined by AND, so a condition implies
another where each key of the other is implied by the same key of the first. A key implies an equal one, whatever it asks
for; of those named here it is known that a narrower value fits fewer mails.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gateway.policy.bounds import Range, SizeRange
from gateway.policy.conditions.attachments import Attachments
from gateway.policy.conditions.condition import Condition
from gateway.policy.conditions.ppap import Ppap
from gateway.policy.conditions.text import TextMatch

_Narrower = Callable[[Any, Any], bool]


def implies(narrow: Condition | None, wide: Condition | None) -> bool:
    """Tell whether every mail that fits `narrow` certainly fits `wide`; None fits every mail."""
    if wide is None:
        return True
    if narrow is None:
        return False
    return all(_key_implies(key, getattr(narrow, key), getattr(wide, key)) for key in _asked(wide))


def _asked(condition: Condition) -> list[str]:
    return [key for key in type(condition).model_fields if getattr(condition, key) is not None]


def _key_implies(key: str, narrow: object, wide: object) -> bool:
    if narrow is None:
        return False
    narrower = _NARROWER.get(key)
    return narrow == wide or (narrower is not None and narrower(narrow, wide))


def within(narrow: Range | SizeRange | Attachments, wide: Range | SizeRange | Attachments) -> bool:
    """Tell whether every number of one range lies in the other."""
    if (narrow.at_least or 0) < (wide.at_least or 0):
        return False
    return wide.at_most is None or (narrow.at_most is not None and narrow.at_most <= wide.at_most)


def _subset(narrow: tuple[str, ...], wide: tuple[str, ...]) -> bool:
    return set(narrow) <= set(wide)


def _attachments(narrow: Attachments, wide: Attachments) -> bool:
    """Compare where only the range differs: another name or size counts other attachments."""
    bounds = {"at_least": None, "at_most": None}
    if narrow.model_copy(update=bounds) != wide.model_copy(update=bounds):
        return False
    return within(_counted(narrow), _counted(wide))


def _counted(asked: Attachments) -> Attachments:
    """Without a bound, at least one is asked for."""
    if asked.at_least is None and asked.at_most is None:
        return asked.model_copy(update={"at_least": 1})
    return asked


def _text(narrow: TextMatch, wide: TextMatch) -> bool:
    """A shorter list of texts or patterns fits fewer; both lists must fit where both stand."""
    return _some(narrow.contains, wide.contains) and _some(narrow.matches, wide.matches)


def _some(narrow: tuple[str, ...] | None, wide: tuple[str, ...] | None) -> bool:
    return wide is None or (narrow is not None and _subset(narrow, wide))


def _ppap(narrow: Ppap, wide: Ppap) -> bool:
    """Fewer ways, less time and no doubt fit fewer mails."""
    return narrow.hows <= wide.hows and narrow.within <= wide.within and narrow.certain >= wide.certain


_NARROWER: dict[str, _Narrower] = {
    "external": within,
    "internal": within,
    "visible_external": within,
    "size": within,
    "sender": _subset,
    "sender_in": _subset,
    "recipient": _subset,
    "circle": _subset,
    "attachments": _attachments,
    "subject": _text,
    "ppap": _ppap,
}
