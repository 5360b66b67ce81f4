"""What a letter may not lose, whoever wrote its template: the link to stop a mail, the key, the code. Pure.

It is looked for in what was written, not in the template: a link behind a condition that did not hold is lost as well.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from html import escape

Values = Mapping[str, object]

REQUIRED: Mapping[str, tuple[str, ...]] = {
    "hold": ("url",),
    "holds": ("mails[].url", "mails[].subject"),
    "approval": ("url",),
    "key": ("url",),
    "key_failed": ("url",),
    "second_mail": ("key",),
    "code": ("code",),
    "left": ("s.total",),
    "report": ("s.total", "s.policy"),
    "digest": ("off_url",),
}
"""By letter, the variables whose values have to stand in its text and in its HTML."""


def missing_from(name: str, values: Values, text: str, html: str) -> list[str]:
    """Return the required variables whose values are not in both forms of a letter."""
    return [
        variable
        for variable in REQUIRED.get(name, ())
        if not all(each in text and escape(each) in html for each in _values_of(variable, values))
    ]


def _values_of(variable: str, values: Values) -> Iterable[str]:
    """Return what stands for a variable: `url`, `s.total`, or of each in a list, `mails[].url`."""
    first, *rest = variable.split(".")
    found = [values.get(first.removesuffix("[]"))]
    if first.endswith("[]"):
        found = list(found[0]) if isinstance(found[0], list | tuple) else []
    take: Callable[[object], object] = lambda each: getattr(each, rest[0], None) if rest else each  # noqa: E731
    return [str(value) for value in map(take, found) if value not in (None, "")]
