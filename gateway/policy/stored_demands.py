"""What is demanded for recipients, as JSON in a stored decision, and back: the hold, the form, people's second looks.

What version 1 does not know stands under `more`, and there is none of it where nothing of that is demanded: by this
stored_decision.py tells which version it writes.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from gateway.policy.demands import FORM_WORDS, Approval, Confirmation, Demands, Form, Step
from gateway.policy.stored_approver import approver_from, approver_json
from gateway.policy.stored_handling import protection_from, protection_json

Json = dict[str, Any]


def demands_json(demands: Demands) -> Json:
    """Return the stored form: keys that stand beside others, of a recipient's outcome or of a rule that only watches."""
    first: Json = {
        "window_s": demands.window.total_seconds(),
        "firm_s": demands.firm.total_seconds(),
        "form": FORM_WORDS[demands.form],
        "hide_internal": demands.hide_internal,
        "tags": sorted(demands.tags),
    }
    if more := _more_json(demands):
        first["more"] = more
    return first


def _more_json(demands: Demands) -> Json:
    """Return what later versions added for a recipient, without what is empty: all of it, in nearly every mail."""
    if not (
        demands.confirm
        or demands.approvals
        or demands.drop
        or demands.reasoned
        or demands.routes
        or demands.disclaimers
        or demands.protections
    ):
        return {}
    more: Json = {
        "reasoned_s": demands.reasoned.total_seconds(),
        "confirm": [_confirmation_json(each) for each in sorted(demands.confirm)],
        "approvals": [_approval_json(each) for each in sorted(demands.approvals)],
        "drop": demands.drop,
        "routes": sorted(demands.routes),
        "disclaimers": sorted(demands.disclaimers),
        "protections": [protection_json(each) for each in sorted(demands.protections)],
    }
    return {key: value for key, value in more.items() if value}


def demands_from(data: Json) -> Demands:
    """Rebuild demands from among other keys; raises KeyError or ValueError on what no version of this code wrote."""
    more = data.get("more", {})
    return Demands(
        window=timedelta(seconds=data["window_s"]),
        firm=timedelta(seconds=data["firm_s"]),
        form=Form[data["form"].upper()],
        hide_internal=data["hide_internal"],
        tags=frozenset((name, value) for name, value in data["tags"]),
        reasoned=timedelta(seconds=more.get("reasoned_s", 0)),
        confirm=frozenset(_confirmation_from(each) for each in more.get("confirm", ())),
        approvals=frozenset(_approval_from(each) for each in more.get("approvals", ())),
        drop=more.get("drop", False),
        routes=frozenset(more.get("routes", ())),
        disclaimers=frozenset(more.get("disclaimers", ())),
        protections=frozenset(protection_from(each) for each in more.get("protections", ())),
    )


def _confirmation_json(confirmation: Confirmation) -> Json:
    return {
        "rule": confirmation.rule,
        "items": confirmation.items,
        "within_s": confirmation.within.total_seconds(),
        "otherwise": confirmation.otherwise,
        **_reminders_json(confirmation.remind),
    }


def _confirmation_from(data: Json) -> Confirmation:
    within = timedelta(seconds=data["within_s"])
    return Confirmation(data["rule"], data["items"], within, data["otherwise"], _reminders_from(data))


def _approval_json(approval: Approval) -> Json:
    return {
        "rule": approval.rule,
        "name": approval.name,
        "at_least": approval.at_least,
        "within_s": approval.within.total_seconds(),
        "otherwise": approval.otherwise,
        "steps": [
            [step.after.total_seconds(), [approver_json(each) for each in step.approvers]]
            for step in approval.steps
        ],
        **_reminders_json(approval.remind),
    }


def _approval_from(data: Json) -> Approval:
    return Approval(
        rule=data["rule"],
        name=data["name"],
        at_least=data["at_least"],
        within=timedelta(seconds=data["within_s"]),
        otherwise=data["otherwise"],
        steps=tuple(
            Step(timedelta(seconds=after), tuple(approver_from(*each) for each in approvers))
            for after, approvers in data["steps"]
        ),
        remind=_reminders_from(data),
    )


def _reminders_json(remind: tuple[timedelta, ...]) -> Json:
    """Return the key that the version before does not know, where there is something to say: it reminds nobody."""
    return {"remind_s": [span.total_seconds() for span in remind]} if remind else {}


def _reminders_from(data: Json) -> tuple[timedelta, ...]:
    return tuple([timedelta(seconds=span) for span in data.get("remind_s", ())])
