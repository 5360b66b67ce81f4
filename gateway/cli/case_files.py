"""Read the cases that lie beside policy files: `*.cases.yaml`. Raises `Problems`, so that `check` names every mistake."""

from __future__ import annotations

from pathlib import Path

from gateway.config.policy_files import read_case_texts
from gateway.policy.cases import Case, load_cases


def read_cases(folder: Path) -> list[tuple[str, tuple[Case, ...]]]:
    """Return the cases of each file of the folder and its tiers, by the file's name."""
    return [(name, load_cases(text, str(folder / name))) for name, text in read_case_texts(folder).items()]
