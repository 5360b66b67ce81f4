"""Read policy files: text in, `Policy` or every problem at once out. Pure; whoever calls has read the folder.

All files together are one policy. A policy with one problem is no policy at all: nothing is left out silently.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from gateway.policy import checks
from gateway.policy.compile import compile_policy
from gateway.policy.model import Policy
from gateway.policy.schema import PolicyFile
from gateway.policy.sources import Source, rule_lines
from gateway.policy.tiers import tier_of
from gateway.yaml_source import Problem, Problems, load, validate


def load_policy(files: Mapping[str, str]) -> Policy:
    """Return the policy that the files (name -> text) make up; raises `Problems`.

    Names are those below the policy folder: `floor/10-base.yaml` and `local/hall.yaml` are of two tiers (tiers.py). The
    digest covers the files' names (with the tier, without other folders) and their texts, in the order of the names.
    """
    return compile_sources(load_sources(files), digest(files))


def compile_sources(sources: list[Source], digest: str) -> Policy:
    """Return the policy of files without a problem."""
    files = {source.document.file: source.file for source in sources}
    return compile_policy(files, digest, rule_lines(sources))


def load_sources(files: Mapping[str, str]) -> list[Source]:
    """Return the files as they stand, checked one by one and together, in the order of names; raises `Problems`."""
    names = sorted(files)
    problems: list[Problem] = []
    sources = [source for name in names if (source := _read(name, files[name], problems)) is not None]
    if len(sources) == len(names):  # or every name that a broken file defines would be reported as unknown
        problems.extend(checks.across_files(sources))
    for source in sources:
        problems.extend(checks.idle_rules(source))
    if not files:
        problems.append(
            Problem("policies", 1, 1, "", "there is no policy file", "write one, such as default.yaml")
        )
    if problems:
        raise Problems(problems)
    return sources


def _read(name: str, text: str, problems: list[Problem]) -> Source | None:
    try:
        document = load(text, name)
    except Problems as found:
        problems.extend(found.problems)
        return None
    empty = {(p.line, p.column): p for p in checks.empty_values(document)}
    problems.extend(empty.values())
    try:
        return Source(document, validate(PolicyFile, document))
    except Problems as found:
        problems.extend(p for p in found.problems if (p.line, p.column) not in empty)
        return None


def digest(files: Mapping[str, str]) -> str:
    """Return the SHA-256 (hex) that names these files; line ends do not matter."""
    sha = hashlib.sha256()
    for name, text in sorted((_name(name), text) for name, text in files.items()):
        for part in (name, text.replace("\r\n", "\n")):
            octets = part.encode("utf-8", "surrogatepass")
            sha.update(len(octets).to_bytes(8, "big") + octets)
    return sha.hexdigest()


def _name(name: str) -> str:
    return name if tier_of(name) is not None else name.rpartition("/")[2]
