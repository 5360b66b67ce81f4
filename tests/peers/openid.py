"""A certified OpenID provider (the npm package oidc-provider), run on loopback for one test.

Its packages come by `npm ci` into a folder outside the tree: the versions and digests of tests/peers/oidc/package-lock.json.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.process import environment, free_port

HERE = Path(__file__).parent / "oidc"
SECRET = "a secret / of the client"
WAIT_S = 30.0


class NoProvider(Exception):
    """There is no node here, or its packages cannot be had; the text says which."""


@dataclass
class OpenIdProvider:
    """A running one; `here` is the account that whoever comes is signed in as."""

    port: int
    process: subprocess.Popen[str]
    people: Path

    @property
    def issuer(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def knows(self, here: str, **accounts: dict[str, Any]) -> None:
        """Set who there is, and who is here."""
        self.people.write_text(json.dumps({"here": here, "accounts": accounts}))

    def change_keys(self) -> None:
        """Sign with another key from now on."""
        self.process.send_signal(signal.SIGUSR2)
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == "rotated\n"


@contextmanager
def openid_provider(folder: Path, redirect_uri: str, *, in_token: bool) -> Iterator[OpenIdProvider]:
    """Run one until the block ends; raises NoProvider. It tells in the ID token, or at the userinfo endpoint alone."""
    node, room, port = _node(), _packages(), free_port()
    people = folder / "people.json"
    people.write_text(json.dumps({"here": "", "accounts": {}}))
    script = room / "provider.mjs"
    process = subprocess.Popen(
        [node, str(script), str(port), redirect_uri, str(people), "token" if in_token else "userinfo"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=environment(),
    )
    try:
        assert process.stdout is not None
        if process.stdout.readline() != "ready\n":
            raise NoProvider(f"the provider ended with {process.wait(WAIT_S)}")
        yield OpenIdProvider(port, process, people)
    finally:
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


def _node() -> str:
    node = shutil.which("node")
    if node is None or shutil.which("npm") is None:
        raise NoProvider("node and npm are not installed")
    return node


def _packages() -> Path:
    """Return a folder with the script beside its packages; made once for each version of the lock file."""
    lock = (HERE / "package-lock.json").read_bytes()
    room = Path(tempfile.gettempdir()) / f"sekisho-openid-{hashlib.sha256(lock).hexdigest()[:16]}"
    room.mkdir(mode=0o700, exist_ok=True)
    with (room / "lock").open("w") as one_at_a_time:
        fcntl.flock(one_at_a_time, fcntl.LOCK_EX)
        for name in ("package.json", "package-lock.json", "provider.mjs"):
            shutil.copy(HERE / name, room / name)
        if not (room / "done").exists():
            _install(room)
            (room / "done").touch()
    return room


def _install(room: Path) -> None:
    command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
    try:
        subprocess.run(command, cwd=room, check=True, capture_output=True, timeout=180)
    except (OSError, subprocess.SubprocessError) as error:
        raise NoProvider(f"npm ci: {type(error).__name__}") from None
