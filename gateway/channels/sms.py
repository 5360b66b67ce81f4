"""The way `sms`: the key as a text message to the recipient's telephone, by whoever the settings name.

The number is the one that the sender typed, or that of the directory when the message goes: a corrected directory counts at
once. Numbers of countries that the settings do not allow are refused, whoever gave them.
"""

from __future__ import annotations

from collections.abc import Mapping
from zoneinfo import ZoneInfo

from gateway.channels.carrier import Carrier, TextMessage
from gateway.channels.contract import Handed, Health, NotSent, Why
from gateway.channels.directory import Directory
from gateway.channels.text import text_of
from gateway.config.channel_settings import Sms
from gateway.languages import LANGUAGES, Words
from gateway.policy.protection import Way
from gateway.spool.key_contract import KeySending
from gateway.spool.values import Stored


class TextMessages:
    """`carrier` is None where the settings name none: then nothing can be sent, and that is told."""

    way = Way.SMS
    route_is_mails_own = False

    def __init__(self, settings: Sms, carrier: Carrier | None, directory: Directory, zone: ZoneInfo) -> None:
        self._countries = settings.countries
        self._carrier = carrier
        self._directory = directory
        self._words: Mapping[str, Words] = {language: Words(language, zone) for language in LANGUAGES}

    def needs(self, recipient: str) -> str:
        if self._carrier is None:
            return "carrier"
        return "" if self._directory.number_of(recipient) else "number"

    def allows(self, number: str) -> bool:
        """Tell whether a number, in E.164, is of a country that the settings allow."""
        return number.startswith(self._countries)

    async def send(self, sending: KeySending, about: Stored) -> Handed:
        if self._carrier is None:
            raise NotSent(Why.NO_CARRIER)
        number = sending.to or self._directory.number_of(_recipient(sending, about))
        if not number:
            raise NotSent(Why.NO_NUMBER, final=True)
        if not self.allows(number):
            raise NotSent(Why.COUNTRY, final=True)
        text = text_of(about, sending.text, self._words[about.language.value])
        id_ = "-".join(filter(None, (sending.queue_id, str(sending.recipient), sending.said)))
        name = await self._carrier.carry(TextMessage(id_, number, text))
        return Handed(f"{self._carrier.name}:{name}", number)

    async def health(self) -> Health:
        if self._carrier is None:
            return Health(True, "not used: neither channels.sms.webhook nor channels.sms.twilio is set")
        if self._directory.problems is not None:
            return Health(False, "the directory is broken; the numbers that were good before are used")
        health = await self._carrier.health()
        return Health(health.works, f"{self._carrier.name} {health.words}, {len(self._directory)} numbers")


def _recipient(sending: KeySending, about: Stored) -> str:
    rows = {row.index: row for row in about.recipients}
    return str(rows[sending.recipient].address) if sending.recipient in rows else ""
