"""A node of its own network: a namespace with two links to this machine, one to the database and one for mail and pages.

The links hang on bridges, so that a cut takes octets away and nothing else: both ends keep address, route and carrier, and
hear nothing, as where a switch dies. No address of it is reachable from outside this machine.
"""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial

import pytest

from tests.process import wait_for

LIMIT_S = 10


@dataclass(frozen=True, slots=True)
class Link:
    """One link: the bridge's address is ours, the other one the node's."""

    bridge: str
    port: str
    ours: str
    theirs: str

    def cut(self) -> None:
        """Take the cable out of the switch."""
        _ip("link", "set", self.port, "nomaster")

    def mend(self) -> None:
        _ip("link", "set", self.port, "master", self.bridge)


@dataclass(frozen=True, slots=True)
class Network:
    """The namespace and its links."""

    name: str
    database: Link
    mail: Link

    @property
    def command(self) -> tuple[str, ...]:
        """Return what runs the command line inside."""
        return ("ip", "netns", "exec", self.name, sys.executable, "-m", "gateway.cli")


def needed() -> None:
    """Skip the test where there can be no such network; fail where there must be one (TEST_NO_SKIP)."""
    why = "" if os.geteuid() == 0 else "only root makes network namespaces"
    if not why and shutil.which("ip") is None:
        why = "iproute2 is not installed"
    why = why or _refused()
    if why and os.environ.get("TEST_NO_SKIP"):
        pytest.fail(why)
    if why:
        pytest.skip(why)


def _refused() -> str:
    """Say why this machine gives root no such network: a container may have neither the right nor the module."""
    try:
        with network() as tried:
            _ip("netns", "exec", tried.name, "true")
    except subprocess.CalledProcessError as error:
        return f"no network of our own: {error.stderr.decode().strip()}"
    return ""


@contextmanager
def network() -> Iterator[Network]:
    """Make the network, and take it away again."""
    tag = secrets.token_hex(3)
    name, subnet = (
        f"sk-{tag}",
        secrets.randbelow(64) * 4,
    )  # of 198.18.0.0/15, which is for such tests (RFC 2544)
    with ExitStack() as stack:
        _ip("netns", "add", name)
        stack.callback(_ip, "netns", "delete", name)
        _ip("-n", name, "link", "set", "lo", "up")
        made = Network(
            name,
            _link(stack, name, f"d{tag}", f"198.18.{subnet}"),
            _link(stack, name, f"m{tag}", f"198.19.{subnet}"),
        )
        for link in (made.database, made.mail):
            wait_for(partial(_carries, name, link.ours), f"the link to {link.ours}")
        yield made


def _carries(name: str, ours: str) -> bool:
    """Tell whether octets go through and come back: nobody listens there, and says so."""
    refused = f"s.connect_ex(({ours!r}, 9)) == errno.ECONNREFUSED"
    asked = f"import errno, socket; s = socket.socket(); s.settimeout(1); print({refused})"
    command = ("ip", "netns", "exec", name, sys.executable, "-c", asked)
    return subprocess.run(command, capture_output=True, timeout=LIMIT_S, check=True).stdout == b"True\n"


def _link(stack: ExitStack, name: str, tag: str, subnet: str) -> Link:
    made = Link(f"skb-{tag}", f"skp-{tag}", f"{subnet}.1", f"{subnet}.2")
    _ip("link", "add", made.bridge, "type", "bridge")
    stack.callback(_ip, "link", "delete", made.bridge)
    _ip("link", "add", made.port, "type", "veth", "peer", "name", "link0", "netns", name)
    stack.callback(_ip, "link", "delete", made.port)
    _ip("-n", name, "link", "set", "link0", "name", f"skn-{tag}")
    _ip("-n", name, "address", "add", f"{made.theirs}/30", "dev", f"skn-{tag}")
    _ip("-n", name, "link", "set", f"skn-{tag}", "up")
    _ip("address", "add", f"{made.ours}/30", "dev", made.bridge)
    for device in (made.bridge, made.port):
        _ip("link", "set", device, "up")
    made.mend()
    return made


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, timeout=LIMIT_S, capture_output=True)
