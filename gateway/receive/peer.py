"""Who is at the other end of a connection, what its address allows, and its place among the open connections.

A peer in `smtp.proxy_networks` or `smtp.xclient_networks` is a front: it brings other people's connections. Once it has said
whose this one is, that client is whom trust and limits are about.
"""

from __future__ import annotations

from gateway.config.settings import Smtp
from gateway.receive.limits import Connections, is_in


class Peer:
    """`ip` is the client whose connection this is, `address` the other end of the socket; they differ behind a front.

    `admitted` tells whether the connection is counted: one that is not has to be refused.
    """

    def __init__(self, address: str, smtp: Smtp, connections: Connections) -> None:
        self.address = self.ip = address
        self.behind_proxy = is_in(address, smtp.proxy_networks)
        self.may_xclient = is_in(address, smtp.xclient_networks)
        self.trusted = is_in(address, smtp.trusted_networks) and not self.behind_proxy
        self.ends_lines_with_lf = is_in(address, smtp.bare_lf_networks)
        self._smtp = smtp
        self._connections = connections
        self.admitted = connections.enter(address, front=self.fronts)

    @property
    def fronts(self) -> bool:
        """Tell whether the peer may bring other people's connections and has not said whose this one is."""
        return self.ip == self.address and (self.behind_proxy or self.may_xclient)

    def stand_for(self, ip: str) -> None:
        """Be the connection of the client that a front names: for trust and for limits; see `admitted`."""
        self.leave()
        self.ip = ip
        self.trusted = is_in(ip, self._smtp.trusted_networks)
        self.ends_lines_with_lf = is_in(ip, self._smtp.bare_lf_networks)
        self.admitted = self._connections.enter(ip)

    def leave(self) -> None:
        """Stop counting this connection."""
        if self.admitted:
            self._connections.leave(self.ip)
        self.admitted = False
