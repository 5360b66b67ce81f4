"""Requests to servers of others over HTTP: each has a bound in time and in size, whatever the other end does.

Redirects are not followed, and neither proxy nor password is taken from the environment: what the settings say is done.
Nothing that was sent or answered is logged.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import httpx
import orjson

from gateway.config.values import is_loopback
from gateway.values import dataclass

MAX_ANSWER = 64 << 10  # octets; an answer to one message takes some hundred
MAX_RETRY_AFTER = timedelta(hours=1)  # a server that wants more gets asked all the same


class NoAnswer(Exception):
    """There is no whole answer in time; `too_large` where there is one of more than MAX_ANSWER."""

    def __init__(self, *, too_large: bool = False) -> None:
        super().__init__(too_large)
        self.too_large = too_large


@dataclass(frozen=True, slots=True)
class Answer:
    """`after` is what Retry-After asks for, in seconds alone (RFC 9110 10.2.3)."""

    status: int
    body: bytes
    after: timedelta | None = None

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300

    def json(self) -> Mapping[str, Any]:
        """Return the object that the body holds; an empty one where it holds anything else."""
        try:
            value = orjson.loads(self.body)
        except orjson.JSONDecodeError:
            return {}
        return value if isinstance(value, dict) else {}


class Requests:
    """Requests to one server; `close` it in the end. `timeout` is for a request as a whole."""

    def __init__(self, url: str, timeout: timedelta, proxy: str | None) -> None:
        loopback = is_loopback(urlsplit(url).hostname or "")
        self._timeout = timeout.total_seconds()
        self._client = httpx.AsyncClient(
            verify=ssl.create_default_context(),
            proxy=None if loopback else proxy,
            timeout=self._timeout,
            follow_redirects=False,
            trust_env=False,
            headers={
                "user-agent": "sekisho",
                "accept": "application/json",
                "accept-encoding": "identity",  # or a small answer could unpack to a large one
            },
        )

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def send(
        self,
        method: str,
        url: str,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        auth: tuple[str, str] | None = None,
    ) -> Answer:
        """Return the answer, of whatever status; raises NoAnswer where there is no whole one in time."""
        try:
            async with asyncio.timeout(self._timeout):
                return await self._exchange(method, url, content, headers, auth)
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError, OSError):
            raise NoAnswer from None

    async def _exchange(
        self,
        method: str,
        url: str,
        content: bytes | None,
        headers: Mapping[str, str] | None,
        auth: tuple[str, str] | None,
    ) -> Answer:
        asked = self._client.stream(
            method,
            url,
            content=content,
            headers=dict(headers or {}),
            auth=auth or httpx.USE_CLIENT_DEFAULT,
        )
        async with asked as response:
            body = bytearray()
            async for chunk in response.aiter_raw():
                body += chunk
                if len(body) > MAX_ANSWER:
                    raise NoAnswer(too_large=True)
            return Answer(response.status_code, bytes(body), _after(response.headers.get("retry-after", "")))


def _after(said: str) -> timedelta | None:
    if not (said.isascii() and said.isdigit() and len(said) <= 9):
        return None
    return min(timedelta(seconds=int(said)), MAX_RETRY_AFTER)
