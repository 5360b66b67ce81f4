"""`sekisho demo`: everything embedded, on loopback, with a sample mail to send and a page to look at."""

from __future__ import annotations

import shutil
import smtplib
import sys
from pathlib import Path

import click

from gateway.cli.running import run_until_done
from gateway.config.policies import read_policy
from gateway.demo.catchall import Mailbox, serve_catchall
from gateway.demo.pages import demo_routes
from gateway.demo.people import PEOPLE, add_people
from gateway.demo.sample import MANAGER, OFFICE, PASSWORD, sample_mail, sample_recipients
from gateway.demo.setup import HOST, Demo
from gateway.service.process import Service

_PORT = click.IntRange(1, 65535)

_WHAT_NEXT = """
  Sekisho (関所) is running. SMTP {smtp}   web {url}   Ctrl-C stops it.

  1. Send a mail with 30 outside addresses in To, and a colleague in Cc (in another terminal):
       {send}
  2. Look at what arrived: the colleague's copy at once, and the hold notice to the sender:
       {url}/demo
  3. Open the link in the hold notice. Cancel with 取り消す, or send now with 今すぐ送る. Or here:
       {program} held list --state {state}
       {program} held cancel QUEUE-ID --state {state}
  4. Wait ten minutes instead: 30 citizens get it, and nobody sees another's address ({url}/demo).

  Pages: {url}/   sign in as {logins} (password {password})
  Accounts for your own mail client: office / {password} ({office}), manager / {password} ({manager})
  Policies: {policies}   change them while it runs; check with: {program} policy check {policies}
  State:    {state}   figures: {url}/metrics
"""


@click.group(invoke_without_command=True)
@click.option("--smtp-port", type=_PORT, default=2525, show_default=True, help="Port for mail in.")
@click.option("--web-port", type=_PORT, default=8025, show_default=True, help="Port for the web page.")
@click.option(
    "--policies",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("policies"),
    show_default=True,
    help="The policy folder.",
)
@click.option(
    "--state",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("var"),
    show_default=True,
    help="Where the demo keeps its state.",
)
@click.pass_context
def demo(ctx: click.Context, smtp_port: int, web_port: int, policies: Path, state: Path) -> None:
    """Run the gateway with everything embedded; prints what to try next."""
    if ctx.invoked_subcommand is not None:
        return
    read_policy(policies)  # say what is wrong with them before anything starts
    setup = Demo(state, policies, smtp_port, web_port)
    try:
        setup.prepare()
    except OSError as error:
        raise click.ClickException(f"cannot write the demo's files: {error}") from error

    async def main() -> None:
        mailbox = Mailbox(setup.arrived)
        server, port = await serve_catchall(mailbox, HOST)
        async with server:
            await add_people(setup.settings(port))
            service = Service(setup.settings(port), demo_routes(mailbox, setup.url))
            service.when_ready(lambda: click.echo(what_next(setup)))
            await service.run()

    run_until_done(setup.settings(1), main)


@demo.command("send")
@click.option("--smtp-port", type=_PORT, default=2525, show_default=True, help="Port of the running demo.")
def send(smtp_port: int) -> None:
    """Send the sample mail to a running demo: 30 outside addresses in To."""
    try:
        with smtplib.SMTP(HOST, smtp_port, timeout=20) as client:
            client.login("office", PASSWORD)
            client.mail(OFFICE)
            for recipient in [*sample_recipients(), MANAGER]:
                client.rcpt(recipient)
            code, text = client.data(sample_mail())
    except (OSError, smtplib.SMTPException) as error:
        raise click.ClickException(f"no demo answers on {HOST}:{smtp_port}: {error}") from error
    click.echo(f"{code} {text.decode('utf-8', 'replace')}")
    if code != 250:
        sys.exit(1)


def what_next(setup: Demo) -> str:
    """Return the text that says what to try, with commands that work as they stand."""
    program = Path(sys.argv[0])
    here = Path.cwd()
    shown = program.relative_to(here) if program.is_absolute() and program.is_relative_to(here) else program
    other_ports = "" if setup.smtp_port == 2525 else f" --smtp-port {setup.smtp_port}"
    send_it = (
        f"curl --config {setup.curl_config}" if shutil.which("curl") else f"{shown} demo send{other_ports}"
    )
    return _WHAT_NEXT.format(
        smtp=f"{HOST}:{setup.smtp_port}",
        url=setup.url,
        send=send_it,
        program=shown,
        state=setup.folder,
        policies=setup.policies,
        office=OFFICE,
        manager=MANAGER,
        logins=", ".join(person.login for person in PEOPLE),
        password=PASSWORD,
    )
