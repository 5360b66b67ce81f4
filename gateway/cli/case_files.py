"""Read the cases that lie beside policy files: `*.cases.yaml`, the mails they name, and the content of these mails.

Raises `Problems`, so that `check` names every mistake with its line. Of a whole mail (`raw`, `file`) text and attachments are
read as the gateway reads them, where a rule asks for that; other cases say themselves what is in theirs.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from gateway.config.policy_files import read_case_texts
from gateway.config.settings import Content as ContentSettings
from gateway.evidence.content.reader import Reader
from gateway.message.facts import Facts
from gateway.policy.case_given import facts_of, octets_of
from gateway.policy.case_mail import MAX_ATTACHMENT
from gateway.policy.cases import Case, load_cases
from gateway.policy.conditions.context import Need
from gateway.policy.handling import Seen
from gateway.policy.model import Policy
from gateway.sealing.looking import seen_in
from gateway.values import dataclass
from gateway.yaml_source import Document, Problem, Problems, load


@dataclass(frozen=True, slots=True)
class ReadCases:
    """One file of cases, by its name below the policy folder."""

    document: Document
    cases: tuple[Case, ...]

    @property
    def name(self) -> str:
        return self.document.file

    def line(self, index: int) -> int:
        """Return where a case begins."""
        return self.document.position((index,))[0]


def read_cases(folder: Path) -> list[ReadCases]:
    """Return the cases of each file of the folder and its tiers, with the mails they name; raises `Problems`."""
    problems: list[Problem] = []
    found = []
    for name, text in read_case_texts(folder).items():
        try:
            found.append(_read(folder, name, text))
        except Problems as broken:
            problems += [replace(each, file=str(folder / each.file)) for each in broken.problems]
    if problems:
        raise Problems(problems)
    return found


def _read(folder: Path, name: str, text: str) -> ReadCases:
    document, cases = load(text, name), load_cases(text, name)
    beside = (folder / name).parent
    whole = [_with_mail(document, index, case, beside) for index, case in enumerate(cases)]
    return ReadCases(document, tuple(whole))


def _with_mail(document: Document, index: int, case: Case, beside: Path) -> Case:
    if case.mail.file is None:
        return case
    where = (index, "mail", "file")
    try:
        with (beside / case.mail.file).open("rb") as file:
            octets = file.read(MAX_ATTACHMENT + 1)
    except OSError as error:
        raise Problems([document.problem(where, f"cannot be read: {error.strerror}")]) from None
    if len(octets) > MAX_ATTACHMENT:
        raise Problems([document.problem(where, f"larger than {MAX_ATTACHMENT >> 20} MiB")])
    return case.model_copy(update={"mail": case.mail.with_file(octets)})


def facts_of_cases(cases: Sequence[Case], needs: Need) -> list[Facts]:
    """Return the facts of each case's mail, with the content of whole mails where a rule asks for it."""
    found = [facts_of(case.mail) for case in cases]
    whole = any(case.mail.raw is not None for case in cases)
    return asyncio.run(_with_content(cases, found)) if whole and Need.CONTENT in needs else found


def seen_of_cases(cases: Sequence[Case], policy: Policy) -> list[Seen | None]:
    """Return the files of whole mails as they are seen of a mail that comes, where a rule asks for their protection."""
    return [
        seen_in(octets_of(case.mail)) if policy.protects and case.mail.raw is not None else None
        for case in cases
    ]


async def _with_content(cases: Sequence[Case], found: Sequence[Facts]) -> list[Facts]:
    reader = Reader(ContentSettings())
    try:
        return [
            await _read_whole(reader, case, facts) if case.mail.raw is not None else facts
            for case, facts in zip(cases, found, strict=True)
        ]
    finally:
        await reader.close()


async def _read_whole(reader: Reader, case: Case, facts: Facts) -> Facts:
    content = await reader.read(facts, octets_of(case.mail))
    return replace(facts, evidence=replace(facts.evidence, content=content))
