"""Two tiers of policy files: the floor (the ordering body's) and what its contractor adds (docs/decisions/0052-tiers.md).

Rules only ever add, so a local file can tighten and never loosen. What could loosen is not a rule but what rules refer to:
who is inside, a circle, a group, a calendar. So the floor refers to names of the floor only, and those are not defined again.
"""

from __future__ import annotations

from enum import StrEnum


class Tier(StrEnum):
    """The folder below `policies/` that a file lies in; a folder without tiers has none."""

    FLOOR = "floor"
    LOCAL = "local"


def tier_of(name: str) -> Tier | None:
    """Return the tier of a file by its name below the policy folder: `floor/10-base.yaml` is of the floor."""
    folder, slash, _ = name.partition("/")
    return Tier(folder) if slash and folder in tuple(Tier) else None
