"""What is done when a mail went to the wrong people: who is told, which law asks for reports, when they are reminded."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from gateway.config.group import Group
from gateway.message.address import AddressError, parse_path
from gateway.units import Duration


def _address(value: str) -> str:
    try:
        return str(parse_path(value))
    except AddressError as error:
        raise ValueError(f"not an address: {value!r} ({error})") from None


class Incidents(Group):
    """`privacy_officer` gets the letters; with nobody there, only ordering bodies and senders hear of an incident."""

    privacy_officer: Annotated[
        tuple[Annotated[str, AfterValidator(_address)], ...], Field(max_length=20)
    ] = ()
    organisation: Literal["local-government", "business"] = "local-government"
    remind_before: Annotated[
        tuple[Annotated[Duration, Field(ge=timedelta(days=1), le=timedelta(days=59))], ...],
        Field(max_length=10),
    ] = (timedelta(days=7), timedelta(days=2), timedelta(days=1))
