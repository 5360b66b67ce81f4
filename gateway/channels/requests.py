"""Requests to a carrier, and what an answer without success means for a key."""

from __future__ import annotations

from collections.abc import Mapping

from gateway.calling.requests import Answer, NoAnswer, Requests
from gateway.channels.contract import NotSent, Why


class CarrierRequests(Requests):
    """Requests to one carrier."""

    async def send(
        self,
        method: str,
        url: str,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        auth: tuple[str, str] | None = None,
    ) -> Answer:
        """Return the answer, of whatever status; raises NotSent (unreachable, answer)."""
        try:
            return await super().send(method, url, content, headers, auth)
        except NoAnswer as error:
            raise NotSent(Why.ANSWER if error.too_large else Why.UNREACHABLE) from None


def refuse(answer: Answer) -> NotSent:
    """Return what an answer without success means where its carrier has no words of its own: all of it may pass."""
    if answer.status in (401, 403):
        return NotSent(Why.CREDENTIALS)
    if answer.status == 429:
        return NotSent(Why.TOO_MANY, after=answer.after)
    return NotSent(Why.ANSWER, after=answer.after if answer.status == 503 else None)
