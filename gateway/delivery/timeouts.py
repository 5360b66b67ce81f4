"""How long we wait for a next hop: the values of RFC 5321 4.5.3.2, scaled down where the settings ask for
less."""

from __future__ import annotations

from datetime import timedelta

from gateway.values import dataclass

GREETING = 300.0  # seconds, RFC 5321 4.5.3.2.1
COMMAND = 300.0  # MAIL and RCPT, 4.5.3.2.2 and .3; also EHLO, STARTTLS, AUTH and RSET
DATA = 120.0  # the 354, 4.5.3.2.4
BLOCK = 180.0  # one chunk of the message, 4.5.3.2.5
FINAL = 600.0  # the reply to the final dot, 4.5.3.2.6: giving up early here makes duplicates

TRANSACTION = 1200.0
"""Seconds for one hand-over with all its hosts and replies. Must stay below the lease (release/scheduler.py):
whoever still delivers when the lease has run out delivers twice."""


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds for each kind of wait."""

    connect: float = 30.0
    greeting: float = GREETING
    command: float = COMMAND
    data: float = DATA
    block: float = BLOCK
    final: float = FINAL
    transaction: float = TRANSACTION

    @staticmethod
    def bounded(connect: timedelta, command: timedelta) -> Timeouts:
        """Return the RFC's values, all shortened by the ratio of `command` to its RFC value; never
        lengthened."""
        ratio = min(1.0, command.total_seconds() / COMMAND)
        return Timeouts(
            connect=connect.total_seconds(),
            greeting=GREETING * ratio,
            command=COMMAND * ratio,
            data=DATA * ratio,
            block=BLOCK * ratio,
            final=FINAL * ratio,
        )
