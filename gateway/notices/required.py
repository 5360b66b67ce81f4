"""What a letter may not lose, whoever wrote its template: the link to stop a mail, the key, the code. Pure.

It is looked for in what was written, not in the template: a link behind a condition that did not hold is lost as well.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from html import escape

Values = Mapping[str, object]

REQUIRED: Mapping[str, tuple[str, ...]] = {
    "hold": ("url",),
    "holds": ("mails[].url", "mails[].subject"),
    "approval": ("url",),
    "reminder": ("url",),
    "colleague": ("url",),
    "halted": ("url",),
    "key": ("url",),
    "key_failed": ("url",),
    "second_mail": ("key",),
    "code": ("code",),
    "left": ("s.total",),
    "incident": ("url",),
    "incident_clock": ("url",),
    "deletion": ("url",),
    "digest": ("off_url",),
    "digest_figures": ("off_url",),
    "report": ("s.total", "s.policy"),
}
"""By letter, the variables whose values have to stand in its text and in its HTML."""


def missing_from(name: str, values: Values, said: str, *, html: bool) -> list[str]:
    """Return the required variables whose values are not in one form of a letter."""
    return [
        variable
        for variable in REQUIRED.get(name, ())
        if not all((escape(each) if html else each) in said for each in _values_of(variable, values))
    ]


def _values_of(variable: str, values: Values) -> Iterable[str]:
    """Return what stands for a variable: `url`, `s.total`, or of each in a list, `mails[].url`."""
    first, _, rest = variable.partition(".")
    found = values.get(first.removesuffix("[]"))
    each_of = list(found) if first.endswith("[]") and isinstance(found, list | tuple) else [found]
    chosen = [getattr(each, rest, None) if rest else each for each in each_of]
    return [str(value) for value in chosen if value not in (None, "")]
