"""Where a command finds the state directory and the master key: `--state DIR`, or what `--config FILE` says."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from gateway.config.load import load_settings
from gateway.store.database import FILE_NAME
from gateway.store.errors import StoreMisconfigured
from gateway.store.keys import MasterKey, MasterKeyError, key_file
from gateway.store.where import Where, where_of
from gateway.values import dataclass


@dataclass(frozen=True, slots=True)
class Place:
    """A state directory that exists, and where its master key stands."""

    state: Path
    key_file: Path
    store: Where

    def master(self) -> MasterKey:
        """Load the master key; ends the command with code 1 where it cannot be read."""
        try:
            return MasterKey.load(self.key_file)
        except MasterKeyError as error:
            raise click.ClickException(str(error)) from error


def place_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add `--state` and `--config`."""
    options = (
        click.option(
            "--state", type=click.Path(path_type=Path, file_okay=False), help="The state directory."
        ),
        click.option("--config", type=click.Path(path_type=Path, dir_okay=False), help="The settings file."),
    )
    for option in reversed(options):
        command = option(command)
    return command


def where(state: Path | None, config: Path | None) -> tuple[Path, Path]:
    """Return the state directory, whether it exists or not, and where its master key stands."""
    if state is None and config is None:
        raise click.UsageError("give --state DIR or --config FILE")
    settings = load_settings(config) if config is not None else None
    found = state or (settings.state if settings is not None else Path("var"))
    return found, key_file(found, settings.master_key_file if settings is not None else None)


def find_place(state: Path | None, config: Path | None) -> Place:
    """Return where to work; `--state` goes before the settings. Ends the command with code 2 where neither is of use."""
    found, key = where(state, config)
    store = Where(found)
    if state is None and config is not None:
        store = _store(config)
    if not store.url and not (found / FILE_NAME).is_file():
        raise click.UsageError(f"{found} is no state directory: it holds no {FILE_NAME}")
    return Place(found, key, store)


def _store(config: Path) -> Where:
    try:
        return where_of(load_settings(config))
    except StoreMisconfigured as error:
        raise click.ClickException(str(error)) from error
