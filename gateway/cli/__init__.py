"""The `sekisho` command: one group, each verb in its own file, loaded when it is asked for.

Exit codes: 0 done, 1 not done or something is wrong (the output says what), 2 wrong use of the command itself.
"""

from __future__ import annotations

import os
from importlib import import_module

import click

from gateway import __version__
from gateway.yaml_source import Problems

_COMMANDS = {
    "account": "Accounts that may submit mail: add, passwd, suspend, resume, list.",
    "backup": "Copy the state directory while the gateway runs.",
    "demo": "Try everything on this machine: embedded next hop, accounts, web page.",
    "doctor": "Check settings, policies, store, key and next hop before they matter.",
    "held": "Held mail: list, show, cancel, release.",
    "incident": "Misdirected mail that was reported: list, show, report.",
    "keys": "The master key: list, rotate, retire.",
    "log": "The event log: query, export, verify; what each rule did.",
    "notices": "Our own letters: check templates, show, the DNS record of the key.",
    "person": "People who sign in: add, list, show, grant, revoke, suspend, resume, remove, password, reset-totp, token.",
    "policy": "Policies: check, test, explain, replay, diff, docs, schema.",
    "restore": "Put a backup into an empty state directory; nothing of it leaves by itself.",
    "restored": "Hold what is open in a PostgreSQL that was put back by its own tools.",
    "secret": "Keys of attachments agreed on with receivers: set, list, remove.",
    "serve": "Run the gateway.",
}


class _Commands(click.Group):
    """Loads a command's module only when it runs: help, and `held list`, need no SMTP server."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        command = getattr(import_module(f"gateway.cli.{cmd_name}"), cmd_name)
        assert isinstance(command, click.Command)  # noqa: S101 - a broken table is a bug of ours
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(sorted(_COMMANDS.items()))

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except Problems as problems:
            click.echo(str(problems), err=True)
            ctx.exit(1)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="sekisho")
def main() -> None:
    """Sekisho (関所): a mail gateway that stops misaddressed outbound mail."""
    os.umask(0o077)  # whatever a command creates (the store, keys, exports) is its owner's alone
