"""The accounts: who may submit, with which addresses. A YAML file, read again when it changes.

A broken edit, a file that is gone or one that is being written keeps the accounts that were good. Passwords are
kept as argon2id hashes (RFC 9106) only; this module never sees a plain one. `write` puts accounts on disk whole
or not at all, mode 0600.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Annotated

import structlog
from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from gateway.clock import Clock, utc_now
from gateway.message.address import Address, AddressError, normalise_domain, parse_path
from gateway.policy.decision import Language
from gateway.yaml_source import Problem, Problems, load, validate

MAX_ACCOUNTS = 10_000  # one organisation; the file is read whole
SETTLES_S = 1.0  # seconds without a write before a file that is written in place counts as whole
MAX_LOGIN = 256  # characters of a login name, the length of a path (RFC 5321 4.5.3.1.3)

_HEAD = (
    "# Accounts of this gateway. `sekisho account` rewrites this file: comments are not kept.\n"
    '# addresses: what the account may use as sender; "@example.jp" stands for the whole domain.\n'
)

Changes = dict[str, list[str]]
OnChange = Callable[[Changes], None]

log = structlog.get_logger()


class Account(BaseModel):
    """One account; `addresses` are what it may send from."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    login: Annotated[str, Field(min_length=1, max_length=MAX_LOGIN)]
    password: str
    addresses: Annotated[tuple[str, ...], Field(min_length=1)]
    suspended: bool = False
    language: Language | None = None

    @field_validator("login")
    @classmethod
    def _plain_login(cls, value: str) -> str:
        if not value.isprintable() or value != value.strip():
            raise ValueError("a login has no control characters and no space around it")
        return value

    @field_validator("password")
    @classmethod
    def _is_hash(cls, value: str) -> str:
        if not value.startswith("$argon2id$"):
            raise ValueError("not an argon2id hash; set the password with `sekisho account passwd`")
        return value

    @field_validator("addresses")
    @classmethod
    def _are_addresses(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for entry in value:
            _owned_key(entry)
        return value

    def owns(self, address: Address) -> bool:
        """Tell whether the account may send as `address`; one that can be read in two ways is nobody's."""
        if address.ambiguous:
            return False
        return address.key in self._owned or f"@{address.domain}" in self._owned

    @cached_property
    def _owned(self) -> frozenset[str]:
        return frozenset(_owned_key(entry) for entry in self.addresses)


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


def _owned_key(entry: str) -> str:
    """Return the key of an `addresses` entry: `local@domain`, or `@domain`; raises ValueError."""
    try:
        return "@" + normalise_domain(entry[1:]) if entry.startswith("@") else _exact_key(entry)
    except AddressError as error:
        raise ValueError(f"not an address: {entry!r} ({error})") from None


def _exact_key(entry: str) -> str:
    address = parse_path(entry)
    if address.ambiguous:
        raise ValueError(f"the address {entry!r} can be read in two ways")
    return address.key


def read(path: Path) -> tuple[Account, ...]:
    """Return the accounts of a file; a file that is not there has none. Raises `Problems`."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return ()
    except (OSError, UnicodeDecodeError) as error:
        cause = getattr(error, "strerror", None) or "not UTF-8"
        raise Problems([Problem(str(path), 1, 1, "", f"cannot be read: {cause}")]) from None
    return validate(_File, load(text, str(path))).accounts


def _read_again(path: Path) -> tuple[Account, ...]:
    """Return the accounts of a file that had some: it must be there and say `accounts:`. Raises `Problems`.

    An empty file is one that somebody is about to write; "no accounts" is said by `accounts: []`.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        cause = getattr(error, "strerror", None) or "not UTF-8"
        raise Problems([Problem(str(path), 1, 1, "", f"cannot be read: {cause}")]) from None
    found = validate(_File, load(text, str(path)))
    if "accounts" not in found.model_fields_set:
        raise Problems([Problem(str(path), 1, 1, "", "the key accounts is missing; for none: accounts: []")])
    return found.accounts


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
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def to_yaml(accounts: tuple[Account, ...]) -> str:
    """Write the file's text; every value is a JSON value, which YAML reads as the same."""
    out = [_HEAD, "accounts:\n" if accounts else "accounts: []\n"]
    for account in accounts:
        values = account.model_dump(mode="json", exclude_defaults=True)
        lines = [f"{key}: {json.dumps(value, ensure_ascii=False)}\n" for key, value in values.items()]
        out += ["  - ", "    ".join(lines)]
    return "".join(out)


@dataclass(frozen=True, slots=True)
class _Stamp:
    """What tells one version of a file from the next without reading it."""

    modified_ns: int
    size: int
    inode: int


class Accounts:
    """The accounts in force. Each question looks at the file's stamp and reads the file when it changed.

    `on_change` is told what a new version of the file changes: see `account_changes`.
    """

    def __init__(
        self, path: Path | None, on_change: OnChange = lambda _: None, clock: Clock = utc_now
    ) -> None:
        self._path = path
        self._on_change = on_change
        self._clock = clock
        self._vanished = False
        self._stamp: _Stamp | None = None
        self._by_login: dict[str, Account] = {}
        if path is not None:
            self._stamp = _stamp(path)
            self._use(read(path))

    def __len__(self) -> int:
        self.refresh()
        return len(self._by_login)

    def get(self, login: str) -> Account | None:
        """Return the account as it is now, suspended or not."""
        self.refresh()
        return self._by_login.get(login.casefold())

    def active(self, login: str) -> Account | None:
        """Return the account if it may submit now."""
        account = self.get(login)
        return account if account is not None and not account.suspended else None

    def language_of(self, login: str) -> Language | None:
        """Return the language the account's owner reads, where the file says so."""
        account = self.get(login)
        return account.language if account is not None else None

    def _use(self, accounts: tuple[Account, ...]) -> None:
        self._by_login = {account.login.casefold(): account for account in accounts}

    def refresh(self) -> None:
        """Read the file if it changed; one that is gone, half-written or broken keeps the accounts that were good."""
        if self._path is None or (stamp := _stamp(self._path)) == self._stamp:
            return
        if stamp is None:
            self._stamp, self._vanished = None, True
            log.error("accounts_missing", file=str(self._path), kept=len(self._by_login))
            return
        if self._is_being_written(stamp):
            return
        self._stamp, self._vanished = stamp, False
        try:
            before, accounts = self._by_login, _read_again(self._path)
            self._use(accounts)
        except Problems as problems:
            found = [str(problem) for problem in problems.problems]
            log.error("accounts_broken", problems=found, kept=len(self._by_login))
        else:
            log.info("accounts_read", accounts=len(self._by_login))
            if changes := account_changes(before, self._by_login):
                self._on_change(changes)

    def _is_being_written(self, stamp: _Stamp) -> bool:
        """Tell whether the file may be half of itself; what `write` and careful editors put in its place is whole."""
        in_place = self._vanished or (self._stamp is not None and self._stamp.inode == stamp.inode)
        age = self._clock().timestamp() - stamp.modified_ns / 1e9
        return in_place and 0 <= age < SETTLES_S


def account_changes(before: Mapping[str, Account], after: Mapping[str, Account]) -> Changes:
    """Return what was done to whom, by login: `added`, `removed`, or the names of what changed. Never a hash."""
    changes: Changes = {}
    for key in sorted(before.keys() | after.keys()):
        old, new = before.get(key), after.get(key)
        if old is None or new is None:
            changes[(old or new or after[key]).login] = ["removed" if new is None else "added"]
        elif old != new:
            changes[new.login] = [
                name for name in Account.model_fields if getattr(old, name) != getattr(new, name)
            ]
    return changes


def _stamp(path: Path) -> _Stamp | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return _Stamp(found.st_mtime_ns, found.st_size, found.st_ino)
