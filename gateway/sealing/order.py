"""What is to be done with the files of one mail: the order for one variant of it, and its form between the two processes."""

from __future__ import annotations

from dataclasses import field
from datetime import datetime

import orjson

from gateway.policy.protection import How
from gateway.values import dataclass

ARCHIVE = "attachments.zip"
"""What the one archive of a mail is called: in ASCII, so that it is right in every program."""


@dataclass(frozen=True, slots=True)
class Order:
    """`forms` names what is done by place; what it does not name stays. `note` stands in the mail, `note_html` in
    its HTML parts; `at` is what archives show.

    `key` is empty where no file needs one.
    """

    forms: tuple[tuple[int, How], ...]
    key: str = field(repr=False)
    note: str = field(repr=False)
    at: datetime
    note_html: str = field(default="", repr=False)
    hide_names: bool = False
    archive: str = ARCHIVE

    def to_octets(self) -> bytes:
        """Return the order as JSON."""
        return orjson.dumps(
            {
                "forms": [[place, int(how)] for place, how in self.forms],
                "key": self.key,
                "note": self.note,
                "note_html": self.note_html,
                "at": self.at.isoformat(),
                "hide_names": self.hide_names,
                "archive": self.archive,
            }
        )

    @classmethod
    def from_octets(cls, octets: bytes) -> Order:
        """Return the order that the gateway wrote."""
        value = orjson.loads(octets)
        return cls(
            tuple((place, How(how)) for place, how in value["forms"]),
            value["key"],
            value["note"],
            datetime.fromisoformat(value["at"]),
            value["note_html"],
            value["hide_names"],
            value["archive"],
        )
