"""What `sekisho policy explain --json` prints: all that the text says, as data, and the sentences in both languages. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from gateway.cli.attachment_words import handling_json, names_of
from gateway.cli.policy_words import recipient_lines
from gateway.policy.decision import Decision, Watched
from gateway.policy.demands import Approval, Confirmation, Language
from gateway.policy.explain import Explained
from gateway.policy.stored_decision import to_json


def explanation_json(
    decision: Decision, explained: Sequence[Explained], headers: Sequence[bytes], places: Mapping[str, str]
) -> dict[str, Any]:
    """Return the explanation for programs; header sections as text, octets that are no UTF-8 replaced."""
    return {
        "digest": decision.digest,
        "refusals": [{"rule": r.rule, "ja": r.text.ja, "en": r.text.en} for r in decision.refusals],
        "rules": [
            {"rule": r.rule, "ja": r.text.ja, "en": r.text.en, "place": places.get(r.rule, "")}
            for r in decision.reasons
        ],
        "watched": [_watched_json(each, places) for each in decision.watched],
        "notify": [*(["sender"] if decision.notify_sender else []), *sorted(decision.notify)],
        "tell_left": decision.tell_left,
        "colleagues_may_stop": decision.colleagues_may_stop,
        "bcc_to": sorted(decision.bcc_to),
        "report_to": sorted(decision.report_to),
        "recipients": [
            _one_json(one, header, names_of(decision)) for one, header in zip(explained, headers, strict=True)
        ],
        "files": [
            {"place": f.place, "name": f.name, "kind": f.kind, "octets": f.size_bytes, "state": f.state}
            for f in decision.files
        ],
        "decision": to_json(decision),
    }


def _watched_json(watched: Watched, places: Mapping[str, str]) -> dict[str, Any]:
    place = places.get(watched.rule, "")
    return {"rule": watched.rule, "place": place, "recipients": watched.recipients}


def _one_json(one: Explained, header: bytes, files: Mapping[int, str]) -> dict[str, Any]:
    return {
        "address": str(one.address),
        "external": one.external,
        "outcome": one.fate.value,
        "held": one.held,
        "leaves_at": _time(one.leaves_at),
        "firm_until": _time(one.firm_until) if one.firm else None,
        "reasoned_until": _time(one.reasoned_until) if one.reasoned_until is not None else None,
        "confirm": [_confirm_json(each) for each in one.confirm],
        "approvals": [_approval_json(each) for each in one.approvals],
        "form": one.form,
        "hides_internal": one.hides_internal,
        "sees": list(one.sees),
        "tags": [list(tag) for tag in one.tags],
        "dropped": one.dropped,
        "copy": one.copy,
        "routes": list(one.routes),
        "disclaimers": list(one.disclaimers),
        "left_out": one.left_out,
        "attachments": handling_json(one.handling),
        "rules": [applied.rule for applied in one.applied],
        "says": {
            lang.value: [line.strip() for line in recipient_lines(one, lang, files)] for lang in Language
        },
        "header": header.decode("utf-8", "replace"),
    }


def _confirm_json(asked: Confirmation) -> dict[str, Any]:
    return {
        "rule": asked.rule,
        "items": asked.items,
        "within_s": asked.within.total_seconds(),
        "otherwise": asked.otherwise,
        "remind_s": [span.total_seconds() for span in asked.remind],
    }


def _approval_json(asked: Approval) -> dict[str, Any]:
    return {
        "rule": asked.rule,
        "name": asked.name,
        "at_least": asked.at_least,
        "within_s": asked.within.total_seconds(),
        "otherwise": asked.otherwise,
        "remind_s": [span.total_seconds() for span in asked.remind],
        "steps": [
            {"after_s": step.after.total_seconds(), "approvers": [each.address for each in step.approvers]}
            for step in asked.steps
        ],
    }


def _time(at: datetime) -> str:
    return at.isoformat(timespec="seconds")
