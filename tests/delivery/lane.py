"""A lane without the spool: copies that follow each other on one seat, each asked for while another is under way."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

from gateway.delivery.courier import Courier
from gateway.delivery.errors import Busy
from gateway.delivery.hop import Hop
from gateway.delivery.mail import Outgoing
from gateway.delivery.route import Route
from tests.delivery.conftest import HEADER, mail


@dataclass
class Copies:
    """What one lane delivers; a copy that was asked for ahead is the next."""

    waiting: deque[Outgoing]
    ahead: list[Outgoing] = field(default_factory=list)

    def following(self) -> Outgoing | None:
        if self.ahead or not self.waiting:
            return None
        self.ahead.append(self.waiting.popleft())
        return self.ahead[0]

    def __iter__(self) -> Iterator[Outgoing]:
        while self.ahead or self.waiting:
            yield self.ahead.pop() if self.ahead else self.waiting.popleft()


def own(number: int) -> Outgoing:
    """Return a copy that says whose it is."""
    return mail(f"r{number}@example.com", header=HEADER, body=b"for r%d\r\n" % number)


async def send_all(courier: Courier, target: Hop, count: int, withhold: int = -1) -> list[str]:
    """Deliver copies on one seat; the one to `withhold` is begun, and then not sent. Return the states."""
    copies = Copies(deque(own(number) for number in range(count)))
    states = []
    async with courier.seat(copies.following) as seat:
        for number, outgoing in enumerate(copies):
            start_by = asyncio.get_running_loop().time() + 5

            def make(outgoing: Outgoing = outgoing, number: int = number) -> Outgoing:
                if number == withhold:
                    raise Busy("not ours any more")
                return outgoing

            delivery = await courier.deliver(Route(target), make, 1, start_by, seat)
            states.append(delivery.verdicts[0].state.value)
    return states
