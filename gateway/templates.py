"""Templates for people, of the console's pages and of notices: in one language each, and escaped in everything but plain text.

A name that a template uses and nobody gave is an error, not an empty place.
"""

from __future__ import annotations

from pathlib import Path

from jinja2 import BaseLoader, Environment, FileSystemLoader, StrictUndefined, select_autoescape
from jinja2.sandbox import ImmutableSandboxedEnvironment

from gateway.languages import Words


def templates_in(folder: Path, words: Words) -> Environment:
    """Return the templates of a folder of ours; whatever does not end in .txt is escaped as HTML."""
    return _equipped(Environment, FileSystemLoader(folder), words)


def templates_of_others(loader: BaseLoader, words: Words) -> Environment:
    """Return templates that somebody else wrote: they reach the values they are given, and change nothing."""
    return _equipped(ImmutableSandboxedEnvironment, loader, words)


def _equipped(kind: type[Environment], loader: BaseLoader, words: Words) -> Environment:
    environment = kind(
        loader=loader,
        autoescape=select_autoescape(enabled_extensions=(), disabled_extensions=("txt",), default=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    environment.install_gettext_translations(words.catalogue, newstyle=True)  # type: ignore[attr-defined]
    return environment
