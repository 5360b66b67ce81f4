"""What `sekisho doctor` says of the channels: a carrier that answers or not, a broken directory, a rule that lacks one."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from gateway.cli.doctor import CHECKS, verdict
from gateway.config.settings import Settings
from tests.channels.carrier_server import CarrierServer, always, carrier_server, http
from tests.channels.conftest import sms_settings

POLICY = """\
version: 1
organisation: {name: x, internal: [city.example.lg.jp]}
rules:
  - {id: files, reason: r, then: {attachments: {protect: WHAT}}}
"""


@pytest.fixture
def server() -> Iterator[CarrierServer]:
    """A carrier on a loop and a thread of its own: doctor has no loop before it begins."""
    with _in_thread() as running:
        yield running


@contextmanager
def _in_thread() -> Iterator[CarrierServer]:
    started, end = threading.Event(), threading.Event()
    running: list[CarrierServer] = []

    async def serve() -> None:
        async with carrier_server() as one:
            running.append(one)
            started.set()
            await asyncio.to_thread(end.wait)

    thread = threading.Thread(target=asyncio.run, args=(serve(),))
    thread.start()
    started.wait(10)
    try:
        yield running[0]
    finally:
        end.set()
        thread.join(10)


Said = Callable[..., str]


@pytest.fixture
def said(tmp_path: Path, server: CarrierServer) -> Said:
    """Return what doctor says of these settings."""

    def ask(adapter: str = "", what: str = "zip-aes256", directory: str | None = None) -> str:
        policies = tmp_path / "policies"
        policies.mkdir(exist_ok=True)
        (policies / "default.yaml").write_text(POLICY.replace("WHAT", what), "utf-8")
        more = {}
        if directory is not None:
            (tmp_path / "directory.csv").write_text(directory, "utf-8")
            more = {"directory": tmp_path / "directory.csv"}
        sms = sms_settings(tmp_path, adapter, server.url, **more).model_dump() if adapter else {}
        settings = {"hostname": "gw.example.jp", "policies": policies, "channels": {"sms": sms}}
        return verdict(CHECKS["channels"], Settings.model_validate(settings))

    return ask


def test_without_a_carrier_all_is_well(said: Said) -> None:
    assert said().startswith("ok, sms: not set up, 0 numbers")


@pytest.mark.parametrize("adapter", ["webhook", "twilio"])
def test_a_carrier_is_asked(said: Said, server: CarrierServer, adapter: str) -> None:
    assert said(adapter, directory="a@example.com,090-1234-5678\n").startswith(
        f"ok, sms: {adapter} answers, 1 numbers"
    )
    server.answer = always(http(503))
    assert "503" in said(adapter)
    assert not said(adapter).startswith("ok")
    assert all(asked.method in ("HEAD", "GET") for asked in server.asked)


def test_a_secret_that_is_not_there_is_told(said: Said, tmp_path: Path) -> None:
    def gone() -> str:
        settings = sms_settings(tmp_path, "webhook", "http://127.0.0.1:1")
        (tmp_path / "secret").unlink()
        policies = tmp_path / "policies"
        whole = {
            "hostname": "gw.example.jp",
            "policies": policies,
            "channels": {"sms": settings.model_dump()},
        }
        return verdict(CHECKS["channels"], Settings.model_validate(whole))

    said()
    assert "secret" in gone()


def test_a_broken_directory_is_told_with_its_line(said: Said) -> None:
    told = said("webhook", directory="a@example.com,090-1234-5678\nb@example.com,03-1234-5678\n")
    assert "directory.csv:2:" in told
    assert "1234" not in told


def test_a_rule_that_lacks_a_page_is_named(said: Said) -> None:
    told = said(what="link")
    assert told.startswith("ok")
    assert "warning" in told
    assert "files" in told
    assert "web.public_url" in told


def test_a_rule_that_can_never_send_is_an_error_of_the_policy(said: Said, tmp_path: Path) -> None:
    said(what="zip-aes256, password_by: [sms]")
    settings = Settings(hostname="gw.example.jp", policies=tmp_path / "policies")
    told = verdict(CHECKS["policies"], settings)
    assert not told.startswith("ok")
    assert "channels.sms" in told
