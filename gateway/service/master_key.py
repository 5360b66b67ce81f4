"""The master key the service works with: found or made at the start, and followed while `sekisho keys rotate` replaces it.

A key from the environment changes with a restart only. A file's key is taken while the service runs, and only where the key in
use comes with it: another one would leave the mail of today unreadable.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Collection
from pathlib import Path

import structlog

from gateway.config.settings import Settings
from gateway.service.errors import CannotStart
from gateway.store.database import FILE_NAME
from gateway.store.errors import StoreUnavailable
from gateway.store.keys import ENVIRONMENT, MasterKey, MasterKeyError, key_file

EVERY_S = 5.0  # between two looks at the key file

NO_SHARED_KEY = (
    "no master key at {path}: gateways that share a database need the same one; "
    "for the first make it with (umask 077; head -c 32 /dev/urandom > {path}), to the others copy it"
)

log = structlog.get_logger()


def master_key(settings: Settings) -> MasterKey:
    """Load the master key; a state directory without a database gets a new one where there is none."""
    path = key_file(settings.state, settings.master_key_file)
    settings.state.mkdir(parents=True, exist_ok=True, mode=0o700)
    if ENVIRONMENT in os.environ or path.exists() or (settings.state / FILE_NAME).exists():
        return MasterKey.load(path)
    if settings.store.url:
        raise CannotStart(NO_SHARED_KEY.format(path=path))
    log.info("master-key.created", path=str(path))
    return MasterKey.create(path)


class KeyInUse:
    """The key in use and its file; `path` is None where the key came from the environment. `adopt` hears of each new one.

    `in_store` gives the keys that the store was written under; one that was retired is on that list no more.
    """

    def __init__(
        self,
        key: MasterKey,
        path: Path | None,
        adopt: Callable[[MasterKey], None],
        in_store: Callable[[], Collection[str]] = tuple,
    ) -> None:
        self._key = key
        self._in_store = in_store
        self._path = path
        self._adopt = adopt

    async def watch(self) -> None:
        """Look at the key file now and then, so that a key that `sekisho keys rotate` made is in use while it still works."""
        while self._path is not None:
            await asyncio.sleep(EVERY_S)
            self.refresh()

    def refresh(self) -> None:
        """Take a new master key from its file where it comes with the one in use; anything else is told only."""
        if self._path is None:
            return
        try:
            found = MasterKey.load(self._path, {})
        except MasterKeyError as error:
            log.error("master-key.kept", cause=str(error))
            return
        if found.key_ids == self._key.key_ids:
            return
        if found.holding(self._key.key_id) is None and not self._was_retired(found):
            log.error("master-key.kept", cause=f"the file holds {found.key_id} without {self._key.key_id}")
            return
        self._adopt(found)
        self._key = found
        log.info("master-key.adopted", keys=found.key_ids)

    def _was_retired(self, found: MasterKey) -> bool:
        """Tell whether the store knows the key found and ours no more: this process stood still while keys were exchanged."""
        try:
            known = self._in_store()
        except StoreUnavailable:
            return False
        return found.key_id in known and self._key.key_id not in known


def watched_file(settings: Settings) -> Path | None:
    """Return the key file that is in use; None where the environment holds the key. Ask before the environment forgets."""
    if ENVIRONMENT in os.environ:
        return None
    return key_file(settings.state, settings.master_key_file)
