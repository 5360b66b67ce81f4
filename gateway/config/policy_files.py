"""Read the policy folder: which files are the policy, in one tier or in two, and what must not be overlooked.

A folder holds files at its top, or two folders of them: `floor/` (the ordering body's) and `local/` (what is added to it).
Nothing is left out silently: what looks like policy and would not be read is a problem, and so is a tier without its floor.
Names are those below the folder, such as `floor/10-base.yaml`; problems show the whole path.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from gateway.policy.load import load_policy
from gateway.policy.model import Policy
from gateway.policy.tiers import Tier
from gateway.yaml_source import Problem, Problems

MAX_FILES = 200  # of one policy; more is a mistake such as a wrong path

_CASES = ".cases.yaml"
_FLOOR, _LOCAL = Tier.FLOOR.value, Tier.LOCAL.value
_NO_FLOOR = "no floor/ stands beside it, and local files only add to a floor"


def read_policy(folder: Path) -> Policy:
    """Read the policy of a folder; raises `Problems`."""
    return policy_of(folder, read_files(folder))


def policy_of(folder: Path, files: Mapping[str, str]) -> Policy:
    """Return the policy of files (name -> text) of this folder; raises `Problems` with their whole paths."""
    try:
        return load_policy(files)
    except Problems as found:
        raise below(folder, found) from None


def below(folder: Path, found: Problems) -> Problems:
    """Return the same problems with the whole paths of their files."""
    return Problems([replace(problem, file=str(folder / problem.file)) for problem in found.problems])


def read_files(folder: Path) -> dict[str, str]:
    """Return every policy file by its name; raises `Problems`, also for a file that only looks like one of them."""
    return _policy_texts(folder, folder, _listed(folder))


def read_floor(folder: Path) -> dict[str, str]:
    """Return the floor's files alone, whatever stands beside them; raises `Problems`."""
    paths = _inside(folder / _FLOOR)
    _stop_at(_overlooked(paths))
    return _policy_texts(folder, folder / _FLOOR, _yaml(paths))


def _policy_texts(folder: Path, place: Path, paths: list[Path]) -> dict[str, str]:
    found = [path for path in paths if not path.name.endswith(_CASES)]
    if not found:
        raise Problems([problem(place, "holds no policy", "put a file such as default.yaml there")])
    if len(found) > MAX_FILES:
        raise Problems([problem(place, f"holds more than {MAX_FILES} policy files")])
    return _texts(folder, found)


def read_case_texts(folder: Path) -> dict[str, str]:
    """Return every file of cases by its name; raises `Problems`."""
    return _texts(folder, [path for path in _listed(folder) if path.name.endswith(_CASES)])


def tier_folders(folder: Path) -> list[Path]:
    """Return the folders of the tiers that are there, to be watched as well."""
    return [path for path in (folder / _FLOOR, folder / _LOCAL) if path.is_dir()]


def problem(path: Path, message: str, hint: str = "") -> Problem:
    """Build a problem with a file or folder as a whole."""
    return Problem(str(path), 1, 1, "", message, hint)


def _listed(folder: Path) -> list[Path]:
    """Return all YAML files of the policy and its cases, in order; raises `Problems`."""
    entries = _entries(folder)
    tiers = {path.name: path for path in entries if path.name in tuple(Tier)}
    inside = {name: _inside(path) for name, path in tiers.items()}
    top = _yaml(entries)
    if _FLOOR not in tiers and not inside.get(
        _LOCAL
    ):  # an empty local/, or another thing of that name, adds nothing
        _stop_at(_overlooked(entries))
        return top
    everything = [*entries, *(path for paths in inside.values() for path in paths)]
    _stop_at([*_overlooked(everything), *_misplaced(folder, tiers, inside, top), *_buried(tiers.values())])
    return [path for name in sorted(tiers) for path in _yaml(inside[name])]


def _entries(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except OSError as error:
        raise Problems([problem(folder, f"cannot be read: {error.strerror}")]) from None


def _inside(tier: Path) -> list[Path]:
    """Return what is of interest in a tier's folder: YAML, and what looks like it."""
    if tier.name == _LOCAL and not tier.is_dir():
        return []
    return [path for path in _entries(tier) if path.suffix.lower() in (".yml", ".yaml")]


def _yaml(paths: Iterable[Path]) -> list[Path]:
    return [path for path in paths if path.suffix == ".yaml"]


def _stop_at(problems: Iterable[Problem]) -> None:
    if found := list(problems):
        raise Problems(found)


def _overlooked(paths: Iterable[Path]) -> Iterator[Problem]:
    """Report what somebody meant as policy: a rule file renamed to `.yml` would be a rule switched off, and nobody told."""
    for path in paths:
        ending = path.suffix.lower()
        if ending in (".yml", ".yaml") and path.suffix != ".yaml" and not path.name.startswith("."):
            yield problem(path, "this file is not read", "rename it to end in .yaml")
        if path.name not in tuple(Tier) and path.name.casefold() in tuple(Tier) and path.is_dir():
            yield problem(path, "this folder is not read", f"rename it to {path.name.casefold()}")


def _buried(tiers: Iterable[Path]) -> Iterator[Problem]:
    """Report folders with rules below a tier; hidden ones hold what a mounted volume points to."""
    for tier in tiers:
        for below in _entries(tier) if tier.is_dir() else ():
            if below.is_dir() and not below.name.startswith(".") and any(below.glob("*.y*ml")):
                yield problem(below, "this folder is not read", f"move its files to {tier.name}/ itself")


def _misplaced(
    folder: Path, tiers: dict[str, Path], inside: dict[str, list[Path]], top: list[Path]
) -> Iterator[Problem]:
    hint = "move it to floor/ (the ordering body's) or to local/ (what is added to that)"
    yield from (problem(path, "a file beside floor/ and local/ is not read", hint) for path in top)
    if _FLOOR in tiers and _LOCAL in tiers and not tiers[_LOCAL].is_dir():
        yield problem(tiers[_LOCAL], "this is no folder", "put the local files into a folder of this name")
    if _FLOOR not in tiers:
        yield problem(folder / _LOCAL, _NO_FLOOR, "put it back, or move all files into the folder above")
    elif not any(not path.name.endswith(_CASES) for path in _yaml(inside[_FLOOR])):
        yield problem(tiers[_FLOOR], "the floor holds no policy", "put its files back")


def _texts(folder: Path, paths: list[Path]) -> dict[str, str]:
    return {path.relative_to(folder).as_posix(): _text(path) for path in paths}


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise Problems(
            [problem(path, f"not UTF-8 at octet {error.start}", "save the file as UTF-8")]
        ) from None
    except OSError as error:
        raise Problems([problem(path, f"cannot be read: {error.strerror}")]) from None
