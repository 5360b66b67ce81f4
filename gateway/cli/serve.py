"""`sekisho serve`: the gateway against a real next hop."""

from __future__ import annotations

import signal
import sys
from pathlib import Path

import click

from gateway.cli.settings_file import settings_file
from gateway.config.load import load_settings


@click.command()
@settings_file
@click.option("--worker", type=int, hidden=True)
@click.option("--supervisor", type=int, hidden=True)
@click.option("--muster", type=int, hidden=True)
def serve(config: Path, worker: int | None, supervisor: int | None, muster: int | None) -> None:
    """Run the gateway until SIGTERM or Ctrl-C. SIGHUP reads policy, accounts and certificate again."""
    # SIGHUP waits until somebody can act on it: before that it would kill us.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGHUP})
    settings = load_settings(config)
    if settings.workers > 1 and worker is None:
        from gateway.cli.workers import Workers

        sys.exit(Workers(config, settings).run())
    # Only here: prometheus_client looks once, when it is imported, whether its values belong to one process or to many.
    from gateway.cli.running import run_service

    run_service(settings, worker or 0, supervisor, muster)
