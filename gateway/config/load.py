"""Read the settings file and the SEKISHO_ variables into one frozen `Settings`; every problem at once.

`SEKISHO_WEB__PUBLIC_URL` overrides `web.public_url`: two underscores step into a group; the value is read as YAML. Paths
are made absolute here, relative to the settings file, so that nothing later depends on the working directory.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel

from gateway.config.settings import Settings
from gateway.yaml_source import Document, Problem, Problems, load, nearest, validate

PREFIX = "SEKISHO_"
Group = TypeVar("Group", bound=BaseModel)
# Read where they are needed, never part of the settings.
SECRETS = ("SEKISHO_STORE_PASSWORD", "SEKISHO_MASTER_KEY", "SEKISHO_MASTER_KEY_PREVIOUS")


def load_settings(path: Path, environ: Mapping[str, str] | None = None) -> Settings:
    """Return the settings of `path` with the environment's overrides; raises `Problems` that name file and line."""
    environ = os.environ if environ is None else environ
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Problems([Problem(str(path), 1, 1, "", f"cannot be read: {_cause(error)}")]) from None
    document = load(text, str(path))
    data = {} if document.data is None else document.data
    if not isinstance(data, dict):
        raise Problems([document.problem((), "keys and values are expected here")])
    problems: list[Problem] = []
    for name, value in sorted(environ.items()):
        if name.startswith(PREFIX) and name not in SECRETS:
            problems += _override(data, name, value)
    if problems:
        raise Problems(problems)
    settings = validate(Settings, Document(document.file, data, document.values, document.keys))
    return absolute(settings, path.absolute().parent)


def _override(data: dict[str, Any], name: str, value: str) -> Iterator[Problem]:
    steps = name.removeprefix(PREFIX).lower().split("__")
    known = _known(Settings, steps)
    if known is not None:
        yield Problem(f"${name}", 1, 1, ".".join(steps), "no such setting", nearest(steps[-1], known))
        return
    group = data
    for step in steps[:-1]:
        inner = group.setdefault(step, {})
        if not isinstance(inner, dict):
            inner = group[step] = {}
        group = inner
    group[steps[-1]] = load(value, f"${name}").data


def _known(model: type[BaseModel], steps: list[str]) -> list[str] | None:
    """Return None when `steps` name a setting, else the keys that stand where the first unknown one was."""
    for number, step in enumerate(steps):
        if step not in model.model_fields:
            return list(model.model_fields)
        inner = _group_of(model.model_fields[step].annotation)
        if inner is None:
            return None if number == len(steps) - 1 else []
        model = inner
    return None


def _group_of(kind: Any) -> type[BaseModel] | None:
    candidates = [kind, *getattr(kind, "__args__", ())]
    return next((k for k in candidates if isinstance(k, type) and issubclass(k, BaseModel)), None)


def absolute(settings: Settings, folder: Path) -> Settings:
    """Return the settings with every path made absolute against `folder`."""
    return _absolute(settings, folder)


def _absolute(group: Group, folder: Path) -> Group:
    changed: dict[str, Any] = {}
    for name in type(group).model_fields:
        value = getattr(group, name)
        if isinstance(value, Path):
            changed[name] = folder / value
        elif isinstance(value, BaseModel):
            changed[name] = _absolute(value, folder)
        elif isinstance(value, dict):
            changed[name] = {
                k: _absolute(x, folder) if isinstance(x, BaseModel) else x for k, x in value.items()
            }
        elif isinstance(value, tuple):
            changed[name] = tuple(_absolute(x, folder) if isinstance(x, BaseModel) else x for x in value)
    return group.model_copy(update=changed)


def _cause(error: OSError | UnicodeDecodeError) -> str:
    return (error.strerror or "error") if isinstance(error, OSError) else "not UTF-8"
