"""The accounts file: YAML that people edit and `sekisho account` rewrites.

Reading it tells every problem at once with its line; writing puts it on disk whole or not at all.
What is written has mode 0600 and is durable on return.
"""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, model_validator

from gateway.durable import sync_directory
from gateway.receive.account import Account
from gateway.yaml_source import Problem, Problems, load, validate

MAX_ACCOUNTS = 10_000  # one organisation; the file is read whole

_HEAD = (
    "# Accounts of this gateway. `sekisho account` rewrites this file: comments are not kept.\n"
    '# addresses: what the account may use as sender; "@example.jp" stands for the whole domain.\n'
)


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    accounts: Annotated[tuple[Account, ...], Field(max_length=MAX_ACCOUNTS)] = ()

    @model_validator(mode="after")
    def _logins_differ(self) -> _File:
        seen: set[str] = set()
        for account in self.accounts:
            if account.login.casefold() in seen:
                raise ValueError(f"the login {account.login!r} stands here twice")
            seen.add(account.login.casefold())
        return self


def read(path: Path) -> tuple[Account, ...]:
    """Return the accounts of a file; a file that is not there has none. Raises `Problems`."""
    try:
        return _parsed(path).accounts
    except FileNotFoundError:
        return ()


def read_again(path: Path) -> tuple[Account, ...]:
    """Return the accounts of a file that had some: it must be there and say `accounts:`. Raises `Problems`.

    An empty file is one that somebody is about to write; "no accounts" is said by `accounts: []`.
    """
    try:
        found = _parsed(path)
    except FileNotFoundError as error:
        raise _problem(path, f"cannot be read: {error.strerror}") from None
    if "accounts" not in found.model_fields_set:
        raise _problem(path, "the key accounts is missing; for none: accounts: []")
    return found.accounts


def _parsed(path: Path) -> _File:
    """Raises FileNotFoundError and, for everything else, `Problems`."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise
    except (OSError, UnicodeDecodeError) as error:
        cause = getattr(error, "strerror", None) or "not UTF-8"
        raise _problem(path, f"cannot be read: {cause}") from None
    return validate(_File, load(text, str(path)))


def _problem(path: Path, message: str) -> Problems:
    return Problems([Problem(str(path), 1, 1, "", message)])


def write(path: Path, accounts: tuple[Account, ...]) -> None:
    """Put the accounts on disk, whole or not at all, readable by their owner only; durable on return."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=path.name, suffix=".new")  # mode 0600
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(to_yaml(accounts))
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    sync_directory(path.parent)


def to_yaml(accounts: tuple[Account, ...]) -> str:
    """Write the file's text; every value is a JSON value, which YAML reads as the same."""
    out = [_HEAD, "accounts:\n" if accounts else "accounts: []\n"]
    for account in accounts:
        values = account.model_dump(mode="json", exclude_defaults=True)
        lines = [f"{key}: {json.dumps(value, ensure_ascii=False)}\n" for key, value in values.items()]
        out += ["  - ", "    ".join(lines)]
    return "".join(out)
