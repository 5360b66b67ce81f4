"""A Postfix of our own on loopback: its own queue, its own port, started and stopped here. Needs root, as Postfix does."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.process import free_port, wait_for

_MASTER = """\
127.0.0.1:{port} inet n - n - 200 smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
relay unix - - n - - smtp
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
local unix - n n - - local
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
"""

_MAIN = {
    "compatibility_level": "3.6",
    "inet_interfaces": "loopback-only",
    "inet_protocols": "ipv4",
    "mynetworks": "127.0.0.0/8",
    "mydestination": "",
    "local_recipient_maps": "",
    "alias_maps": "",
    "alias_database": "",
    "myhostname": "mta.example",
    "smtpd_relay_restrictions": "permit_mynetworks,reject",
    "smtp_dns_support_level": "disabled",
    "smtp_tls_security_level": "none",
    "smtpd_client_connection_count_limit": "0",
    "smtputf8_enable": "yes",
    "message_size_limit": "0",
    "mailbox_size_limit": "0",
    "default_process_limit": "100",
}


STARTS = 3


@dataclass(frozen=True, slots=True)
class Postfix:
    """A running Postfix and where its pieces are."""

    folder: Path
    port: int

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text(errors="replace")


def available() -> bool:
    """Tell whether Postfix is installed and we may start it."""
    return (
        shutil.which("postfix", path=f"{os.environ.get('PATH', '')}:/usr/sbin") is not None
        and os.geteuid() == 0
    )


@contextmanager
def postfix(folder: Path, settings: Mapping[str, str]) -> Iterator[Postfix]:
    """Run Postfix with `settings` over the loopback defaults; everything it queues stays under `folder`."""
    folder.chmod(0o755)
    for parent in folder.parents:
        if parent.stat().st_mode & 0o005 != 0o005 and parent.owner() == "root" and parent != Path("/"):
            parent.chmod(parent.stat().st_mode | 0o005)  # Postfix drops root and still has to get here
    config = folder / "etc"
    for name in ("etc", "queue", "data"):
        (folder / name).mkdir(exist_ok=True)
        (folder / name).chmod(0o755)  # whatever the umask of this process is
    shutil.chown(folder / "data", "postfix")
    places = {
        "queue_directory": str(folder / "queue"),
        "data_directory": str(folder / "data"),
        "maillog_file": str(folder / "log"),
        "maillog_file_prefixes": str(folder),
    }
    main = {**_MAIN, **places, **settings}
    (config / "main.cf").write_text("".join(f"{key} = {value}\n" for key, value in main.items()))
    port = _start(config)
    try:
        wait_for(lambda: (folder / "queue" / "pid" / "master.pid").exists(), "Postfix to start")
        time.sleep(0.5)
        yield Postfix(folder, port)
    finally:
        why = _run(config, "stop")
        assert not why, why


def _start(config: Path) -> int:
    """Start it and return its port; another port is tried where somebody took the first one meanwhile."""
    for _ in range(STARTS):
        port = free_port()
        (config / "master.cf").write_text(_MASTER.format(port=port))
        if not (why := _run(config, "start")):
            return port
    raise AssertionError(why)


def _run(config: Path, verb: str) -> str:
    """Run a verb of postfix(1); return why it failed, empty where it did not."""
    done = subprocess.run(
        ["/usr/sbin/postfix", "-c", str(config), verb],
        capture_output=True,
        text=True,
        check=False,
        umask=0o022,
    )
    if done.returncode == 0:
        return ""
    log = config.parent / "log"
    said = log.read_text(errors="replace")[-1000:] if log.exists() else ""
    return f"postfix {verb}: {done.stderr}{said}"
