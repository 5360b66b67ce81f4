"""The way `sms`: whose number is taken, and what is refused before anybody is asked."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from gateway.channels.carrier import Posted, Receipt, TextMessage
from gateway.channels.contract import Health, NotSent, Why
from gateway.channels.directory import Directory
from gateway.channels.sms import TextMessages
from gateway.config.channel_settings import Sms
from gateway.policy.protection import Way
from gateway.spool.key_contract import KeySending
from tests.channels.conftest import KEY, NUMBER, Mails


@dataclass
class Taker:
    """A carrier that takes everything."""

    name: str = "taker"
    taken: list[TextMessage] = field(default_factory=list)

    async def carry(self, message: TextMessage) -> str:
        self.taken.append(message)
        return f"n{len(self.taken)}"

    def receipt(self, posted: Posted, now: datetime) -> Receipt:
        raise AssertionError

    async def health(self) -> Health:
        return Health(True, "answers")

    async def close(self) -> None:
        return


@pytest.fixture
def directory(tmp_path: Path) -> Directory:
    path = tmp_path / "directory.csv"
    path.write_text("TANAKA@example.com,090-1234-5678\nsmith@example.net,+1 202 555 0143\n")
    return Directory(path)


def sending(recipient: int = 0, to: str = "") -> KeySending:
    return KeySending("Q1", recipient, Way.SMS, 1, "l", to, KEY)


def channel(directory: Directory, taker: Taker | None, **more: object) -> TextMessages:
    return TextMessages(Sms.model_validate(more), taker, directory, ZoneInfo("Asia/Tokyo"))


async def test_the_directory_knows_the_number(directory: Directory, spool: Mails) -> None:
    taker = Taker()
    handed = await channel(directory, taker).send(sending(), spool.messages["Q1"])
    assert (handed.receipt, handed.to) == ("taker:n1", NUMBER)
    assert [(each.id, each.to) for each in taker.taken] == [("Q1-0", NUMBER)]
    assert KEY in taker.taken[0].text


async def test_what_the_sender_typed_goes_before_the_directory(directory: Directory, spool: Mails) -> None:
    taker = Taker()
    await channel(directory, taker).send(sending(to="+818011112222"), spool.messages["Q1"])
    assert taker.taken[0].to == "+818011112222"


async def test_the_name_is_the_same_at_each_attempt(directory: Directory, spool: Mails) -> None:
    taker = Taker()
    made = channel(directory, taker)
    await made.send(sending(), spool.messages["Q1"])
    await made.send(sending(), spool.messages["Q1"])
    assert len({each.id for each in taker.taken}) == 1


@pytest.mark.parametrize(
    ("recipient", "to", "why"),
    [(1, "", Why.COUNTRY), (0, "+12025550143", Why.COUNTRY), (7, "", Why.NO_NUMBER)],
)
async def test_what_is_refused(directory: Directory, spool: Mails, recipient: int, to: str, why: Why) -> None:
    taker = Taker()
    with pytest.raises(NotSent) as caught:
        await channel(directory, taker).send(sending(recipient, to), spool.messages["Q1"])
    assert (caught.value.why, caught.value.final) == (why, True)
    assert not taker.taken


async def test_other_countries_where_the_settings_allow_them(directory: Directory, spool: Mails) -> None:
    taker = Taker()
    await channel(directory, taker, countries=["+81", "+1"]).send(sending(1), spool.messages["Q1"])
    assert taker.taken[0].to == "+12025550143"


async def test_without_a_carrier_it_says_so(directory: Directory, spool: Mails) -> None:
    made = channel(directory, None)
    with pytest.raises(NotSent) as caught:
        await made.send(sending(), spool.messages["Q1"])
    assert (caught.value.why, caught.value.final) == (Why.NO_CARRIER, False)
    assert made.needs("tanaka@example.com") == "carrier"


async def test_what_is_missing(directory: Directory) -> None:
    made = channel(directory, Taker())
    assert made.needs("tanaka@example.com") == ""
    assert made.needs("nobody@example.com") == "number"


async def test_a_broken_directory_is_told(directory: Directory, tmp_path: Path) -> None:
    made = channel(directory, Taker())
    assert (await made.health()).works
    (tmp_path / "directory.csv").write_text("nonsense\n")
    directory.refresh()
    assert not (await made.health()).works


async def test_what_the_sender_said_anew_is_another_message(directory: Directory, spool: Mails) -> None:
    taker = Taker()
    way = channel(directory, taker)
    for said in ("", "a1", "a1", "b2"):
        await way.send(replace(sending(to=NUMBER), said=said), spool.messages["Q1"])
    assert [message.id for message in taker.taken] == ["Q1-0", "Q1-0-a1", "Q1-0-a1", "Q1-0-b2"]
