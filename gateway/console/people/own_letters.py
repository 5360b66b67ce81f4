"""The switch of the daily letter on one's own page: for each mailbox that is theirs, and for no other."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from gateway.console.digest_choice import Choices
from gateway.console.forms import Fields
from gateway.console.pages import Failure
from gateway.console.people.words import MAX_TEXT
from gateway.languages import shown
from gateway.people.contract import Person
from gateway.people.rows import oneself
from gateway.values import dataclass


class Letter(NamedTuple):
    """A mailbox, as its form names it and as the page shows it, and whether it gets the letter."""

    address: str
    shown: str
    wanted: bool


@dataclass(frozen=True, slots=True)
class OwnLetters:
    """Reads and changes what a person chose; without `choices` this gateway has no such letters."""

    choices: Choices | None

    async def of(self, person: Person) -> list[Letter]:
        """Return how it stands with each mailbox."""
        if self.choices is None:
            return []
        return [
            Letter(each, shown(each, MAX_TEXT), await self.choices.wanted(each)) for each in person.addresses
        ]

    async def choose(self, person: Person, fields: Fields, now: datetime) -> None:
        """Do what a form says; raises Failure for a mailbox of somebody else."""
        said = dict(fields)
        if self.choices is None or said.get("address") not in person.addresses:
            raise Failure(404)
        if said.get("wanted") not in ("yes", "no"):
            raise Failure(400)
        await self.choices.choose(said["address"], said["wanted"] == "yes", oneself(person.login), now)
