"""What the store raises. The spool's contract passes `StoreUnavailable` on as it is."""

from __future__ import annotations


class StoreUnavailable(Exception):
    """The store cannot take or give data now; temporary by definition (habit: unknown errors are temporary).

    `uncertain` is True where COMMIT itself failed: nothing was acknowledged, but a crash recovery could still bring the
    transaction back, so files that belong to it must stay. `concerns_all` says that no single job caused it, `full` that
    there is no room on the disk.
    """

    def __init__(
        self, message: str, *, uncertain: bool = False, concerns_all: bool = False, full: bool = False
    ) -> None:
        super().__init__(message)
        self.uncertain = uncertain
        self.concerns_all = concerns_all
        self.full = full


class StoreDamaged(StoreUnavailable):
    """The database's file is damaged where it was read; what lies elsewhere in it may be as good as ever."""


class StoreConflict(StoreUnavailable):
    """Another process, or a lost connection, was in this transaction's way; nothing of it happened, and it may run again."""


class StoreMisconfigured(Exception):
    """The store does not give the durability that was asked for, or is of another version: refuse to start."""


class StateInUse(Exception):
    """Another `sekisho serve` works on this state directory."""


class WrongMasterKey(Exception):
    """The state directory was written under another master key."""


class BodyDamaged(Exception):
    """A stored body is missing, truncated, swapped or altered."""


class BodyRefused(Exception):
    """A stored body cannot be opened here and now (its file, its format, its key), and that says nothing about others."""
