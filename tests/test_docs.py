"""The pages list what there is: every metric, every command and its verbs."""

from __future__ import annotations

import re
from pathlib import Path

import click

from gateway import metrics
from gateway.cli import main

DOCS = Path(__file__).parents[1] / "docs"


def series() -> set[str]:
    """Return the names of our series as they are scraped, histograms and counters by their base."""
    names = set()
    for family in metrics.REGISTRY.collect():
        names.add(family.name + ("_total" if family.type == "counter" else ""))
    return names


def test_operations_lists_every_metric_and_no_other() -> None:
    page = (DOCS / "operations.md").read_text(encoding="utf-8")
    listed = {found[1] for found in re.finditer(r"(?m)^\| `(sekisho_\w+)", page)}
    assert listed == series()


def test_the_docs_name_every_verb() -> None:
    text = "\n".join(
        path.read_text(encoding="utf-8") for path in [*DOCS.glob("*.md"), DOCS.parent / "README.md"]
    )
    context = click.Context(main)
    missing = []
    for name in main.list_commands(context):
        command = main.get_command(context, name)
        verbs = command.list_commands(context) if isinstance(command, click.Group) else []
        missing += [
            f"sekisho {name} {verb}" for verb in verbs if not re.search(rf"{name}\W[^\n]*\b{verb}\b", text)
        ]
        if f"sekisho {name}" not in text:
            missing.append(f"sekisho {name}")
    assert missing == []


def test_every_command_helps() -> None:
    context = click.Context(main)
    for name in main.list_commands(context):
        command = main.get_command(context, name)
        assert command is not None
        assert command.help, name
