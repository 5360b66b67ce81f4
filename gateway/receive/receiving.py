"""The content of a mail: DATA, and BDAT as the other way to send the same (RFC 5321 4.1.1.4, RFC 3030).

Both end in one place, where the content is judged and handed in. Whatever happens inside a mail, no octet of
it is ever taken for a command: what was refused is read to its end, and where that end cannot be known any more the
connection is closed.
"""

from __future__ import annotations

import asyncio
from math import inf

import structlog

from gateway.message.address import Address
from gateway.message.envelope import Client, Envelope
from gateway.message.header import split
from gateway.receive.account import Account
from gateway.receive.command import Chunk, SyntaxFault, parse_bdat
from gateway.receive.content import content_reply, header_octets
from gateway.receive.data import ChunkReader, DataReader
from gateway.receive.fronted import Fronted
from gateway.receive.mending import MendingReader
from gateway.receive.ownership import header_reply
from gateway.receive.reply import Reply
from gateway.receive.transaction import Transaction
from gateway.receive.transfer import Transfer
from gateway.receive.wire import Hangup

LARGE_HEADER = 1 << 15  # octets of a header section above which a thread judges it: 32 KiB take about 2 ms
LARGE_CONTENT = 1 << 20  # octets above which a thread puts a mail together
ACCOUNT_GONE = Reply(530, "5.7.0", "the account was suspended or removed", "auth")
_GO_AHEAD = Reply(354, "", "send the mail; end with <CR><LF>.<CR><LF>").wire()

log = structlog.get_logger()


