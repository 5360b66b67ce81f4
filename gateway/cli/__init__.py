"""The `sekisho` command: one group, each verb in its own file, loaded when it is asked for.

Exit codes: 0 done, 1 not done or something is wrong (the output says what), 2 wrong use of the command itself.
"""

from __future__ import annotations

from importlib import import_module

import click

from gateway import __version__
from gateway.yaml_source import Problems

_COMMANDS = {
    "account": "gateway.cli.account",
    "demo": "gateway.cli.demo",
    "doctor": "gateway.cli.doctor",
    "held": "gateway.cli.held",
    "log": "gateway.cli.log",
    "policy": "gateway.cli.policy",
    "serve": "gateway.cli.serve",
}


class _Commands(click.Group):
    """Loads a command's module only when it runs: `sekisho held list` needs no SMTP server."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(_COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in _COMMANDS:
            return None
        command = getattr(import_module(_COMMANDS[name]), name)
        assert isinstance(command, click.Command)  # noqa: S101 - a broken table is a bug of ours
        return command

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
