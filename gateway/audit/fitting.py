"""Whether a mail is what somebody asks for, and whether they may hear of it: exact, from the event of its acceptance. Pure.

SQL finds candidates by looking for pieces of text in that event's detail (`hints`), and may find too many; what stands here
decides. An event without groups was written before groups were: such a mail belongs to no group, so only who may see the
whole organisation's mail finds it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from gateway.audit.entries import Entry, Question
from gateway.spool.list_contract import Scope, Whose

Detail = Mapping[str, Any]


def fits(detail: Detail, question: Question) -> bool:
    """Tell whether the mail that was accepted (or refused) with this detail is one of those asked for."""
    return (
        _holds(question.scope, detail)
        and (question.sender is None or _is(question.sender, _text(detail, "sender")))
        and (question.recipient is None or _any(question.recipient, recipients_of(detail)))
        and (question.subject is None or question.subject.casefold() in _text(detail, "subject").casefold())
        and (question.group is None or question.group in groups_of(detail))
        and (question.rule is None or question.rule in rules_of(detail))
    )


def whose(detail: Detail) -> Whose:
    """Return whose a mail is, as far as its event says: who may approve it is not in the log."""
    sender = _text(detail, "sender").casefold()
    return Whose(frozenset({sender} - {""}), _text(detail, "account"), frozenset(groups_of(detail)))


def groups_of(detail: Detail) -> list[str]:
    """Return the groups of the policy that its sender was in."""
    return _texts(detail.get("groups"))


def recipients_of(detail: Detail) -> list[str]:
    """Return everybody it was addressed to, in the order that later events count in."""
    return _texts(detail.get("recipients"))


def rules_of(detail: Detail) -> set[str]:
    """Return every rule that asked for something, watched or refused."""
    outcomes = detail.get("outcomes")
    found = {*_texts(detail.get("rules")), *_texts(detail.get("watched"))}
    for outcome in outcomes if isinstance(outcomes, list) else ():
        if isinstance(outcome, dict):
            found.update(_texts(outcome.get("rules")))
    return found


def without_subject(entry: Entry) -> Entry:
    """Return an event for somebody who may not read subjects."""
    return replace(entry, detail={**entry.detail, "subject": ""}) if "subject" in entry.detail else entry


def hints(question: Question) -> Iterator[tuple[str, ...]]:
    """Yield what the detail's text must hold: of each tuple at least one piece, in any case of ASCII letters."""
    pieces = [_of_address(each) for each in (question.sender, question.recipient) if each is not None]
    pieces += [_json(each) for each in (question.group, question.rule) if each is not None]
    if question.subject is not None:
        pieces.append(_json(question.subject)[1:-1])
    yield from ((piece,) for piece in pieces if _of_one_case(piece))
    if not question.scope.everything:
        yield from _scope_hints(question.scope)


def _of_one_case(text: str) -> bool:
    """Tell whether SQL finds a text whatever its case: it knows both cases of ASCII letters, and Japanese has none."""
    return all(char.isascii() or char.lower() == char.upper() for char in text)


def _scope_hints(scope: Scope) -> Iterator[tuple[str, ...]]:
    names = sorted(scope.groups | scope.addresses | scope.logins)
    if all(_of_one_case(name) for name in names):
        yield tuple(_json(name) for name in names)  # none at all: nothing fits


def _holds(scope: Scope, detail: Detail) -> bool:
    return scope.everything or scope.holds(whose(detail))


def _whole(asked: str) -> bool:
    return not asked.startswith("@")


def _of_address(asked: str) -> str:
    return _json(asked) if _whole(asked) else _json(asked)[1:]


def _is(asked: str, address: str) -> bool:
    asked, address = asked.casefold(), address.casefold()
    return address == asked or (not _whole(asked) and address.endswith(asked))


def _any(asked: str, addresses: Iterable[str]) -> bool:
    return any(_is(asked, address) for address in addresses)


def _text(detail: Detail, key: str) -> str:
    value = detail.get(key)
    return value if isinstance(value, str) else ""


def _texts(value: object) -> list[str]:
    return [each for each in value if isinstance(each, str)] if isinstance(value, list) else []


def _json(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
