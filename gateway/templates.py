"""Templates for people, of the console's pages and of notices: in one language each, and escaped in everything but plain text.

A name that a template uses and nobody gave is an error, not an empty place.
"""

from __future__ import annotations

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from gateway.languages import Words


def templates_in(folder: Path, words: Words) -> Environment:
    """Return the templates of a folder; whatever does not end in .txt is escaped as HTML."""
    environment = Environment(
        loader=FileSystemLoader(folder),
        autoescape=select_autoescape(enabled_extensions=(), disabled_extensions=("txt",), default=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    environment.install_gettext_translations(words.catalogue, newstyle=True)  # type: ignore[attr-defined]
    return environment
