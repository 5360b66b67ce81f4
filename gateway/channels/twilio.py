"""Text messages through Twilio's Messages API, version 2010-04-01, and its status callbacks.

The API knows no idempotency key: after a request whose answer was lost, the same message may be sent twice. That tells the
recipient the same key twice, which is better than never.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Sequence
from datetime import datetime
from urllib.parse import parse_qsl, urlencode

from gateway.calling.requests import Answer
from gateway.channels.carrier import Forged, Posted, Receipt, TextMessage, Unreadable, secret_in
from gateway.channels.contract import Health, NotSent, Why
from gateway.channels.requests import CarrierRequests, refuse
from gateway.config.channel_settings import Twilio

MAX_FIELDS = 100  # of a callback; Twilio sends about ten
_SID = re.compile(r"(?:SM|MM)[0-9a-f]{32}")

# Errors that are about this number and stay (twilio.com/docs/api/errors); all others may be mended, by us or by them.
NUMBER_ERRORS = {
    21211,  # not a valid number
    21214,  # cannot be reached
    21217,  # does not appear to be valid
    21610,  # its owner has unsubscribed
    21612,  # cannot be reached from this sender
    21614,  # not a mobile number
    21635,  # a landline
}
REGION_ERROR = 21408  # the account may not send to this country
_FATES = {
    "delivered": True,
    "read": True,
    "undelivered": False,
    "failed": False,
    "canceled": False,
    "accepted": None,
    "scheduled": None,
    "queued": None,
    "sending": None,
    "sent": None,
}
_LOST = tuple([status for status, arrived in _FATES.items() if arrived is False])


class TwilioMessages:
    """Posts to the account that the settings name. `receipts_url` is where the status is told; None asks for none."""

    name = "twilio"

    def __init__(self, settings: Twilio, requests: CarrierRequests, receipts_url: str | None) -> None:
        self._settings = settings
        self._requests = requests
        self._receipts_url = receipts_url
        self._account_url = f"{settings.url.rstrip('/')}/2010-04-01/Accounts/{settings.account}"

    async def carry(self, message: TextMessage) -> str:
        answer = await self._requests.send(
            "POST",
            f"{self._account_url}/Messages.json",
            urlencode(self._fields(message)).encode(),
            {"content-type": "application/x-www-form-urlencoded"},
            self._credentials(),
        )
        if not answer.ok:
            raise _refusal(answer)
        said = answer.json()
        sid = said.get("sid")
        if said.get("status") in _LOST:  # it took the request, and knows already that nothing will arrive
            raise NotSent(Why.NOT_DELIVERED)
        if not isinstance(sid, str) or not _SID.fullmatch(sid):
            raise NotSent(Why.ANSWER)
        return sid

    def receipt(self, posted: Posted, now: datetime) -> Receipt:
        try:
            fields = parse_qsl(posted.body.decode("ascii"), keep_blank_values=True, max_num_fields=MAX_FIELDS)
        except ValueError:
            raise Forged from None  # nothing that Twilio would sign
        if not self._is_signed(posted.headers.get("x-twilio-signature", ""), fields):
            raise Forged
        said = dict(fields)
        sid, status = said.get("MessageSid", ""), said.get("MessageStatus", "")
        if not _SID.fullmatch(sid) or status not in _FATES:
            raise Unreadable
        return Receipt(sid, _FATES[status])

    async def health(self) -> Health:
        """Ask for the account's numbers: it costs nothing, needs the credentials and tells nothing of any message."""
        url = f"{self._account_url}/IncomingPhoneNumbers.json?PageSize=1"
        try:
            secret_in(self._settings.token_file)
            answer = await self._requests.send("GET", url, auth=self._credentials())
        except NotSent as error:
            words = "a secret cannot be read" if error.why is Why.CREDENTIALS else "does not answer"
            return Health(False, words)
        if answer.status in (401, 403):
            return Health(False, "does not know this account and its secret")
        return Health(answer.ok, "answers" if answer.ok else f"answers with {answer.status}")

    async def close(self) -> None:
        await self._requests.close()

    def _fields(self, message: TextMessage) -> dict[str, str]:
        sender = self._settings.sender
        service = sender.startswith("MG") and len(sender) == 34
        fields = {
            "To": message.to,
            "MessagingServiceSid" if service else "From": sender,
            "Body": message.text,
        }
        if self._receipts_url is not None:
            fields["StatusCallback"] = self._receipts_url
        return fields

    def _credentials(self) -> tuple[str, str]:
        settings = self._settings
        if settings.api_key is not None and settings.api_secret_file is not None:
            return settings.api_key, secret_in(settings.api_secret_file)
        return settings.account, secret_in(settings.token_file)

    def _is_signed(self, signature: str, fields: Sequence[tuple[str, str]]) -> bool:
        """Check X-Twilio-Signature: HMAC-SHA1 with the auth token over the URL and the sorted fields (docs/usage/security)."""
        if self._receipts_url is None:
            return False
        content = self._receipts_url + "".join(name + value for name, value in sorted(set(fields)))
        token = secret_in(self._settings.token_file).encode()
        right = base64.b64encode(hmac.new(token, content.encode(), hashlib.sha1).digest())
        return hmac.compare_digest(right, signature.encode())


def _refusal(answer: Answer) -> NotSent:
    code = answer.json().get("code")
    if not isinstance(code, int):
        return refuse(answer)
    if code in NUMBER_ERRORS:
        return NotSent(Why.REFUSED_NUMBER, final=True)
    if code == REGION_ERROR:
        return NotSent(Why.COUNTRY, final=True)
    return refuse(answer)
