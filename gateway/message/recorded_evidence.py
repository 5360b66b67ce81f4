"""Evidence as part of a facts record, and back. Pure.

Counts, closed words, names of files, addresses: no text of a mail. What nobody looked up (None) stays unknown; what is at
its default is not written.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import MISSING, fields
from typing import Any

from gateway.message.evidence import Content, Earlier, Evidence, FileEvidence, Findings, Halves, Volume
from gateway.message.runs import in_order, long_addresses, long_keys, short

Json = dict[str, Any]
_TEXTS = ("texts", "cut")  # of Content: never recorded
_VOLUME = tuple(field.name for field in fields(Volume))
_HALVES = tuple(field.name for field in fields(Halves))


def evidence_json(evidence: Evidence, recipients: Sequence[str]) -> Json:
    """Return what was looked up; `recipients` are the keys of the envelope's recipients, in order."""
    record: Json = {}
    if evidence.content is not None:
        record["content"] = _content_json(evidence.content)
    if evidence.writers is not None:
        record["writers"] = _writers_json(evidence.writers, recipients)
    if evidence.volume is not None:
        record["volume"] = [getattr(evidence.volume, name) for name in _VOLUME]
    if evidence.replies is not None:
        record["replies"] = evidence.replies
    if evidence.earlier is not None:
        record["earlier"] = short(in_order(evidence.earlier.people, recipients), recipients)
    if evidence.domains is not None:
        record["domains"] = _by_state(evidence.domains)
    if evidence.look_alikes is not None:
        record["look_alikes"] = dict(evidence.look_alikes)
    if evidence.halves is not None:
        record["halves"] = [getattr(evidence.halves, name) for name in _HALVES]
    return record


def evidence_from(record: Json, recipients: Sequence[str]) -> Evidence:
    """Rebuild what `evidence_json` wrote."""
    content, writers, volume = record.get("content"), record.get("writers"), record.get("volume")
    earlier, domains, halves = record.get("earlier"), record.get("domains"), record.get("halves")
    return Evidence(
        content=None if content is None else _content_from(content),
        writers=None if writers is None else _writers_from(writers, recipients),
        volume=None if volume is None else Volume(*volume),
        replies=record.get("replies"),
        earlier=None if earlier is None else Earlier(frozenset(long_keys(earlier, recipients))),
        domains=None
        if domains is None
        else {name: state for state, names in domains.items() for name in names},
        look_alikes=record.get("look_alikes"),
        halves=None if halves is None else Halves(*halves),
    )


def _writers_json(writers: Mapping[str, tuple[str, ...]], recipients: Sequence[str]) -> list[Any]:
    """Group recipients by who wrote to them: one class of pupils has one writer."""
    groups: dict[tuple[str, ...], list[str]] = {}
    for key in in_order(writers, recipients):
        groups.setdefault(writers[key], []).append(key)
    return [[list(senders), short(tuple(keys), recipients)] for senders, keys in groups.items()]


def _writers_from(groups: list[Any], recipients: Sequence[str]) -> dict[str, tuple[str, ...]]:
    return {key: tuple(senders) for senders, keys in groups for key in long_keys(keys, recipients)}


def _by_state(domains: Mapping[str, str]) -> dict[str, list[str]]:
    states: dict[str, list[str]] = {}
    for name in sorted(domains):
        states.setdefault(domains[name], []).append(name)
    return states


def _content_json(content: Content) -> Json:
    record = _changed(content, without=(*_TEXTS, "body", "files", "mail_is", "invited"))
    if body := _changed(content.body):
        record["body"] = body
    if content.files:
        record["files"] = [_file_json(file) for file in content.files]
    if content.mail_is:
        record["mail_is"] = sorted(content.mail_is)
    if content.invited:
        record["invited"] = short(content.invited, ())
    return record


def _content_from(record: Json) -> Content:
    return Content(
        **record
        | {
            "body": Findings(**record.get("body", {})),
            "files": tuple([_file_from(file) for file in record.get("files", ())]),
            "mail_is": frozenset(record.get("mail_is", ())),
            "invited": long_addresses(record.get("invited", ()), ()),
        }
    )


def _file_json(file: FileEvidence) -> Json:
    record = _changed(file, without=("found",))
    if found := _changed(file.found):
        record["found"] = found
    return record


def _file_from(record: Json) -> FileEvidence:
    members, found = tuple(record.get("members", ())), Findings(**record.get("found", {}))
    return FileEvidence(**record | {"members": members, "found": found})


def _changed(value: Content | FileEvidence | Findings, without: Sequence[str] = ()) -> Json:
    """Return the fields that are not at their default; a field that is added later is written without being named here."""
    found = {field: getattr(value, field.name) for field in fields(value) if field.name not in without}
    return {
        field.name: each for field, each in found.items() if field.default is MISSING or each != field.default
    }
