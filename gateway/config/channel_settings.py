"""The settings of what carries keys of attachments (docs/channels.md)."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, model_validator

from gateway.config.group import Group
from gateway.config.values import CountryCode, OutgoingUrl, ProxyUrl, TextSender
from gateway.units import Duration


class Webhook(Group):
    """Text messages through a server of one's own: signed JSON (docs/channels.md). The secret stands alone in its file."""

    url: OutgoingUrl
    secret_file: Path


class Twilio(Group):
    """Text messages through Twilio's Messages API. `token_file` holds the account's auth token and nothing else.

    With `api_key` messages are sent with that key and its secret; the token then only proves receipts.
    """

    account: Annotated[str, Field(pattern=r"^AC[0-9a-f]{32}$")]
    token_file: Path
    api_key: Annotated[str, Field(pattern=r"^SK[0-9a-f]{32}$")] | None = None
    api_secret_file: Path | None = None
    sender: TextSender
    url: OutgoingUrl = "https://api.twilio.com"

    @model_validator(mode="after")
    def _key_and_secret(self) -> Self:
        if (self.api_key is None) is not (self.api_secret_file is None):
            raise ValueError("`api_key` and `api_secret_file` belong together")
        return self


class Sms(Group):
    """Keys as text messages: who carries them, and which number belongs to whom."""

    webhook: Webhook | None = None
    twilio: Twilio | None = None
    directory: Path | None = None
    countries: Annotated[tuple[CountryCode, ...], Field(max_length=50)] = ("+81",)
    timeout: Annotated[Duration, Field(ge=timedelta(seconds=1), le=timedelta(minutes=1))] = timedelta(
        seconds=15
    )
    concurrency: Annotated[int, Field(ge=1, le=50)] = 4
    receipts: bool = False
    proxy: ProxyUrl | None = None

    @model_validator(mode="after")
    def _one_carrier(self) -> Self:
        if self.webhook is not None and self.twilio is not None:
            raise ValueError("`webhook` or `twilio`: one of them carries text messages")
        return self


class Channels(Group):
    """How keys of attachments reach their recipients (docs/channels.md)."""

    sms: Sms = Sms()
