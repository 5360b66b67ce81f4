"""A Dovecot of our own on loopback, which hands submissions on with XCLIENT and BDAT. Needs root, as Dovecot does."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.process import free_port, wait_for

PROGRAM = Path("/usr/sbin/dovecot")
SUBMISSION = Path("/usr/lib/dovecot/submission")
PASSWORD = "sesame"

_CONFIG = """\
base_dir = {folder}/run
state_dir = {folder}/run
log_path = {folder}/log
protocols = submission
listen = 127.0.0.1
ssl = no
disable_plaintext_auth = no
hostname = front.example
mail_location = maildir:{folder}/mail/%u
first_valid_uid = 1
auth_mechanisms = plain login
passdb {{
  driver = static
  args = password={password}
}}
userdb {{
  driver = static
  args = uid=nobody gid=nogroup home={folder}/mail/%u
}}
service submission-login {{
  inet_listener submission {{
    port = {port}
  }}
}}
submission_relay_host = 127.0.0.1
submission_relay_port = {relay}
submission_relay_trusted = yes
"""


def available() -> bool:
    """Tell whether Dovecot and its submission service are installed and we may start them."""
    return PROGRAM.exists() and SUBMISSION.exists() and os.geteuid() == 0


@contextmanager
def dovecot(folder: Path, relay: int) -> Iterator[int]:
    """Run Dovecot before the server at port `relay`; give its port. Everybody has the same password."""
    folder.chmod(0o755)
    for name in ("run", "mail"):
        (folder / name).mkdir()
    (folder / "mail").chmod(0o777)
    port = free_port()
    config = folder / "dovecot.conf"
    config.write_text(_CONFIG.format(folder=folder, port=port, relay=relay, password=PASSWORD))
    process = subprocess.Popen([PROGRAM, "-F", "-c", config], umask=0o022)
    try:
        wait_for(lambda: b"starting up" in (folder / "log").read_bytes(), "Dovecot to start")
        yield port
    finally:
        process.terminate()
        process.wait(10)
