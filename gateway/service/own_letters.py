"""What our own letters are made with: an organisation's templates and the keys that sign, read at start and when they change.

A key that cannot be used is an error at the start, and leaves the one before in force later. A template that cannot be used
never stops anything: the built-in one says that letter, and the log, /readyz and a metric say so until it is mended.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from zoneinfo import ZoneInfo

import structlog

from gateway import metrics
from gateway.clock import utc_now
from gateway.config.settings import Settings
from gateway.console.probes import Check, NotReady
from gateway.notices.dkim import KeyUnfit
from gateway.notices.letter import Author
from gateway.notices.own_templates import NOTHING, Own, read_own
from gateway.notices.signing import KeyPlace, Signing
from gateway.notices.wording import Wording
from gateway.service.errors import CannotStart

LOOK_EVERY_S = 5.0  # at the folder and at the keys: two dozen calls of stat
TOLD = 20  # problems of templates in one look that get a line each in the log

log = structlog.get_logger()


class OwnLetters:
    """`wording` and `signing` are what composers and worker use; both change under them."""

    def __init__(self, settings: Settings) -> None:
        self._folder = settings.notices.templates
        self._zone = ZoneInfo(settings.timezone)
        self.wording = Wording(self._zone)
        self.signing = Signing(key_places(settings), utc_now)
        self._seen: object = None
        self.own: Own = NOTHING
        read_keys(settings, self.signing)

    async def read(self) -> None:
        """Read the templates again, and the keys that changed."""
        self.signing.refresh()
        if self._folder is None:
            return
        self._seen = await asyncio.to_thread(_look, self._folder)
        self.own = await asyncio.to_thread(read_own, self._folder, self._zone)
        self.wording.adopt(self.own.forms)
        metrics.TEMPLATES_BROKEN.set(len(self.own.troubles))
        for trouble in self.own.troubles[:TOLD]:
            log.error("notice-template-broken", file=trouble.file, line=trouble.line, what=trouble.what)
        log.info("notice-templates-read", letters=len(self.own.forms), broken=len(self.own.troubles))

    async def watch(self) -> None:
        """Look for changes now and then, for ever."""
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            try:
                await self._look_once()
            except Exception:
                log.exception("own-letters-unread")

    async def _look_once(self) -> None:
        self.signing.refresh()
        if self._folder is not None and await asyncio.to_thread(_look, self._folder) != self._seen:
            await self.read()

    def check(self) -> Check:
        """Return the check of /readyz."""

        async def letters() -> None:
            if self.own.troubles:
                more = f" and {len(self.own.troubles) - 1} more" if len(self.own.troubles) > 1 else ""
                raise NotReady(
                    f"templates of notices: {self.own.troubles[0]}{more}; see sekisho notices check"
                )
            if self.signing.trouble:
                raise NotReady(f"the signing key of notices: {self.signing.trouble}")

        return letters


def author_of(settings: Settings) -> Author:
    """Return who our own mail is from."""
    address = settings.notices.address or f"sekisho@{settings.hostname}"
    return Author(settings.notices.name, address, settings.hostname)


def key_places(settings: Settings) -> list[KeyPlace]:
    """Return the keys that the settings name."""
    return [KeyPlace(each.domain, each.selector, each.key_file) for each in settings.notices.dkim]


def read_keys(settings: Settings, signing: Signing) -> None:
    """Read the keys; raises CannotStart for one that is none, or that signs for a domain that From is not in."""
    domain = author_of(settings).address.rpartition("@")[2].lower()
    for key in settings.notices.dkim:
        if domain != key.domain and not domain.endswith(f".{key.domain}"):
            raise CannotStart(
                f"notices.dkim.domain: our own mail is from {domain}, which {key.domain} does not sign for; "
                "set notices.address"
            )
    try:
        signing.read()
    except KeyUnfit as error:
        raise CannotStart(str(error)) from None


def _look(folder: Path) -> object:
    """Return what changes with the files of a folder and of those in it; a missing one looks like nothing."""
    try:
        files = [path for path in folder.rglob("*") if path.is_file()][:1_000]
        return tuple(sorted((str(path), path.stat().st_mtime_ns, path.stat().st_size) for path in files))
    except OSError:
        return None
