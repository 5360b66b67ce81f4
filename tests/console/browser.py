"""A browser's part in the tests: read the page with a real HTML parser, press its buttons as they stand there."""

from __future__ import annotations

import html
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urlencode

import httpx


@dataclass
class Sheet(HTMLParser):
    """What a parser finds: visible text, form fields, buttons with where they lead, and every tag."""

    text: str = ""
    fields: dict[str, str] = field(default_factory=dict)
    boxes: list[str] = field(default_factory=list)
    action: str = ""
    buttons: list[dict[str, str]] = field(default_factory=list)
    tags: list[tuple[str, dict[str, str]]] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        known = {name: value or "" for name, value in attrs}
        self.tags.append((tag, known))
        if tag == "form" and not self.action.partition("?")[0].endswith("/cancel"):
            self.action = known[
                "action"
            ]  # the last one's, or that of the form that cancels, where there is one
        if tag == "button":
            self.buttons.append(known)
        if tag == "input" and known.get("type") == "hidden":
            self.fields[known["name"]] = known["value"]
        if tag == "input" and known.get("type") == "checkbox":
            self.boxes.append(known["value"])

    def handle_data(self, data: str) -> None:
        self.text += " ".join(data.split()) + " " if data.strip() else ""


def read(response: httpx.Response) -> Sheet:
    """Parse a page."""
    sheet = Sheet()
    sheet.feed(response.text)
    return sheet


async def press(
    client: httpx.AsyncClient, page: httpx.Response, act: str, which: str, recipients: tuple[int, ...] = ()
) -> httpx.Response:
    """Press the button `act` (cancel, release) for `which` (all, ticked) and follow to the page that answers."""
    sheet = read(page)
    targets = {html.unescape(button.get("formaction", sheet.action)) for button in sheet.buttons}
    (target,) = [target for target in targets if target.partition("?")[0].endswith(f"/{act}")]
    fields = {**sheet.fields, "which": which, "recipient": [str(index) for index in recipients]}
    answer = await client.post(
        target, data=fields, headers={"Sec-Fetch-Site": "same-origin", "Origin": "null"}
    )
    assert answer.status_code == 303
    return await client.get(answer.headers["location"])


async def send(client: httpx.AsyncClient, url: str, verb: str, *fields: tuple[str, str]) -> httpx.Response:
    """Post the form of a sender's page that leads to `verb`, with these fields; redirects are not followed."""
    seal = read(await client.get(url)).fields["seal"]
    return await send_raw(client, url, verb, ("seal", seal), *fields)


async def send_raw(
    client: httpx.AsyncClient, url: str, verb: str, *fields: tuple[str, str], site: str = "same-origin"
) -> httpx.Response:
    """Post just these fields."""
    headers = {"content-type": "application/x-www-form-urlencoded", "sec-fetch-site": site}
    path, mark, query = url.partition("?")
    return await client.post(f"{path}/{verb}{mark}{query}", content=urlencode(fields), headers=headers)


async def answer(client: httpx.AsyncClient, response: httpx.Response) -> str:
    """Follow to the page that answers a posted form, and return its text."""
    assert response.status_code == 303, response.text
    return read(await client.get(response.headers["location"])).text
