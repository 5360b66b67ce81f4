"""What all groups of settings have in common: an unknown key is an error, and nothing changes once it is read."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Group(BaseModel):
    """One group of settings."""

    model_config = ConfigDict(extra="forbid", frozen=True)
