"""All channels of one gateway, by way, built from the settings.

Every way has its channel, also one that the settings do not equip: then it says what is missing. `ways` are those that can be
used; a rule's other ways never reach anybody.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping
from zoneinfo import ZoneInfo

from gateway.channels.carrier import Carrier
from gateway.channels.contract import Channel, Health
from gateway.channels.directory import Directory
from gateway.channels.requests import CarrierRequests
from gateway.channels.second_mail import Compose, SecondMail
from gateway.channels.sms import TextMessages
from gateway.channels.twilio import TwilioMessages
from gateway.channels.unsent import Agreed, BySender, CodePage
from gateway.channels.webhook import OwnServer
from gateway.clock import Clock
from gateway.config.channel_settings import Sms
from gateway.config.settings import Settings
from gateway.policy.protection import Way
from gateway.spool.contract import Spool

HEALTH_S = 20.0  # a channel that has not answered by then does not work


class Channels:
    """`by_way` has every way; `carrier` is who carries text messages, None without one."""

    def __init__(
        self,
        settings: Settings,
        spool: Spool,
        compose: Compose,
        count_agreed: Callable[[], Awaitable[int]],
        wake: Callable[[], None],
        clock: Clock,
    ) -> None:
        sms = settings.channels.sms
        self.directory = Directory(sms.directory)
        self.carrier = carrier_of(sms, settings.web.public_url, clock)
        self.sms = TextMessages(sms, self.carrier, self.directory, ZoneInfo(settings.timezone))
        self.second_mail = SecondMail(spool, compose, wake)
        all_of_them: tuple[Channel, ...] = (
            BySender(),
            self.sms,
            Agreed(count_agreed),
            CodePage(settings.web.public_url),
            self.second_mail,
        )
        self.by_way: Mapping[Way, Channel] = {channel.way: channel for channel in all_of_them}

    @property
    def ways(self) -> frozenset[Way]:
        """Return the ways that can be used with these settings, for somebody at least."""
        without = {Way.SMS} if self.carrier is None else set()
        return frozenset(self.by_way) - without

    def numbers_known(self, addresses: Collection[str]) -> frozenset[str]:
        """Return those of the addresses, as given, that a text message can be sent to without asking the sender."""
        known = self.directory.numbers_known(addresses) if self.carrier is not None else frozenset[str]()
        return frozenset(each for each in known if self.sms.allows(self.directory.number_of(each)))

    async def health(self) -> Mapping[Way, Health]:
        """Ask all channels at once."""
        said = await asyncio.gather(*(_health(channel) for channel in self.by_way.values()))
        return dict(zip(self.by_way, said, strict=True))

    async def close(self) -> None:
        """Close the connections to the carrier."""
        if self.carrier is not None:
            await self.carrier.close()


def carrier_of(sms: Sms, public_url: str, clock: Clock) -> Carrier | None:
    """Return who carries text messages, None where the settings name nobody."""
    if sms.webhook is not None:
        return OwnServer(sms.webhook, CarrierRequests(sms.webhook.url, sms.timeout, sms.proxy), clock)
    if sms.twilio is not None:
        receipts = f"{public_url.rstrip('/')}/hooks/sms/{TwilioMessages.name}" if sms.receipts else None
        return TwilioMessages(sms.twilio, CarrierRequests(sms.twilio.url, sms.timeout, sms.proxy), receipts)
    return None


async def _health(channel: Channel) -> Health:
    try:
        async with asyncio.timeout(HEALTH_S):
            return await channel.health()
    except TimeoutError:
        return Health(False, "no answer in time")
    except Exception as error:
        return Health(False, f"cannot be asked: {type(error).__name__}")
