"""Check the names in all files together: none twice, none unknown, and none of the floor in the hands of a local file."""

from __future__ import annotations

from collections.abc import Iterator, Set

from gateway.policy.sources import Name, Source, defined, used
from gateway.policy.tiers import Tier
from gateway.yaml_source import Problem, nearest

_ORGANISATION = ("organisation",)


def check_names(sources: list[Source]) -> Iterator[Problem]:
    """Report what only shows when all files are read together; `sources` are in the order of their names."""
    yield from _organisations(sources)
    yield from _twice(sources)
    yield from _unknown(sources)
    floor = [source for source in sources if source.tier is Tier.FLOOR]
    if floor and not any(source.file.rules for source in floor):
        hint = "write its rules, or put all files into the folder above where there is no ordering body"
        yield floor[0].document.problem((), "the floor has no rule: it would protect nobody", hint)


def _organisations(sources: list[Source]) -> Iterator[Problem]:
    tiers = any(source.tier is Tier.FLOOR for source in sources)
    having = [source for source in sources if source.file.organisation is not None]
    if tiers:
        for source in (source for source in having if source.tier is Tier.LOCAL):
            hint = "ask whoever writes the floor: a longer list of internal domains would loosen its rules"
            yield source.document.problem(_ORGANISATION, "the organisation belongs to the floor", hint)
        having = [source for source in having if source.tier is Tier.FLOOR]
    if not having and sources:
        where = "a file of the floor" if tiers else "one file"
        hint = f"write organisation: {{name: …, internal: [example.jp]}} in {where}"
        missing = "no file of the floor says" if tiers else "no file says"
        yield sources[0].document.problem((), f"{missing} who the organisation is", hint)
    for source in having[1:]:
        message = f"the organisation stands in {having[0].document.file} already"
        yield source.document.problem(_ORGANISATION, message, "keep it in one file")


def _twice(sources: list[Source]) -> Iterator[Problem]:
    seen: dict[tuple[str, str], tuple[Source, str]] = {}
    for source in sources:
        for found in defined(source.file):
            here = source, source.place(found.path)
            first = seen.setdefault((found.kind, found.name), here)
            if first is not here:
                yield _said_twice(source, found, *first)


def _said_twice(source: Source, found: Name, first: Source, place: str) -> Problem:
    what = f"the {found.kind} {found.name!r}"
    if first.tier is Tier.FLOOR and source.tier is Tier.LOCAL:
        message = f"{what} belongs to the floor: a local file cannot define it again"
        return source.document.problem(found.path, message, f"at {place}; choose another name")
    return source.document.problem(found.path, f"{what} stands twice", f"first at {place}")


def _unknown(sources: list[Source]) -> Iterator[Problem]:
    places = {
        (found.kind, found.name): (source.tier, source.place(found.path))
        for source in reversed(sources)
        for found in defined(source.file)
    }
    for source in sources:
        of_floor = source.tier is Tier.FLOOR
        known = {key for key, (tier, _) in places.items() if not of_floor or tier is Tier.FLOOR}
        for use in used(source.file):
            if (use.kind, use.name) in known:
                continue
            place = places.get((use.kind, use.name))
            words = _not_of_the_floor(use, place[1]) if place is not None else _nobody_knows(use, known)
            yield source.problem(use.path, *words)


def _not_of_the_floor(use: Name, place: str) -> tuple[str, str]:
    hint = f"a local file does, at {place}; whoever writes that could change what the floor asks for"
    return f"the floor defines no {use.kind} {use.name!r}", hint


def _nobody_knows(use: Name, known: Set[tuple[str, str]]) -> tuple[str, str]:
    names = [name for kind, name in known if kind == use.kind]
    return f"no {use.kind} is called {use.name!r}", nearest(use.name, sorted(names))
