"""A next hop: where to connect and how to secure and sign in, and what it said it can do."""

from __future__ import annotations

from dataclasses import field
from typing import Literal

from gateway.delivery.proof import NOTHING, Demand
from gateway.delivery.reply import Reply
from gateway.values import dataclass

Tls = Literal["off", "opportunistic", "starttls", "implicit"]


@dataclass(frozen=True, slots=True)
class Hop:
    """One host to connect to. `name` is what its certificate must show; `address` is its IP address, "" to
    look it up.

    Mode `opportunistic` encrypts where the host offers it, without checking the certificate: whoever can
    strip the offer could show any certificate. With a user name it is as strict as `starttls`, because a
    password never goes out in the clear unless the mode is `off`.
    """

    name: str
    port: int = 25
    address: str = ""
    tls: Tls = "opportunistic"
    verify: bool = False
    username: str = ""
    password: str = field(default="", repr=False)
    demand: Demand = NOTHING

    @property
    def connect_to(self) -> str:
        return self.address or self.name

    @property
    def tls_required(self) -> bool:
        return self.tls in ("starttls", "implicit") or (self.tls == "opportunistic" and bool(self.username))

    def __str__(self) -> str:
        return f"{self.name}[{self.address}]:{self.port}" if self.address else f"{self.name}:{self.port}"


@dataclass(frozen=True, slots=True)
class Capabilities:
    """The extensions of an EHLO reply, keywords in upper case with their parameters (RFC 5321 4.1.1.1)."""

    extensions: dict[str, str] = field(default_factory=dict)

    @staticmethod
    def read(reply: Reply) -> Capabilities:
        """Read the lines after the first; `AUTH=LOGIN` of old servers counts as `AUTH LOGIN`."""
        found: dict[str, str] = {}
        for line in reply.lines[1:]:
            keyword, _, parameters = line.replace("AUTH=", "AUTH ", 1).partition(" ")
            found[keyword.upper()] = f"{found.get(keyword.upper(), '')} {parameters}".strip()
        return Capabilities(found)

    def __contains__(self, keyword: str) -> bool:
        return keyword in self.extensions

    @property
    def auth(self) -> frozenset[str]:
        return frozenset(self.extensions.get("AUTH", "").upper().split())
