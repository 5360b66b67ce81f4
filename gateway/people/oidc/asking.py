"""Requests to an OpenID provider: the object that it answers, or NotTold with why there is none, which quotes no secret."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode, urlsplit

from gateway.calling.requests import NoAnswer, Requests
from gateway.config.sign_in_settings import Oidc
from gateway.people.oidc.claims import NotTold

TIMEOUT = timedelta(seconds=10)  # for one request: somebody looks at an empty page meanwhile
MAX_ERROR = 80  # characters of what the provider calls an error


class Asking:
    """The requests of one provider; `close` it in the end."""

    def __init__(self, settings: Oidc) -> None:
        self._requests = Requests(settings.issuer, TIMEOUT, settings.proxy)

    async def close(self) -> None:
        """Close the connections."""
        await self._requests.close()

    async def get(self, url: str, headers: Mapping[str, str] | None = None) -> Mapping[str, Any]:
        """Return what stands there; raises NotTold."""
        return await self._ask("GET", url, None, headers or {}, None)

    async def post(
        self, url: str, form: Mapping[str, str], auth: tuple[str, str] | None
    ) -> Mapping[str, Any]:
        """Return what is answered to a form; `auth` is a user name and a password. Raises NotTold."""
        kind = {"content-type": "application/x-www-form-urlencoded"}
        return await self._ask("POST", url, urlencode(form).encode(), kind, auth)

    async def _ask(
        self,
        method: str,
        url: str,
        content: bytes | None,
        headers: Mapping[str, str],
        auth: tuple[str, str] | None,
    ) -> Mapping[str, Any]:
        try:
            answer = await self._requests.send(method, url, content, headers, auth)
        except NoAnswer:
            raise NotTold(f"no answer from {urlsplit(url).hostname}") from None
        if not answer.ok:
            why = str(answer.json().get("error", ""))[:MAX_ERROR]
            raise NotTold(f"{urlsplit(url).hostname} answered {answer.status} {why!r}")
        return answer.json()
