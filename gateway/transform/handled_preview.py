"""What a recipient's copy will have of each file: for pages and notices, from the decision that delivery follows. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.policy.decision import Decision
from gateway.policy.protection import How


@dataclass(frozen=True, slots=True)
class FilePreview:
    """One file as it was sent, and what becomes of it: None where it leaves as it is."""

    place: int
    name: str
    size_bytes: int
    becomes: How | None


def files_of(decision: Decision, index: int) -> tuple[FilePreview, ...]:
    """Return what envelope recipient number `index` will have of the mail's files, in their order.

    Nothing where no rule asks for files to be protected: nobody looked at them then. Of a mail that is held because of an
    obstacle it tells what the rules want, which cannot be done.
    """
    handling = decision.of(index).handling
    forms = dict(handling.forms) if handling is not None else {}
    return tuple(
        [
            FilePreview(each.place, each.name, each.size_bytes, forms.get(each.place))
            for each in decision.files
        ]
    )
