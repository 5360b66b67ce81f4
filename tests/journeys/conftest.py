"""One gateway and one browser for all journeys; each journey has mails and pages of its own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import sync_playwright

from tests.interop.conftest import require
from tests.journeys.world import World, prepare
from tests.process import Gateway, next_hop

FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-sync",
)


@pytest.fixture(scope="package")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """The gateway is there before the browser: Playwright keeps an event loop running in this thread."""
    chromium = require("chromium-headless-shell")
    with next_hop() as hop:
        gateway = Gateway(tmp_path_factory.mktemp("journeys"), hop.port)
        prepare(gateway)
        gateway.start()
        try:
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(executable_path=chromium, args=list(FLAGS))
                yield World(gateway, hop, browser)
                browser.close()
        finally:
            gateway.stop()


@pytest.fixture(params=["ja", "en"])
def language(request: pytest.FixtureRequest) -> str:
    return str(request.param)
