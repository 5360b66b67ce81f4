"""`sekisho serve`: the gateway against a real next hop."""

from __future__ import annotations

from pathlib import Path

import click

from gateway.cli.running import run_service
from gateway.config.load import load_settings


@click.command()
@click.option(
    "--config",
    type=click.Path(path_type=Path, dir_okay=False),
    default=Path("sekisho.yaml"),
    show_default=True,
    help="The settings file.",
)
def serve(config: Path) -> None:
    """Run the gateway until SIGTERM or Ctrl-C. SIGHUP reads policy, accounts and certificate again."""
    run_service(load_settings(config))
