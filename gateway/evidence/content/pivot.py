"""What a pivot table keeps of its source (ECMA-376 part 1, 18.10): whole tables of people, in workbooks that show only sums.

The values of each column stand in the cache's definition, the rows in its records, as numbers of values or values themselves.
Streams; each cache is one table.
"""

from __future__ import annotations

from gateway.evidence.content.gathering import Gathering
from gateway.evidence.content.xml_text import feed, parser_of

_VALUES = frozenset({"s", "n", "d", "b", "e"})


class Cache:
    """The columns of one cache: headings, and the values that its records refer to."""

    def __init__(self) -> None:
        self.headings: list[str] = []
        self._values: list[list[str]] = []

    def define(self, octets: bytes, into: Gathering) -> None:
        """Read the definition; its values are told, since records may be missing."""
        inside = False

        def start(name: str, attributes: dict[str, str]) -> None:
            nonlocal inside
            name = name.rpartition(":")[2]
            if name == "cacheField":
                self.headings.append(attributes.get("name", ""))
                self._values.append([])
            elif name == "sharedItems":
                inside = True
            elif inside and self._values and (name in _VALUES or name == "m"):
                self._values[-1].append(attributes.get("v", ""))

        def end(name: str) -> None:
            nonlocal inside
            inside = inside and name.rpartition(":")[2] != "sharedItems"

        parser = parser_of()
        parser.StartElementHandler, parser.EndElementHandler = start, end
        feed(parser, octets)
        for values in self._values:
            into.say("\n".join(values))

    def records(self, octets: bytes, into: Gathering) -> None:
        """Read the records as one table under the headings."""
        rows: list[list[str]] = [self.headings]

        def start(name: str, attributes: dict[str, str]) -> None:
            name = name.rpartition(":")[2]
            value = attributes.get("v", "")
            if name == "r":
                rows.append([])
            elif name == "x":
                rows[-1].append(self._value(len(rows[-1]), value))
            elif name in _VALUES or name == "m":
                rows[-1].append(value)

        parser = parser_of()
        parser.StartElementHandler = start
        try:
            feed(parser, octets)
        finally:
            into.tabulate(rows)

    def _value(self, column: int, number: str) -> str:
        values = self._values[column] if column < len(self._values) else []
        at = int(number[:9]) if number.isdecimal() else len(values)
        return values[at] if at < len(values) else ""
