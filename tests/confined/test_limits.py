"""What a confined process may not do, whatever runs in it."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest

TRIES = {
    "the network": "import socket; socket.socket()",
    "another program": "import os; os.execv('/bin/true', ['true'])",
    "another process": "import os; os.fork()",
    "a signal": "import os; os.kill(os.getppid(), 0)",
    "a file": "open({outside!r}).read()",
    "a folder": "import os; os.listdir({folder!r})",
    "writing": "open({outside!r}, 'w')",
}


@pytest.mark.parametrize("what", TRIES)
async def test_the_process_is_refused(what: str, tmp_path: Path) -> None:
    (tmp_path / "outside").write_text("a secret")
    tried = TRIES[what].format(outside=str(tmp_path / "outside"), folder=str(tmp_path))
    code = (
        "import sys\n"
        "from gateway.confined.limits import confine\n"
        "confine(512 << 20)\n"
        "import pypdf, zipfile, xml.parsers.expat\n"  # the program's own files can be read
        f"try:\n    {tried}\n"
        "except OSError as error:\n    print('refused', error.errno)\n"
    )
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-I", "-c", code, stdout=asyncio.subprocess.PIPE, cwd="/"
    )
    out, _ = await process.communicate()
    assert out.split() in ([b"refused", b"1"], [b"refused", b"13"])  # EPERM, EACCES
