"""The accounts in force: read from their file, read again when it changes.

A broken edit, a file that is gone or one that is being written keeps the accounts that were good.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import structlog

from gateway.clock import Clock, utc_now
from gateway.policy.demands import Language
from gateway.receive.account import Account, Changes, account_changes
from gateway.receive.accounts_file import read, read_again
from gateway.values import dataclass
from gateway.yaml_source import Problems

SETTLES_S = 1.0  # seconds without a write before a file that is written in place counts as whole

OnChange = Callable[[Changes], None]

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class _Stamp:
    """What tells one version of a file from the next without reading it."""

    modified_ns: int
    size: int
    inode: int


class Accounts:
    """The accounts in force. Each question looks at the file's stamp and reads the file when it changed.

    `on_change` is told what a new version of the file changes: see `account_changes`. `elsewhere` tells whether the person
    of a login is suspended beyond the file (docs/decisions/0077-people-and-accounts.md).
    """

    def __init__(
        self,
        path: Path | None,
        on_change: OnChange = lambda _: None,
        clock: Clock = utc_now,
        elsewhere: Callable[[str], bool] = lambda _: False,
    ) -> None:
        self._path = path
        self._on_change = on_change
        self._clock = clock
        self._elsewhere = elsewhere
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
        if account is None or account.suspended or self._elsewhere(account.login):
            return None
        return account

    def suspends(self, login: str) -> bool:
        """Tell whether the file itself suspends the account of a login."""
        account = self.get(login)
        return account is not None and account.suspended

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
            before, accounts = self._by_login, read_again(self._path)
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


def _stamp(path: Path) -> _Stamp | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return _Stamp(found.st_mtime_ns, found.st_size, found.st_ino)
