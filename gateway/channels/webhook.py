"""Text messages through a server of one's own: a small signed request, which anybody can write the other end of.

docs/channels.md is the contract: what is posted, how it is signed, what each answer means, how a receipt comes back.
"""

from __future__ import annotations

from datetime import datetime

import orjson

from gateway.calling.signing import BadSecret, is_signed, secret_octets, signed
from gateway.channels.carrier import Forged, Posted, Receipt, TextMessage, Unreadable, secret_in
from gateway.channels.contract import Health, NotSent, Why
from gateway.channels.requests import CarrierRequests, refuse
from gateway.clock import Clock
from gateway.config.channel_settings import Webhook

NEVER = 422  # this message cannot be sent, to that number, ever
_FATES = {"delivered": True, "failed": False, "queued": None, "sent": None}


class OwnServer:
    """Posts to the server that the settings name."""

    name = "webhook"

    def __init__(self, settings: Webhook, requests: CarrierRequests, clock: Clock) -> None:
        self._settings = settings
        self._requests = requests
        self._clock = clock

    async def carry(self, message: TextMessage) -> str:
        body = orjson.dumps({"id": message.id, "to": message.to, "text": message.text})
        headers = {
            "content-type": "application/json",
            "idempotency-key": message.id,
            **signed(message.id, body, self._secret(), self._clock()),
        }
        answer = await self._requests.send("POST", self._settings.url, body, headers)
        if answer.status == NEVER:
            raise NotSent(Why.REFUSED_NUMBER, final=True)
        if not answer.ok:
            raise refuse(answer)
        return message.id

    def receipt(self, posted: Posted, now: datetime) -> Receipt:
        if not is_signed(posted.headers, posted.body, self._secret(), now):
            raise Forged
        try:
            said = orjson.loads(posted.body)
            id_, status = said["id"], said["status"]
        except (orjson.JSONDecodeError, TypeError, KeyError):
            raise Unreadable from None
        if not isinstance(id_, str) or not isinstance(status, str) or status not in _FATES:
            raise Unreadable
        return Receipt(id_, _FATES[status])

    async def health(self) -> Health:
        """Ask with HEAD, signed: an answer that refuses the signature says so, any other that is no failure is good."""
        try:
            headers = signed("health", b"", self._secret(), self._clock())
            answer = await self._requests.send("HEAD", self._settings.url, headers=headers)
        except NotSent as error:
            secret = error.why is Why.CREDENTIALS
            return Health(
                False, "the secret cannot be read, or is too short" if secret else "does not answer"
            )
        if answer.status in (401, 403):
            return Health(False, f"answers with {answer.status}: it does not take our signature")
        works = answer.status < 500
        return Health(works, "answers" if works else f"answers with {answer.status}")

    async def close(self) -> None:
        await self._requests.close()

    def _secret(self) -> bytes:
        try:
            return secret_octets(secret_in(self._settings.secret_file))
        except BadSecret:
            raise NotSent(Why.CREDENTIALS) from None
