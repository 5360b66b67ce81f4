"""The policy in force: read from its folder, renewed when the folder changes, kept when an edit is broken.

A broken edit never replaces a working policy (docs/decisions/0002-fail-closed.md): the last good one stays, and
`sekisho_policy_stale`, /readyz and the log say so. Without any good policy there is none, and mail gets 451.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from pathlib import Path

import structlog
from watchfiles import awatch

from gateway import metrics
from gateway.policy.load import load_policy
from gateway.policy.model import Policy
from gateway.yaml_source import Problem, Problems

MAX_FILES = 200  # of one folder; more is a mistake such as a wrong path
LOOK_AGAIN_MS = 2_000  # how long a folder that came, went or was replaced may stay unnoticed
SETTLE_MS = 300  # editors write in several steps: wait until a change is this old

Identity = tuple[int, int]  # device and inode

log = structlog.get_logger()


def read_policy(folder: Path) -> Policy:
    """Read every `*.yaml` of the folder except cases; raises `Problems`, also for a file that only looks like one of them."""
    try:
        paths = sorted(folder.iterdir())
    except OSError as error:
        raise Problems([_problem(folder, f"cannot be read: {error.strerror}")]) from None
    # A rule file renamed to `.yml` would be a rule switched off, and nobody would be told.
    unread = [path for path in paths if _looks_like_policy(path)]
    if unread:
        raise Problems(
            [_problem(path, "this file is not read", "rename it to end in .yaml") for path in unread]
        )
    names = [path for path in paths if path.suffix == ".yaml" and not path.name.endswith(".cases.yaml")]
    if not names:
        raise Problems([_problem(folder, "holds no policy", "put a file such as default.yaml there")])
    if len(names) > MAX_FILES:
        raise Problems([_problem(folder, f"holds more than {MAX_FILES} policy files")])
    return load_policy({str(path): _text(path) for path in names})


def _looks_like_policy(path: Path) -> bool:
    ending = path.suffix.lower()
    return ending in (".yml", ".yaml") and path.suffix != ".yaml" and not path.name.startswith(".")


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise Problems(
            [_problem(path, f"not UTF-8 at octet {error.start}", "save the file as UTF-8")]
        ) from None
    except OSError as error:
        raise Problems([_problem(path, f"cannot be read: {error.strerror}")]) from None


def _identity(folder: Path) -> Identity | None:
    """Return what tells this folder from another one of the same name, or None where there is none."""
    try:
        found = folder.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _problem(path: Path, message: str, hint: str = "") -> Problem:
    return Problem(str(path), 1, 1, "", message, hint)


class PolicyInForce:
    """Holds the last good policy of one folder."""

    def __init__(self, folder: Path, on_change: Callable[[Policy], None] | None = None) -> None:
        self._folder = folder
        self._policy: Policy | None = None
        self._read_from: Identity | None = None
        self._on_change = on_change
        self._turn = asyncio.Lock()
        self.problems: Problems | None = None

    @property
    def current(self) -> Policy:
        """Return the policy in force; raises `Problems` where there never was a good one."""
        if self._policy is None:
            raise self.problems or Problems([_problem(self._folder, "not read yet")])
        return self._policy

    async def reload(self) -> bool:
        """Read the folder again, off the event loop; return whether the policy on disk is the one in force now.

        One after another: of two reads at once, the one that began earlier could end later and win.
        """
        async with self._turn:
            self._read_from = _identity(self._folder)
            try:
                policy = await asyncio.to_thread(read_policy, self._folder)
            except Problems as problems:
                self._keep(problems)
                return False
            except Exception as error:
                # A fault of ours in reading must not end a service that has a good policy.
                log.exception("policy.not-read")
                self._keep(Problems([_problem(self._folder, f"cannot be read: {type(error).__name__}")]))
                return False
            self._put(policy)
            return True

    async def watch(self, stop: asyncio.Event) -> None:
        """Reload on every change of the folder until `stop` is set.

        A folder that is missing, or that another one was put in place of, is looked for again; nothing that the file system
        does ends the watch.
        """
        while not stop.is_set():
            now = _identity(self._folder)
            if now != self._read_from:
                await self.reload()
            if now is not None and await self._watch_one(now, stop):
                continue
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), LOOK_AGAIN_MS / 1000)

    async def _watch_one(self, identity: Identity, stop: asyncio.Event) -> bool:
        """Reload on changes of this very folder; return False where the system does not let us watch it."""
        changes = awatch(
            self._folder,
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
                if found:
                    await self.reload()
        except OSError as error:
            log.warning("policy.unwatched", cause=str(error))
            return False
        return True

    def _keep(self, problems: Problems) -> None:
        self.problems = problems
        metrics.POLICY_RELOADS.labels("broken").inc()
        metrics.POLICY_STALE.set(1)
        log.error(
            "policy.broken", problems=[str(p) for p in problems.problems], kept=self._policy is not None
        )

    def _put(self, policy: Policy) -> None:
        before, self._policy, self.problems = self._policy, policy, None
        metrics.POLICY_STALE.set(0)
        if before is not None and before.digest == policy.digest:
            metrics.POLICY_RELOADS.labels("unchanged").inc()
            return
        metrics.POLICY_RELOADS.labels("changed").inc()
        metrics.policy_in_force(before.digest if before is not None else None, policy.digest)
        log.info("policy.in-force", digest=policy.digest[:12], folder=str(self._folder))
        if self._on_change is not None:
            self._on_change(policy)
