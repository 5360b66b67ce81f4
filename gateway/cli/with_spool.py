"""What every command on the spool does: open it beside a running gateway, say who acts, end with one line where it fails."""

from __future__ import annotations

import asyncio
import getpass
import os
from collections.abc import Awaitable, Callable
from typing import TypeVar

import click

from gateway.cli.place import Place
from gateway.cli.printable import printable
from gateway.spool.contract import StoreUnavailable, UnknownMessage
from gateway.spool.opened import RecordUnreadable
from gateway.spool.sql import SqlSpool, open_spool
from gateway.store.errors import StoreMisconfigured, WrongMasterKey
from gateway.store.keys import MasterKey

T = TypeVar("T")


def who() -> str:
    """Return the name of who types this; a container's user id often has none, and a cancel must work all the same."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid {os.getuid()}"


_TOLD = (StoreUnavailable, StoreMisconfigured, UnknownMessage, WrongMasterKey, RecordUnreadable)


def with_spool(place: Place, work: Callable[[SqlSpool], Awaitable[T]], master: MasterKey | None = None) -> T:
    """Open the spool beside a running gateway, do `work`, close it; ends the command with one line where that fails."""

    async def run() -> T:
        spool = open_spool(place.store, master or place.master())
        try:
            return await work(spool)
        finally:
            await spool.close()

    try:
        return asyncio.run(run())
    except _TOLD as error:
        raise click.ClickException(printable(str(error).splitlines()[0])) from error
