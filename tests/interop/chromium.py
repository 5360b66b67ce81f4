"""A phone with Chromium, driven by keys alone: the tests press, type and read, and never touch the page's own objects.

Speaks the DevTools protocol over a pipe (--remote-debugging-pipe): JSON, each message ended by a NUL, on descriptors 3 and 4.
"""

from __future__ import annotations

import base64
import json
import os
import select
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--remote-debugging-pipe",
)
PATIENCE_S = 30.0
PHONE = {"width": 360, "height": 740, "deviceScaleFactor": 2, "mobile": True}
_KEYS = {
    "Tab": {"key": "Tab", "code": "Tab", "windowsVirtualKeyCode": 9},
    "Enter": {"key": "Enter", "code": "Enter", "windowsVirtualKeyCode": 13, "text": "\r"},
}


class Phone:
    """One tab of a browser; `downloads` is where files end up."""

    def __init__(self, process: subprocess.Popen[bytes], ask: int, answers: int, downloads: Path) -> None:
        self._process, self._ask, self._answers = process, ask, answers
        self._buffer = b""
        self._number = 0
        self._session: str | None = None
        self.downloads = downloads

    def begin(self) -> None:
        """Open the tab, as large as a phone."""
        target = self.do("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.do("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        self.do("Page.enable")
        self.do("Emulation.setDeviceMetricsOverride", **PHONE)
        where = {"behavior": "allow", "downloadPath": str(self.downloads)}
        self.do("Browser.setDownloadBehavior", **where)

    def open(self, url: str) -> None:
        """Go to a page and wait until it is there."""
        self.do("Page.navigate", url=url)
        self.settle()

    def settle(self) -> None:
        """Wait until the page has loaded."""
        self.until("location.href !== 'about:blank'")

    def until(self, condition: str) -> None:
        """Wait until the page has loaded and an expression is true on it."""
        condition = f"document.readyState === 'complete' && ({condition})"
        end = time.monotonic() + PATIENCE_S
        while time.monotonic() < end:
            if self.read(condition) is True:
                return
            time.sleep(0.05)
        raise AssertionError(f"waited for {condition}; the page says: {self.text()}")

    def press(self, key: str) -> None:
        """Press and let go a key."""
        down = "keyDown" if "text" in _KEYS[key] else "rawKeyDown"
        self.do("Input.dispatchKeyEvent", type=down, **_KEYS[key])
        self.do(
            "Input.dispatchKeyEvent", type="keyUp", **{k: v for k, v in _KEYS[key].items() if k != "text"}
        )

    def type(self, text: str) -> None:
        """Type into whatever has the focus."""
        for character in text:
            self.do("Input.dispatchKeyEvent", type="char", text=character)

    def tab_to(self, selector: str, limit: int = 30) -> None:
        """Press Tab until an element that fits has the focus."""
        wanted = f"document.activeElement !== null && document.activeElement.matches({json.dumps(selector)})"
        for _ in range(limit):
            if self.read(wanted) is True:
                return
            self.press("Tab")
        raise AssertionError(f"no way to {selector} by Tab")

    def text(self) -> str:
        """Return what can be read on the page."""
        return str(self.read("document.body ? document.body.innerText : ''"))

    def read(self, expression: str) -> Any:
        """Return the value of an expression; None while the page changes."""
        answer = self.do("Runtime.evaluate", expression=expression, returnByValue=True)
        return answer.get("result", {}).get("value")

    def picture(self, path: Path) -> None:
        """Keep what the screen shows."""
        path.write_bytes(base64.b64decode(self.do("Page.captureScreenshot")["data"]))

    def do(self, method: str, **params: object) -> dict[str, Any]:
        """Give one command and return its answer; an error of a page that is going away is an empty one."""
        self._number += 1
        message: dict[str, object] = {"id": self._number, "method": method, "params": params}
        if self._session is not None:
            message["sessionId"] = self._session
        os.write(self._ask, json.dumps(message).encode() + b"\0")
        end = time.monotonic() + PATIENCE_S
        while (answer := self._next(end)).get("id") != self._number:
            pass
        result: dict[str, Any] = answer.get("result", {})
        return result

    def _next(self, end: float) -> dict[str, Any]:
        while b"\0" not in self._buffer:
            ready, _, _ = select.select([self._answers], [], [], max(0.0, end - time.monotonic()))
            octets = os.read(self._answers, 1 << 20) if ready else b""
            if not octets:
                raise AssertionError("the browser does not answer")
            self._buffer += octets
        line, _, self._buffer = self._buffer.partition(b"\0")
        answer: dict[str, Any] = json.loads(line)
        return answer


@contextmanager
def phone(chromium: str, folder: Path) -> Iterator[Phone]:
    """Start a browser with a fresh profile; it ends with the block."""
    downloads = folder / "downloads"
    downloads.mkdir()
    read_commands, ask = os.pipe()
    answers, write_answers = os.pipe()
    process = _started(chromium, folder, read_commands, write_answers)
    os.close(read_commands)
    os.close(write_answers)
    try:
        opened = Phone(process, ask, answers, downloads)
        opened.begin()
        yield opened
    finally:
        os.close(ask)
        process.kill()
        process.wait()
        os.close(answers)


def _started(chromium: str, folder: Path, commands: int, answers: int) -> subprocess.Popen[bytes]:
    # The shell puts our pipe where Chromium looks for it: Popen cannot hand down a descriptor under another number.
    script = f'exec "$0" "$@" 3<&{commands} 4>&{answers}'
    command = [
        "/bin/bash",
        "-c",
        script,
        chromium,
        *FLAGS,
        f"--user-data-dir={folder / 'profile'}",
        "about:blank",
    ]
    silent = subprocess.DEVNULL
    return subprocess.Popen(command, pass_fds=(commands, answers), stdin=silent, stdout=silent, stderr=silent)
