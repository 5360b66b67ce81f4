"""Decisions as JSON, as they are stored with the message, and back.

Version 2 adds the second look, dropped recipients, routes, texts under the mail, copies, reports and watched rules. A decision
without any of them is still written as version 1, which a node of the release before can read. Version 3 adds the protection
of attachments: who reads version 2 would send them in clear, and must not be able to read it.
"""

from __future__ import annotations

from typing import Any

from gateway.policy.decision import Decision, LeftOut, Outcome, Reason, ToLine, Watched
from gateway.policy.demands import NOTHING_FOR_THE_MAIL, Language, MailDemands, Refusal, Text
from gateway.policy.disclaimers import Disclaimer
from gateway.policy.stored_demands import demands_from, demands_json
from gateway.policy.stored_handling import file_from, file_json, handling_from, handling_json

Json = dict[str, Any]


def to_json(decision: Decision) -> Json:
    """Return the stored form without `assigned`: each recipient's row keeps its own class."""
    outcomes = [_outcome_json(outcome) for outcome in decision.outcomes]
    later = _later(decision)
    newer = [outcome for outcome in outcomes if "more" in outcome or "handling" in outcome]
    return {
        "v": _version(decision) if later or newer else 1,
        "digest": decision.digest,
        "outcomes": outcomes,
        "refusals": [[r.rule, r.text.ja, r.text.en] for r in decision.refusals],
        "reasons": [[r.rule, r.text.ja, r.text.en] for r in decision.reasons],
        "notify_sender": decision.notify_sender,
        "notify": sorted(decision.notify),
        "internal": decision.internal,
        "to_group": decision.to_line.group,
        "language": str(decision.language),
        "tag_names": sorted(decision.tag_names),
        **later,
    }


def from_json(data: Json, assigned: tuple[int, ...]) -> Decision:
    """Rebuild a decision from its stored form; raises ValueError on a version this code does not know."""
    if data.get("v") not in (1, 2, 3):
        raise ValueError(f"stored decision has version {data.get('v')!r}, known are 1, 2 and 3")
    return Decision(
        digest=data["digest"],
        outcomes=tuple(_outcome_from(o) for o in data["outcomes"]),
        assigned=assigned,
        refusals=tuple(Refusal(r, Text(ja, en)) for r, ja, en in data["refusals"]),
        reasons=tuple(Reason(r, Text(ja, en)) for r, ja, en in data["reasons"]),
        notify_sender=data["notify_sender"],
        notify=frozenset(data["notify"]),
        internal=tuple(data["internal"]),
        to_line=ToLine(data["to_group"]),
        language=Language(data["language"]),
        tag_names=frozenset(data.get("tag_names", ())),
        bcc_to=frozenset(data.get("bcc_to", ())),
        report_to=frozenset(data.get("report_to", ())),
        watched=tuple(_watched_from(each) for each in data.get("watched", ())),
        copied=data.get("copied", 0),
        tells_dropped=data.get("tells_dropped", False),
        texts=tuple(Disclaimer(*each) for each in data.get("texts", ())),
        left_out=tuple(LeftOut(tuple(keys), why) for keys, why in data.get("left_out", ())),
        files=tuple(file_from(each) for each in data.get("files", ())),
        tell_left=data.get("tell_left", False),
        colleagues_may_stop=data.get("colleagues_may_stop", False),
        colleagues_by_letter=data.get("colleagues_by_letter", False),
    )


def _version(decision: Decision) -> int:
    """Return the version of a decision with anything that version 1 does not know."""
    handled = any(outcome.handling is not None for outcome in decision.outcomes)
    watched = any(each.demands.protections for each in decision.watched)
    return 3 if decision.protects or decision.files or handled or watched else 2


def _later(decision: Decision) -> Json:
    """Return what later versions added for the mail as a whole, without what is empty: all of it, in nearly every mail."""
    some = decision.bcc_to or decision.report_to or decision.watched or decision.copied or decision.texts
    more = decision.left_out or decision.files or decision.tells_dropped or decision.tell_left
    if not (some or more or decision.colleagues_may_stop or decision.colleagues_by_letter):
        return {}
    later: Json = {
        "bcc_to": sorted(decision.bcc_to),
        "report_to": sorted(decision.report_to),
        "watched": [_watched_json(each) for each in decision.watched],
        "copied": decision.copied,
        "tells_dropped": decision.tells_dropped,
        "texts": [[each.key, each.text, each.html] for each in decision.texts],
        "left_out": [[list(each.keys), each.why] for each in decision.left_out],
        "files": [file_json(each) for each in decision.files],
        "tell_left": decision.tell_left,
        "colleagues_may_stop": decision.colleagues_may_stop,
        "colleagues_by_letter": decision.colleagues_by_letter,
    }
    return {key: value for key, value in later.items() if value}


def _outcome_json(outcome: Outcome) -> Json:
    told = {
        "external": outcome.external,
        **demands_json(outcome.demands),
        "companions": outcome.companions,
        "rules": outcome.rules,
    }
    if outcome.handling is not None:
        told["handling"] = handling_json(outcome.handling)
    return told


def _outcome_from(data: Json) -> Outcome:
    return Outcome(
        external=data["external"],
        demands=demands_from(data),
        companions=tuple(data["companions"]),
        rules=tuple(data["rules"]),
        handling=handling_from(data["handling"]) if "handling" in data else None,
    )


def _watched_json(watched: Watched) -> Json:
    whole = watched.for_mail
    return {
        "rule": watched.rule,
        "recipients": watched.recipients,
        **demands_json(watched.demands),
        "mail": None
        if whole == NOTHING_FOR_THE_MAIL
        else {
            "refusals": [[r.rule, r.text.ja, r.text.en] for r in sorted(whole.refusals)],
            "notify_sender": whole.notify_sender,
            "notify": sorted(whole.notify),
            "bcc_to": sorted(whole.bcc_to),
            "report_to": sorted(whole.report_to),
            **({"tell_left": True} if whole.tell_left else {}),
            **({"colleagues_may_stop": True} if whole.colleagues_may_stop else {}),
        },
    }


def _watched_from(data: Json) -> Watched:
    whole = data["mail"]
    for_mail = NOTHING_FOR_THE_MAIL
    if whole is not None:
        for_mail = MailDemands(
            refusals=frozenset(Refusal(r, Text(ja, en)) for r, ja, en in whole["refusals"]),
            notify_sender=whole["notify_sender"],
            notify=frozenset(whole["notify"]),
            bcc_to=frozenset(whole["bcc_to"]),
            report_to=frozenset(whole["report_to"]),
            tell_left=whole.get("tell_left", False),
            colleagues_may_stop=whole.get("colleagues_may_stop", False),
        )
    return Watched(data["rule"], data["recipients"], demands_from(data), for_mail)
