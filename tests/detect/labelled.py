"""A text written for the detectors: what it holds and why it is hard. All people and numbers in these sets are made up."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Text:
    """A text and how often it holds what is looked for; `note` says why it is hard; `missed`, that the
    detector is known to get it wrong, which the figures of the bench count."""

    text: str
    count: int
    note: str = ""
    missed: bool = False
