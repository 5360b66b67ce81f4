"""Read the cases that lie beside policy files: `*.cases.yaml`. Raises `Problems`, so that `check` names every mistake."""

from __future__ import annotations

from pathlib import Path

from gateway.policy.cases import Case, load_cases
from gateway.yaml_source import Problem, Problems


def read_cases(folder: Path) -> list[tuple[str, tuple[Case, ...]]]:
    """Return the cases of each file of the folder, by the file's name."""
    return [(path.name, load_cases(_text(path), str(path))) for path in sorted(folder.glob("*.cases.yaml"))]


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise Problems([Problem(str(path), 1, 1, "", f"not UTF-8 at octet {error.start}")]) from None
    except OSError as error:
        raise Problems([Problem(str(path), 1, 1, "", f"cannot be read: {error.strerror}")]) from None
