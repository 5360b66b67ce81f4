"""What is read again while the service runs: policy, accounts, master key, certificate and letters, all of them on SIGHUP.

A file that cannot be read leaves in force what was read before; the log says so.
"""

from __future__ import annotations

import asyncio

import structlog

from gateway.config.policies import PolicyInForce
from gateway.receive.accounts import Accounts
from gateway.receive.listener import Listener
from gateway.service.master_key import KeyInUse
from gateway.service.own_letters import OwnLetters
from gateway.values import dataclass

ACCOUNTS_EVERY_S = 5.0  # between two looks at the accounts file

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class ReadAgain:
    """Everything that comes from a file which may change."""

    policy: PolicyInForce
    accounts: Accounts
    key: KeyInUse
    listener: Listener
    letters: OwnLetters

    async def whenever(self, asked: asyncio.Event) -> None:
        """Read everything again each time it is asked for; many signals at once are one or two reloads."""
        while True:
            await asked.wait()
            asked.clear()
            try:
                await self.everything()
            except Exception:
                log.exception("reload-failed")

    async def everything(self) -> None:
        """Read all files once."""
        await self.policy.reload()
        self.accounts.refresh()
        self.key.refresh()
        try:
            self.listener.reload_certificate()
        except (OSError, ValueError) as error:
            log.error("certificate.kept", cause=str(error))
        await self.letters.read()

    async def watch_accounts(self) -> None:
        """Look at the accounts file now and then, so that a change is in the event log also when nobody signs in."""
        while True:
            await asyncio.sleep(ACCOUNTS_EVERY_S)
            try:
                self.accounts.refresh()
            except Exception:
                log.exception("accounts_unread")
