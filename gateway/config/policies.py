"""The policy in force: read from its folder, renewed when the folder changes, kept when an edit is broken.

A broken edit never replaces a working policy (docs/decisions/0002-fail-closed.md): the last good one stays, and
`sekisho_policy_stale`, /readyz and the log say so. Without any good policy there is none, and mail gets 451. A floor that was
in force (docs/decisions/0052-tiers.md) does not go while the gateway runs; a broken local file does not keep a new one out.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Collection, Mapping
from pathlib import Path

import structlog
from watchfiles import awatch

from gateway import metrics, rule_effects
from gateway.config.key_ways import check_ways
from gateway.config.policy_files import policy_of, problem, read_files, read_floor, read_policy, tier_folders
from gateway.policy.model import Policy
from gateway.policy.tiers import Tier, tier_of
from gateway.yaml_source import Problems

__all__ = ["PolicyInForce", "read_policy"]

LOOK_AGAIN_MS = 2_000  # how long a folder that came, went or was replaced may stay unnoticed
SETTLE_MS = 300  # editors write in several steps: wait until a change is this old

Identity = tuple[tuple[int, int], ...]  # device and inode, of the folder and of the tiers in it
Stamps = tuple[tuple[str, int, int, int], ...]  # of each file: its path, inode, when it changed, its size

_GIVE_UP = "its last good rules stay in force; put it back, or restart the gateway to do without a floor"

log = structlog.get_logger()


def _identity(folder: Path) -> Identity | None:
    """Return what tells this folder and its tiers from others of the same names, or None where there is none."""
    try:
        found = [path.stat() for path in (folder, *tier_folders(folder))]
    except OSError:
        return None
    return tuple((each.st_dev, each.st_ino) for each in found)


def _stamps(folder: Path) -> Stamps | None:
    """Return what tells the files from others and from themselves before an edit; None where that cannot be seen now."""
    try:
        places = (folder, *tier_folders(folder))
        files = sorted(path for place in places for path in place.iterdir() if path.is_file())
        found = [(str(path), path.stat()) for path in files]
    except OSError:  # gone in this moment, or no descriptor is left
        return None
    return tuple([(name, each.st_ino, each.st_mtime_ns, each.st_size) for name, each in found])


def check_routes(policy: Policy, routes: Collection[str] | None, folder: Path) -> None:
    """Raise `Problems` where a rule asks for a next hop that the settings do not have: such mail would never leave."""
    unknown = [name for name in policy.routes if routes is not None and name not in routes]
    known = ", ".join(routes or ()) or "none is"
    hint = f"add it to the settings, or use a name that is there: {known}"
    if unknown:
        raise Problems(
            [problem(folder, f"the settings have no delivery.routes.{name}", hint) for name in unknown]
        )


class PolicyInForce:
    """Holds the last good policy of one folder.

    `routes` are the next hops that the settings name, `texts` is whether they name a carrier of text messages; None asks not.
    """

    def __init__(
        self,
        folder: Path,
        on_change: Callable[[Policy], None] | None = None,
        routes: Collection[str] | None = None,
        texts: bool | None = None,
    ) -> None:
        self._folder = folder
        self._routes = routes
        self._texts = texts
        self._policy: Policy | None = None
        self._local: dict[str, str] = {}  # the local files of the policy in force
        self._read_from: Identity | None = None
        self._read_as: Stamps | None = None
        self._on_change = on_change
        self._turn = asyncio.Lock()
        self.problems: Problems | None = None

    @property
    def current(self) -> Policy:
        """Return the policy in force; raises `Problems` where there never was a good one."""
        if self._policy is None:
            raise self.problems or Problems([problem(self._folder, "not read yet")])
        return self._policy

    async def reload(self) -> bool:
        """Read the folder again, off the event loop; return whether the policy on disk is the one in force now.

        One after another: of two reads at once, the one that began earlier could end later and win.
        """
        async with self._turn:
            self._read_from = _identity(self._folder)
            self._read_as = await asyncio.to_thread(_stamps, self._folder)
            try:
                files = await asyncio.to_thread(read_files, self._folder)
                policy = await self._checked(files)
            except Problems as problems:
                self._keep(problems)
                await self._renew_floor()
                return False
            except Exception as error:
                # A fault of ours in reading must not end a service that has a good policy.
                log.exception("policy.not-read")
                self._keep(Problems([problem(self._folder, f"cannot be read: {type(error).__name__}")]))
                return False
            if self._policy is not None and self._policy.has_floor and not policy.has_floor:
                self._keep(Problems([problem(self._folder / "floor", "the floor is gone", _GIVE_UP)]))
                return False
            self._local = {name: text for name, text in files.items() if tier_of(name) is Tier.LOCAL}
            mended, self.problems = self.problems is not None and self._policy is not None, None
            metrics.POLICY_STALE.set(0)
            self._put(policy)
            if (
                mended
            ):  # also where the policy is the one that was kept: who was told of the mistake hears of its end
                log.info("policy.mended", digest=policy.digest[:12])
            return True

    async def _checked(self, files: Mapping[str, str]) -> Policy:
        policy = await asyncio.to_thread(policy_of, self._folder, files)
        check_routes(policy, self._routes, self._folder)
        check_ways(policy, self._texts, self._folder)
        return policy

    async def _renew_floor(self) -> None:
        """Put a changed floor in force where the local files are broken, together with the last good ones.

        Or whoever may write `local/` could keep the ordering body's next rule out for ever.
        """
        if self._policy is None or not self._policy.has_floor:
            return
        try:
            floor = await asyncio.to_thread(read_floor, self._folder)
            policy = await self._checked({**floor, **self._local})
        except Problems:
            return  # in the floor, or between both: that was told
        except Exception:
            log.exception("policy.not-read")
            return
        if policy.digest != self._policy.digest:
            self._put(policy)

    async def watch(self, stop: asyncio.Event) -> None:
        """Reload on every change of the folder until `stop` is set.

        A folder that is missing, or that another one was put in place of, is looked for again; nothing that the file system
        does ends the watch.
        """
        while not stop.is_set():
            now = _identity(self._folder)
            if now != self._read_from or await self._edited():
                await self.reload()
            if now is not None and await self._watch_one(now, stop):
                continue
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK_AGAIN_MS / 1000):
                    await stop.wait()

    async def _watch_one(self, identity: Identity, stop: asyncio.Event) -> bool:
        """Reload on changes of this very folder; return False where the system does not let us watch it."""
        changes = awatch(
            self._folder,
            *tier_folders(self._folder),
            stop_event=stop,
            debounce=SETTLE_MS,
            step=50,
            recursive=False,
            rust_timeout=LOOK_AGAIN_MS,
            yield_on_timeout=True,
        )
        try:
            async for found in changes:
                if _identity(self._folder) != identity:
                    break
                if found or await self._edited():
                    await self.reload()
        except OSError as error:
            log.warning("policy.unwatched", cause=str(error))
            return False
        return True

    async def _edited(self) -> bool:
        """Tell whether the files are not those that were read: edited before anybody watched, or where nobody tells of it."""
        now = await asyncio.to_thread(_stamps, self._folder)
        return now is not None and now != self._read_as

    def _keep(self, problems: Problems) -> None:
        self.problems = problems
        metrics.POLICY_RELOADS.labels("broken").inc()
        metrics.POLICY_STALE.set(1)
        log.error(
            "policy.broken", problems=[str(p) for p in problems.problems], kept=self._policy is not None
        )

    def _put(self, policy: Policy) -> None:
        before, self._policy = self._policy, policy
        if before is not None and before.digest == policy.digest:
            metrics.POLICY_RELOADS.labels("unchanged").inc()
            return
        metrics.POLICY_RELOADS.labels("changed").inc()
        metrics.policy_in_force(before.digest if before is not None else None, policy.digest)
        rule_effects.in_force({rule.id: rule.holds for rule in policy.rules})
        floor = sum(rule.tier is Tier.FLOOR for rule in policy.rules)
        log.info(
            "policy.in-force",
            digest=policy.digest[:12],
            folder=str(self._folder),
            rules=len(policy.rules),
            floor_rules=floor,
        )
        if self._on_change is not None:
            self._on_change(policy)