class Receiving(Fronted):
    """Adds DATA and BDAT. `chunks` is the mail of which some chunks have come and the last has not."""

    transaction: Transaction | None = None
    chunks: Transfer | None = None
    helo = ""

    def forget(self) -> None:
        super().forget()
        self.helo = ""
        self.reset()

    def reset(self) -> None:
        """Forget the mail that is being addressed or sent; unless it was taken, it used nothing up."""
        if self.transaction is not None:
            self.transaction.usage.give_back()
        self.transaction = None
        self.in_transaction = False
        self.mail_ends_at = inf
        if self.chunks is not None:
            self.chunks.close()
            self.chunks = None

    def hang_up(self, last: bytes) -> None:
        self.reset()
        super().hang_up(last)

    def begun(self) -> Transaction:
        """Return the mail that is being addressed; raises `SyntaxFault` when there is none, or its content has begun."""
        if self.transaction is None:
            raise SyntaxFault(503, "5.5.1", "say MAIL first")
        if self.chunks is not None:
            raise SyntaxFault(503, "5.5.1", "BDAT has begun; go on with BDAT, or say RSET")
        return self.transaction

    @property
    def uncounted(self) -> int:
        """Return the recipients that were taken: as many as `limits.recipients` allows, however few `limits.commands` are.

        A mail that is dropped takes them back, so that nobody names recipients for ever.
        """
        return len(self.transaction.recipients) if self.transaction is not None else 0

    # --- DATA ---

    async def smtp_DATA(self, arg: str) -> None:  # noqa: N802 - aiosmtpd's naming
        transaction = self.begun()
        if arg:
            raise SyntaxFault(501, "5.5.4", "DATA takes no argument")
        if not transaction.recipients:
            raise SyntaxFault(554, "5.5.1", "no valid recipients")
        self.queue(_GO_AHEAD)
        reader = MendingReader if self.peer.ends_lines_with_lf else DataReader
        transfer = self._transfer(reader(self.limits.message, self.limits.line))
        try:
            await self._receive(transfer)
            await self._conclude(transaction, transfer)
        finally:
            transfer.close()
            self.reset()

    async def _receive(self, transfer: Transfer) -> None:
        rest = None
        while rest is None:
            rest = self._take(transfer, await self._next_octets(transfer))
        self.input[:0] = rest

    # --- BDAT ---

    async def smtp_BDAT(self, arg: str) -> None:  # noqa: N802
        try:
            chunk = parse_bdat(arg)
        except SyntaxFault as fault:
            raise Hangup(fault.reply) from None  # nobody knows how many octets follow
        refusal = self._chunk_refusal()
        if refusal is not None:
            await self._discard(chunk.size, refusal)
            self.say(refusal)
            return
        try:
            await self._receive_chunk(chunk)
        except BaseException:
            self.reset()
            raise

    def _chunk_refusal(self) -> Reply | None:
        if not self.extended:
            return Reply(503, "5.5.1", "BDAT needs EHLO", "syntax")
        if self.transaction is None:
            return Reply(503, "5.5.1", "say MAIL first", "syntax")
        if not self.transaction.recipients:
            return Reply(554, "5.5.1", "no valid recipients", "syntax")
        return None

    async def _receive_chunk(self, chunk: Chunk) -> None:
        transfer = self.chunks or self._begin_chunks()
        transfer.expect(chunk.size)
        await self._read_chunk_of(transfer, chunk.size)
        if chunk.last:
            await self._conclude_chunks(transfer)
        else:
            self.say(transfer.refusal() or Reply(250, "2.0.0", f"{chunk.size} octets received"))

    def _begin_chunks(self) -> Transfer:
        self.chunks = self._transfer(ChunkReader(self.limits.message, self.limits.line))
        self.mail_ends_at = self.loop.time() + self.reception.data_seconds
        return self.chunks

    async def _conclude_chunks(self, transfer: Transfer) -> None:
        assert self.transaction is not None  # noqa: S101 - _chunk_refusal looked
        transfer.finish()
        try:
            await self._conclude(self.transaction, transfer)
        finally:
            self.reset()

    async def _read_chunk_of(self, transfer: Transfer, size: int) -> None:
        while size:
            octets = await self._next_octets(transfer, size)
            self._take(transfer, octets)
            size -= len(octets)

    async def _discard(self, size: int, refusal: Reply) -> None:
        """Read a chunk that was refused; more of it than anybody may send ends the session."""
        transfer = self._transfer(ChunkReader(0, self.limits.line))
        transfer.drop(refusal)
        await self._read_chunk_of(transfer, size)

    # --- both ---

    def _transfer(self, reader: DataReader | ChunkReader) -> Transfer:
        return Transfer(self.reception, self.loop.time(), reader)

    async def _next_octets(self, transfer: Transfer, most: int | None = None) -> bytearray:
        if transfer.hopeless:
            raise Hangup(transfer.refusal())
        if not self.input and not await self.more(transfer.deadline(self.loop.time())):
            log.info("smtp_lost_in_data", ip=self.peer.ip)
            raise Hangup
        return self.take(most)

    def _take(self, transfer: Transfer, octets: bytearray) -> bytes | None:
        """Take octets of a mail; when that fails, hang up: what is left unread must not become commands."""
        try:
            return transfer.take(octets)
        except Exception:
            raise Hangup(self.unexpected()) from None

    async def _conclude(self, transaction: Transaction, transfer: Transfer) -> None:
        reply = transfer.refusal() or await self._hand_in(transaction, transfer)
        if reply.code == 250:
            transaction.usage.keep()
            self.forgive()
        self.say(reply, counted=reply.why != "policy", utf8=transaction.mail.smtputf8)

    async def _hand_in(self, transaction: Transaction, transfer: Transfer) -> Reply:
        large = transfer.reserved > LARGE_CONTENT
        raw = await asyncio.to_thread(transfer.content) if large else transfer.content()
        account = self.reception.accounts.active(self.login) if self.login is not None else None
        if self.login is not None and account is None:
            return ACCOUNT_GONE
        question = (raw, self.limits.received_fields, account, transaction.sender)
        long = len(raw) > LARGE_HEADER and raw.find(b"\r\n\r\n", 0, LARGE_HEADER) < 0
        refusal = await asyncio.to_thread(refusal_of, *question) if long else refusal_of(*question)
        if refusal is not None:
            return refusal
        reserved, transfer.reserved = transfer.reserved, 0  # the commit gives it back
        try:
            envelope = self._envelope(transaction, transfer.eight_bit)
            return await self.reception.commit(self.handler, envelope, raw, reserved)
        except Exception:
            return self.unexpected()

    def _envelope(self, transaction: Transaction, eight_bit: bool) -> Envelope:
        return Envelope(
            sender=transaction.sender,
            recipients=tuple(transaction.recipients.values()),
            client=Client(
                ip=self.peer.ip, helo=self.claimed_helo or self.helo, account=self.login, tls=self.tls
            ),
            smtputf8=transaction.mail.smtputf8,
            body_8bit=eight_bit,  # by content: clients forget BODY=8BITMIME, and say it without need
            asked=transaction.mail.asked,
            requests=transaction.requests(),
        )


def refusal_of(raw: bytes, received: int, account: Account | None, sender: Address | None) -> Reply | None:
    """Return the refusal of a mail for its header section or for an author that the account is not. Pure."""
    refusal = content_reply(raw, received)
    if refusal is not None or account is None:
        return refusal
    header, _ = split(header_octets(raw) + b"\r\n")
    return header_reply(account, sender, header)
