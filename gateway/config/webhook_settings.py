"""The settings of webhooks: who is told over HTTP what happens here (docs/api.md)."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated

from pydantic import Field

from gateway.config.group import Group
from gateway.config.values import OutgoingUrl, ProxyUrl
from gateway.units import Duration

MAX_WEBHOOKS = 10


class Topic(StrEnum):
    """What somebody may want to be told of."""

    HELD = "held"
    LEFT = "left"
    INCIDENT = "incident"


class Webhook(Group):
    """One server that is told. The secret, of 24 octets or more, stands alone in its file (Standard Webhooks 1.0)."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,31}$")]
    url: OutgoingUrl
    secret_file: Path
    topics: Annotated[tuple[Topic, ...], Field(min_length=1, max_length=len(Topic))] = tuple(Topic)
    timeout: Annotated[Duration, Field(ge=timedelta(seconds=1), le=timedelta(minutes=1))] = timedelta(
        seconds=15
    )
    proxy: ProxyUrl | None = None
