"""Two pages of the demo: what arrived at the next hop, and one mail of it as it is."""

from __future__ import annotations

import re
from email import message_from_bytes
from email.errors import MessageError
from email.message import EmailMessage
from email.policy import default
from pathlib import Path

from jinja2 import Environment, FileSystemLoader
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route

from gateway.demo.catchall import Arrived, Mailbox
from gateway.message.text import decode_header
from gateway.values import dataclass

MAX_LISTED = 50
MAX_SHOWN = 200_000  # characters of raw mail on a page

_TEMPLATES = Environment(loader=FileSystemLoader(Path(__file__).parent / "templates"), autoescape=True)


@dataclass(frozen=True, slots=True)
class Shown:
    """One arrived mail in the words of a page."""

    number: int
    sender: str
    recipients: tuple[str, ...]
    subject: str
    to: str
    text: str
    raw: str
    link: str


def demo_routes(mailbox: Mailbox, public_url: str) -> list[Route]:
    """Return the demo's routes for the console's application."""

    async def inbox(_: Request) -> Response:
        mails = [show(mail, public_url) for mail in mailbox.all()[:MAX_LISTED]]
        return HTMLResponse(_TEMPLATES.get_template("inbox.html").render(mails=mails))

    async def one(request: Request) -> Response:
        mail = mailbox.one(request.path_params["number"])
        if mail is None:
            return PlainTextResponse("404 no such mail\n", status_code=404)
        return HTMLResponse(_TEMPLATES.get_template("mail.html").render(mail=show(mail, public_url)))

    return [Route("/demo", inbox), Route("/demo/{number:int}", one)]


def show(mail: Arrived, public_url: str) -> Shown:
    """Read an arrived mail for display; whatever cannot be read shows as empty."""
    raw = mail.raw
    parsed = message_from_bytes(raw, _class=EmailMessage, policy=default)
    text = _text(parsed)
    link = re.search(re.escape(public_url) + r"/m/[\w.~-]+", text)
    return Shown(
        number=mail.number,
        sender=mail.sender,
        recipients=mail.recipients,
        subject=_field(raw, b"subject"),
        to=_field(raw, b"to"),
        text=text,
        raw=raw[:MAX_SHOWN].decode("utf-8", "replace"),
        link=link[0] if link else "",
    )


def _field(raw: bytes, name: bytes) -> str:
    found = re.search(
        rb"(?im)^" + name + rb":((?:.*\r?\n)(?:[ \t].*\r?\n)*)", raw.partition(b"\r\n\r\n")[0] + b"\r\n"
    )
    return decode_header(found[1]).strip() if found else ""


def _text(parsed: EmailMessage) -> str:
    try:
        part = parsed.get_body(("plain", "html"))
        return str(part.get_content()) if part is not None else ""
    except (MessageError, LookupError, ValueError):
        return ""
