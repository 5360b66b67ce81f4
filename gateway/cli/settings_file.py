"""The option `--config` of commands that need all settings. It imports nothing else: `serve` has to choose what it loads."""

from __future__ import annotations

from pathlib import Path

import click

settings_file = click.option(
    "--config",
    type=click.Path(path_type=Path, dir_okay=False),
    default=Path("sekisho.yaml"),
    show_default=True,
    help="The settings file.",
)
