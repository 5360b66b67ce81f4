"""How the store is doing under this process, and what is said to the other nodes that share it. No verb on mail."""

from __future__ import annotations

from collections.abc import Callable

from gateway.store.database import Database


class Node:
    """This process as one of those that may work on the database."""

    def __init__(self, database: Database) -> None:
        self._db = database

    @property
    def damage(self) -> str:
        """Return what damage of the database this process has met, in the database's words; empty where none."""
        return self._db.damage.first

    @property
    def cut_off(self) -> bool:
        """Tell whether other nodes may take this one for dead, so that it has to leave its work to them."""
        return self._db.pulse is not None and self._db.pulse.epoch() is None

    @property
    def stuck(self) -> bool:
        """Tell whether a write has been under way for longer than any may take: a disk, or another worker, hangs."""
        return self._db.committer.stuck

    def give_up(self) -> None:
        """Answer every verb whose transaction is under way with StoreUnavailable; it may be committed yet."""
        self._db.committer.give_up()

    def ring(self) -> None:
        """Tell other nodes that share the store that there may be work for them; returns at once."""
        if self._db.pulse is not None:
            self._db.pulse.ring()

    def on_bell(self, heard: Callable[[], None]) -> None:
        """Have `heard` called, on a thread, when another node rings."""
        if self._db.pulse is not None:
            self._db.pulse.on_bell(heard)
