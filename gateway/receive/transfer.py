"""One mail on its way in: the reader, its memory in the common budget, its deadlines, what to say when it fails."""

from __future__ import annotations

from gateway.config.settings import Limits
from gateway.receive.data import ChunkReader, DataReader, Fault
from gateway.receive.limits import data_deadline
from gateway.receive.reception import Reception
from gateway.receive.reply import Reply
from gateway.units import format_size

DRAIN_FACTOR = 2  # times limits.message that is read of a mail already lost, so that its client hears why


class Transfer:
    """Takes chunks until the end of the data. Whoever makes one calls `close` or hands `reserved` on."""

    def __init__(self, reception: Reception, started: float, reader: DataReader | ChunkReader) -> None:
        self._reception = reception
        self._limits = reception.settings.limits
        self._budget = reception.budget
        self._started = started
        self._reader = reader
        self.reserved = 0
        self._refused: Reply | None = None

    @property
    def eight_bit(self) -> bool:
        return self._reader.eight_bit

    @property
    def hopeless(self) -> bool:
        """Tell whether so much came of a mail already lost that nothing is left but to hang up."""
        return self._reader.fault is not None and self._reader.received > DRAIN_FACTOR * self._limits.message

    def take(self, octets: bytes | bytearray) -> bytes | None:
        """Take octets; return what follows the end of the data, None before the end."""
        reader = self._reader
        if reader.fault is None:
            if self._budget.take(len(octets)):
                self.reserved += len(octets)
            else:
                reader.give_up(Fault.NO_ROOM)
        rest = reader.feed(octets)
        held = reader.held
        self._budget.take(held - self.reserved)
        self.reserved = held
        return rest

    def expect(self, octets: int) -> None:
        """Hear how many octets a chunk will have; what would be too large is not kept at all."""
        if self._reader.received + octets > self._limits.message:
            self._reader.give_up(Fault.SIZE)

    def drop(self, refusal: Reply) -> None:
        """Keep nothing of what comes; it was refused already."""
        self._refused = refusal
        self._reader.give_up(Fault.NO_ROOM)

    def finish(self) -> None:
        """End a mail that came in chunks."""
        if isinstance(self._reader, ChunkReader):
            self._reader.finish()

    def deadline(self, now: float) -> float:
        """Return when to give up waiting for more."""
        idle, whole = self._reception.idle_seconds, self._reception.data_seconds
        received, rate = self._reader.received, self._limits.data_rate
        return data_deadline(self._started, received, now, idle, whole, rate)

    def refusal(self) -> Reply | None:
        """Return what is wrong with the content as it came over the wire."""
        if self._refused is not None:
            return self._refused
        return fault_reply(self._reader.fault, self._limits) if self._reader.fault is not None else None

    def content(self) -> bytes:
        """Return the message after its end."""
        return self._reader.content()

    def close(self) -> None:
        """Give the memory back."""
        if self.reserved:
            self._budget.take(-self.reserved)
            self.reserved = 0


def fault_reply(fault: Fault, limits: Limits) -> Reply:
    """Return the refusal of content; line faults are permanent, because the same octets would come again."""
    if fault is Fault.NO_ROOM:
        return Reply(452, "4.3.1", "too much mail is on its way in; try again later", "store")
    if fault is Fault.SIZE:
        return size_reply(limits)
    if fault is Fault.LONG_LINE:
        text = f"a line is longer than {limits.line} octets; send the text quoted-printable or base64"
        return Reply(550, "5.6.0", text, "content")
    mend = "lines end with CR LF and nothing else (RFC 5321 2.3.8)"
    if fault is Fault.NUL:
        mend = "what is not text has to be sent as base64"
    text = f"the mail holds {fault.value}; {mend}"
    return Reply(550, "5.6.0", text, "content")


def size_reply(limits: Limits) -> Reply:
    """Return the refusal of a mail above the limit, in words for who wonders why: the files were smaller."""
    text = f"the mail is larger than {format_size(limits.message)}; attachments grow by a third on their way"
    return Reply(552, "5.3.4", text, "size")
