"""One mail transaction on an open session: MAIL, RCPT..., DATA, the message, and what was said about each
recipient.

With PIPELINING (RFC 2920) the envelope and DATA leave in one write; without it, one command at a time. Where
another mail follows, its envelope leaves in the same write as the end of this one, as RFC 2920 3.1 allows:
`Connection.begun`. Its content waits for the 354 as ever. On return the session is ready for the next
transaction or marked `needs_reset`; on an exception it must be given up.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum

from gateway.delivery.connection import Connection
from gateway.delivery.dots import END, wire
from gateway.delivery.errors import BadReply, DeliveryError, NoConnection, SessionRefused
from gateway.delivery.mail import Begun, Outgoing, Plan, plan
from gateway.delivery.reply import Reply
from gateway.delivery.timeouts import Timeouts
from gateway.values import dataclass

Following = Callable[[], Outgoing | None]
"""Gives the mail that goes to the same hop behind this one, if there is any; asked once, before the end of this one."""

Envelope = tuple[Reply, dict[int, Reply], Reply | None]
"""The replies to MAIL, to each RCPT by recipient number, and to DATA where it was sent."""


class Stage(StrEnum):
    """Which command a reply belongs to."""

    MAIL = "MAIL FROM"
    RCPT = "RCPT TO"
    DATA = "DATA"
    END = "end of data"


@dataclass(frozen=True, slots=True)
class Said:
    """The reply that decides about one recipient; `tells`: who gave it promised to tell the sender (offers DSN)."""

    stage: Stage
    reply: Reply
    tells: bool = False


Word = Said | BaseException
"""What decides about one recipient: a reply, or what kept us from getting one."""


def nobody() -> None:
    """Say that no mail follows."""


async def transact(
    connection: Connection, mail: Outgoing, timeouts: Timeouts, following: Following = nobody
) -> list[Word]:
    """Hand the mail over and return, for each recipient in order, what decides about it.

    Raises SessionRefused when MAIL was refused for now or the peer closes with 421 (nothing was taken then),
    NoConnection, BadReply or UncleanContent. `connection.dot_sent` tells whether the peer may have taken the
    mail in spite of an exception.
    """
    connection.dot_sent = False
    begun, connection.begun = connection.begun, None
    if begun is not None and begun.mail is not mail:
        raise NoConnection("another mail is begun on this session")
    steps = plan(mail, connection.capabilities) if begun is None else begun.steps
    if not steps.rcpt_to:
        return [steps.refused[number] for number in range(len(mail.recipients))]
    said = await _Transaction(connection, steps, timeouts, begun is not None, following).run(mail)
    connection.messages += 1
    return [
        said[number] if number in said else steps.refused[number] for number in range(len(mail.recipients))
    ]


class _Transaction:
    def __init__(
        self, connection: Connection, steps: Plan, timeouts: Timeouts, begun: bool, following: Following
    ) -> None:
        self._connection = connection
        self._timeouts = timeouts
        self._steps = steps
        self._begun = begun
        self._following = following
        self._reset = ["RSET"] if connection.needs_reset else []
        self._pipelining = "PIPELINING" in connection.capabilities.extensions

    async def run(self, mail: Outgoing) -> dict[int, Said]:
        self._connection.needs_reset = True
        mail_reply, rcpts, data = await (self._pipelined() if self._pipelining else self._stop_and_wait())
        accepted = [number for number, reply in rcpts.items() if reply.positive]
        if self._begun:
            self._say_again(mail_reply, data if accepted else None)
        if not mail_reply.positive:
            await self._leave_data(data, empty=not accepted)
            return dict.fromkeys(rcpts, Said(Stage.MAIL, mail_reply))
        if not accepted:
            await self._leave_data(data, empty=True)
            return _refused(rcpts)
        assert data is not None  # noqa: S101 (DATA was sent: a recipient was accepted)
        if len(accepted) < len(rcpts):
            self._following = nobody  # those refused may have a second turn here first
            return _refused(rcpts) | dict.fromkeys(accepted, await self._content(mail, data))
        return dict.fromkeys(accepted, await self._content(mail, data))

    async def _pipelined(self) -> Envelope:
        connection, timeouts, rcpt_to = self._connection, self._timeouts, self._steps.rcpt_to
        if not self._begun:
            connection.write(_envelope(self._steps, self._reset))
        if self._reset:
            self._check_reset(_closing(await connection.reply(timeouts.command)))
        replies: list[Reply] = []
        for wait in (timeouts.command, *[timeouts.command] * len(rcpt_to), timeouts.data):
            reply = connection.at_hand() or await connection.reply(wait)
            replies.append(reply if reply.code != 421 else _closing(reply))
        connection.must_be_in_step()
        mail_reply, *rcpts, data = replies
        self._refuse_session(mail_reply)
        return mail_reply, dict(zip(rcpt_to, rcpts, strict=True)), data

    async def _stop_and_wait(self) -> Envelope:
        if self._reset:
            self._check_reset(await self._say("RSET"))
        mail_reply = await self._say(self._steps.mail_from)
        self._refuse_session(mail_reply)
        if not mail_reply.positive:
            return mail_reply, dict.fromkeys(self._steps.rcpt_to, mail_reply), None
        rcpts = {number: await self._say(command) for number, command in self._steps.rcpt_to.items()}
        if not any(reply.positive for reply in rcpts.values()):
            return mail_reply, rcpts, None
        data = _closing(await self._connection.command("DATA", self._timeouts.data))
        return mail_reply, rcpts, data

    async def _content(self, mail: Outgoing, data: Reply) -> Said:
        """Send the message after a 354 and return the reply that decides about every accepted recipient."""
        if data.code != 354:
            return Said(Stage.DATA, _not_positive(data))
        try:
            await self._send(mail)
        except NoConnection:
            return Said(Stage.END, await self._parting_words())
        final = await self._connection.reply(self._timeouts.final)
        if final.code < 400 and not final.positive:
            raise BadReply(f"the message was answered {final}: neither taken nor refused")
        self._connection.needs_reset = False
        return Said(Stage.END, final, tells="DSN" in self._connection.capabilities.extensions)

    async def _send(self, mail: Outgoing) -> None:
        """Write the message. The last chunk holds the end of data: from then on the peer may have taken the
        mail.

        Nothing is waited for after it but the reply: a 250 followed by a close must count as a 250. A 250 that
        is there before the end of data says nothing about this mail, and would make us forget it.
        """
        previous = b""
        for chunk in wire(mail.header, mail.body, mail.ready):
            if previous:
                self._connection.write(previous)
                await self._connection.drain(self._timeouts.block)
                await asyncio.sleep(0)  # a hop that takes all at once must not keep everybody else waiting
            previous = chunk
        if self._connection.ahead:
            raise BadReply("a reply came before the end of the message")
        begun = self._next()
        self._connection.write(previous + _envelope(begun.steps) if begun is not None else previous)
        self._connection.begun = begun
        self._connection.dot_sent = True

    def _next(self) -> Begun | None:
        """Return the mail to be begun behind this one; one that cannot be served here comes by itself, later."""
        if not self._pipelining or (mail := self._following()) is None:
            return None
        try:
            steps = plan(mail, self._connection.capabilities)
        except DeliveryError:
            return None
        return Begun(mail, steps) if steps.rcpt_to else None

    async def _parting_words(self) -> Reply:
        """Return a refusal that came while we were still writing; a connection that died silently raises its
        error."""
        reply = await self._connection.reply(0)
        if not (reply.temporary or reply.permanent):
            raise NoConnection(f"the connection broke while the message was sent, after {reply}")
        return reply

    async def _leave_data(self, data: Reply | None, *, empty: bool) -> None:
        """Get out of a DATA that was let in without a recipient: a lone dot sends nothing to nobody (RFC 2920 3.1).

        A peer that refused MAIL and took recipients all the same would send them an empty mail: hang up on it.
        """
        if data is None or data.code != 354:
            return
        if not empty:
            self._connection.abort()
            return
        self._connection.write(END)
        await self._connection.reply(self._timeouts.final)
        self._connection.needs_reset = False

    def _say_again(self, mail: Reply, data: Reply | None) -> None:
        """Leave where what was said ahead is refused for another reason than its recipients: it may be that it was
        said ahead. What counts is what a fresh session says."""
        if not mail.positive:
            raise SessionRefused("MAIL FROM", mail)
        if data is not None and data.code != 354:
            raise SessionRefused("DATA", data)

    def _refuse_session(self, reply: Reply) -> None:
        """Leave on a MAIL that is refused for now: it is about us or the host's state, and another host may
        do better."""
        if not (reply.positive or reply.permanent):
            raise SessionRefused("MAIL FROM", reply)

    def _check_reset(self, reply: Reply) -> None:
        if not reply.positive:
            raise SessionRefused("RSET", reply)

    async def _say(self, command: str) -> Reply:
        return _closing(await self._connection.command(command, self._timeouts.command))


def _envelope(steps: Plan, before: Sequence[str] = ()) -> bytes:
    """Return the commands of an envelope and DATA, which must be the last of a group (RFC 2920 3.1)."""
    return "\r\n".join([*before, steps.mail_from, *steps.rcpt_to.values(), "DATA", ""]).encode()


def _refused(rcpts: Mapping[int, Reply]) -> dict[int, Said]:
    """Return what RCPT decides about; those accepted hear the end of data."""
    return {number: Said(Stage.RCPT, reply) for number, reply in rcpts.items() if not reply.positive}


def _closing(reply: Reply) -> Reply:
    """Pass a reply on; a 421 before the message was sent means that the peer leaves and took nothing:
    SessionRefused."""
    if reply.code == 421:
        raise SessionRefused("the peer closes", reply)
    return reply


def _not_positive(data: Reply) -> Reply:
    if data.positive:
        raise DeliveryError(f"DATA answered {data}: neither 354 nor a refusal")
    return data
