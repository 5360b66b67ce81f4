"""The routes of the download page."""

from __future__ import annotations

from collections.abc import Callable

from starlette.routing import Route

from gateway.console.desk import Desk
from gateway.console.download.contents import Contents
from gateway.console.download.files import DownloadFiles
from gateway.console.download.pages import DownloadPages


def download_routes(desk: Desk, ring: Callable[[], None]) -> list[Route]:
    """Return them; `ring` is called when a letter with a code waits to be written."""
    pages = DownloadPages(desk, ring)
    files = DownloadFiles(pages, Contents(desk.spool))
    return [
        Route("/d/{token}", pages.show),
        Route("/d/{token}/code", pages.ask, methods=["POST"]),
        Route("/d/{token}/open", pages.enter, methods=["POST"]),
        Route("/d/{token}/f/{place}", files.fetch),
    ]
