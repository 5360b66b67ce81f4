"""`sekisho` with one fuse: the process kills itself with SIGKILL at the step that KILL_AT names.

KILL_AT is `module:function when` (`before` or `after` the call), or `commit verb when`: the group commit that carries that
verb of the spool (`accept`, `notices.finish`), before or after COMMIT. The product knows nothing of this: the functions are
wrapped here, in the child.
"""

from __future__ import annotations

import asyncio
import functools
import os
import signal
import sys
from collections.abc import Callable
from importlib import import_module
from typing import Any

from gateway.spool.consenting import SqlConsents
from gateway.spool.outbox import SqlNotices
from gateway.spool.sql import SqlSpool
from gateway.store import writer

DOORS: dict[str, type] = {"": SqlSpool, "notices": SqlNotices, "consents": SqlConsents}


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def wrapped(function: Callable[..., Any], when: str) -> Callable[..., Any]:
    """Return `function` with the fuse before or after it, coroutine or not."""
    if asyncio.iscoroutinefunction(function):

        @functools.wraps(function)
        async def later(*args: Any, **kwargs: Any) -> Any:
            if when == "before":
                die()
            result = await function(*args, **kwargs)
            die()
            return result

        return later

    @functools.wraps(function)
    def now(*args: Any, **kwargs: Any) -> Any:
        if when == "before":
            die()
        result = function(*args, **kwargs)
        die()
        return result

    return now


def arm_function(where: str, when: str) -> None:
    """Put the fuse on `module:name` or `module:Class.name`."""
    module_name, _, path = where.partition(":")
    *owners, name = path.split(".")
    owner: Any = import_module(module_name)
    for step in owners:
        owner = getattr(owner, step)
    real = getattr(owner, name)
    fused = wrapped(real, when)
    setattr(owner, name, fused)
    for module in list(sys.modules.values()):  # whoever imported it by name, before we came
        for alias in [key for key, value in vars(module).items() if value is real]:
            setattr(module, alias, fused)


def arm_commit(verb: str, when: str) -> None:
    """Put the fuse on the first commit that begins after `verb` was called with something to do."""
    armed = False
    real_commit = writer._commit

    def fused(real_verb: Any) -> Any:
        async def called(self: Any, *args: Any, **kwargs: Any) -> Any:
            nonlocal armed
            armed = verb not in ("release_due", "claim") or await has_work(self, verb)
            return await real_verb(self, *args, **kwargs)

        return called

    def commit(transaction: Any) -> None:
        if armed and when == "before":
            die()
        real_commit(transaction)
        if armed:
            die()

    # New mail comes by either of two verbs, as there is room for it.
    room, _, name = verb.rpartition(".")
    door = DOORS[room]
    for each in ("accept", "accept_and_claim") if verb == "accept" else (name,):
        setattr(door, each, fused(getattr(door, each)))
    writer._commit = commit


async def has_work(spool: SqlSpool, verb: str) -> bool:
    """Tell whether the loop's call of `release_due` or `claim` will find something."""
    figures = await spool.figures()
    return figures.oldest_due is not None


def main() -> None:
    """Arm the fuse and run the command line."""
    *where, when = os.environ["KILL_AT"].split()
    if where[0] == "commit":
        arm_commit(where[1], when)
    else:
        arm_function(where[0], when)
    from gateway.cli import main as cli

    cli(prog_name="sekisho")


if __name__ == "__main__":
    main()
