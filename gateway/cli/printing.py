"""How policy commands print: JSON for programs, problems for people. Pure but for the printing."""

from __future__ import annotations

import json
from dataclasses import asdict

import click

from gateway.log import escaped
from gateway.yaml_source import Problems


def dump(data: object) -> str:
    """Return indented JSON in which nothing acts on a terminal."""
    lines = json.dumps(data, ensure_ascii=False, indent=2).split("\n")
    return "\n".join(escaped(line) for line in lines)


def print_problems(found: Problems, as_json: bool) -> None:
    """Print every problem, one a line, and their number on standard error."""
    if as_json:
        click.echo(dump({"ok": False, "problems": [asdict(problem) for problem in found.problems]}))
        return
    click.echo(str(found))
    click.echo(f"{len(found.problems)} problem{'s' if len(found.problems) > 1 else ''}", err=True)
