"""`sekisho policy replay` and `diff`: what another policy would have done with past mail, or with the cases.

Reads the store's rows and the policy files, never a body; it needs no key and may run beside the gateway. Exit code 0: every
mail that could be told is treated alike; 1: some differ, or a policy has problems; 2: wrong use.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from gateway.cli.case_files import facts_of_cases, read_cases
from gateway.cli.place import find_place, place_options
from gateway.cli.replay_words import report_json, report_text
from gateway.cli.when import WHEN
from gateway.clock import utc_now
from gateway.config.load import load_settings
from gateway.config.policies import read_policy
from gateway.log import escaped
from gateway.policy.case_given import arrives_at
from gateway.policy.demands import Language
from gateway.policy.model import Policy
from gateway.policy.replay import as_decided, tried, tried_again
from gateway.policy.tally import Tally
from gateway.spool.past import NoFacts, Past, PastMail
from gateway.store.errors import StoreUnavailable
from gateway.store.where import Where

MAX_LISTED = 10_000  # mails in one list; the figures count all of them

_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)


def _options(command: Callable[..., Any]) -> Callable[..., Any]:
    options = (
        click.option("--since", type=WHEN, default="30d", show_default=True, help="From this time on."),
        click.option("--until", type=WHEN, help="Before this time; now without it."),
        click.option("--limit", default=50, show_default=True, type=click.IntRange(0, MAX_LISTED)),
        click.option("--subjects", is_flag=True, help="Name the subjects of the mails that differ."),
        click.option("--language", type=click.Choice(["ja", "en"]), help="Default: the organisation's."),
        click.option("--json", "as_json", is_flag=True, help="Print JSON."),
    )
    for option in reversed(options):
        command = option(command)
    return place_options(command)


@click.command()
@_options
@click.option("--policies", type=_FOLDER, help="Folder of the policy to try; default: the settings' own.")
def replay(
    state: Path | None,
    config: Path | None,
    policies: Path | None,
    since: datetime,
    until: datetime | None,
    limit: int,
    **shown: Any,
) -> None:
    """Try a policy on the recorded facts of past mail, and compare with what was decided then."""
    place = find_place(state, config)
    policy = read_policy(policies or _folder(config))
    tally = Tally(limit)
    for mail in _past(place.store, since, until or utc_now(), tally):
        now = tried_again(mail.facts, policy, mail.received_at, mail.decision)
        tally.add(mail.queue_id, mail.received_at, mail.facts, as_decided(mail.decision), now)
    _tell(tally, policy, **shown)


@click.command()
@click.argument("before", metavar="A", type=_FOLDER)
@click.argument("after", metavar="B", type=_FOLDER)
@_options
@click.option("--cases", is_flag=True, help="Compare on the cases of both folders instead of past mail.")
def diff(
    before: Path,
    after: Path,
    state: Path | None,
    config: Path | None,
    cases: bool,
    since: datetime,
    until: datetime | None,
    limit: int,
    **shown: Any,
) -> None:
    """Show where the policies in the folders A and B treat past mail (without a store, their cases) differently."""
    one, other = read_policy(before), read_policy(after)
    tally = Tally(limit)
    if cases or (state is None and config is None):
        _compare_cases(before, after, one, other, tally)
    else:
        for mail in _past(find_place(state, config).store, since, until or utc_now(), tally):
            pair = tried(mail.facts, one, mail.received_at), tried(mail.facts, other, mail.received_at)
            tally.add(mail.queue_id, mail.received_at, mail.facts, *pair)
    _tell(tally, other, **shown)


def _compare_cases(before: Path, after: Path, one: Policy, other: Policy, tally: Tally) -> None:
    files = [file for folder in (before, after) for file in read_cases(folder)]
    every = [(file.name, case) for file in files for case in file.cases]
    distinct = list({(file, repr(case)): (file, case) for file, case in every}.values())
    if not distinct:  # or CI would take two folders for the same that nothing was tried on
        raise click.UsageError(
            "neither folder has cases (*.cases.yaml); write some, or give --state or --config"
        )
    found = facts_of_cases([case for _, case in distinct], one.needs | other.needs)
    for (file, case), facts in zip(distinct, found, strict=True):
        at = arrives_at(case.mail, one)
        pair = tried(facts, one, at), tried(facts, other, at)
        tally.add(f"{file}: {case.name}", at, facts, *pair)


def _past(store: Where, since: datetime, until: datetime, tally: Tally) -> Iterator[PastMail]:
    """Yield what can be tried again; count in the tally what cannot."""
    try:
        with Past(store) as past:
            if refused := past.refused(since, until):
                tally.skipped["refused-then"] = refused
            for mail in past.mails(since, until):
                if isinstance(mail, NoFacts):
                    tally.skipped["unreadable" if mail.cause else "unrecorded"] += 1
                else:
                    yield mail
    except StoreUnavailable as error:
        raise click.ClickException(str(error).splitlines()[0]) from error


def _folder(config: Path | None) -> Path:
    return load_settings(config).policies if config is not None else Path("policies")


def _tell(tally: Tally, policy: Policy, *, language: str | None, as_json: bool, subjects: bool) -> None:
    if as_json:
        text = json.dumps(report_json(tally, subjects=subjects), ensure_ascii=False, indent=2)
        click.echo("\n".join(map(escaped, text.split("\n"))))
    else:
        chosen = Language(language) if language else policy.language
        click.echo(report_text(tally, chosen, subjects=subjects), nl=False)
    sys.exit(1 if tally.differ else 0)
