"""`sekisho held approve` and `reject`: an administrator acts for an approver who is absent, and the log says who did.

An approval can never be waived, so there is no verb for that: somebody's word is entered, and counts as theirs, once.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from gateway.cli.place import find_place, place_options
from gateway.cli.printable import printable
from gateway.cli.with_spool import who, with_spool
from gateway.clock import utc_now
from gateway.languages import shown
from gateway.log import escaped
from gateway.message.address import AddressError, parse_path
from gateway.policy.demands import Approval, Confirmation
from gateway.policy.handling import Missing
from gateway.spool.second_look import COMMENT, WAY, Look, Said
from gateway.spool.sql import SqlSpool
from gateway.spool.values import Actor, Consented, Stored
from gateway.waiting import held_by, open_looks

_ANSWERS = {
    Said.AGAIN: "this person approved it before, and counts once",
    Said.OVER: "too late: nothing waits for this decision any more",
    Said.NOT_ASKED: "this person is not among those who may decide now",
    Said.OWN_MAIL: "this is the sender: nobody approves a mail of their own",
}


def _verb(name: str, summary: str, done: str) -> click.Command:
    """Make the command of one verb: approve and reject differ in nothing but the verb."""

    def act(
        state: Path | None, config: Path | None, queue_id: str, person: str, comment: str, as_json: bool
    ) -> None:
        key = _key(person)
        answer = with_spool(
            find_place(state, config), lambda spool: _act(spool, name, queue_id, key, comment)
        )
        _tell(queue_id, key, answer, done, as_json)
        sys.exit(0 if answer.said is Said.COUNTED else 1)

    act = click.option("--json", "as_json", is_flag=True, help="Print JSON.")(act)
    act = click.option(
        "--comment",
        default="",
        metavar="TEXT",
        help=f"Why; the sender sees it. At most {COMMENT} characters.",
    )(act)
    act = click.option(
        "--as", "person", required=True, metavar="ADDRESS", help="The approver for whom you act."
    )(act)
    act = place_options(click.argument("queue_id")(act))
    return click.command(name=name, help=summary)(act)


approve = _verb("approve", "Enter the consent of an approver who is absent.", "approved")
reject = _verb("reject", "Enter the refusal of an approver who is absent: it is not sent.", "rejected")


async def _act(spool: SqlSpool, name: str, queue_id: str, person: str, comment: str) -> Consented:
    verb = spool.consents.approve if name == "approve" else spool.consents.reject
    return await verb(queue_id, None, person, Actor("admin", who()), comment, utc_now())


def _key(person: str) -> str:
    try:
        return parse_path(person).key
    except AddressError as error:
        raise click.UsageError(printable(f"not a mail address: {person} ({error})")) from None


def _tell(queue_id: str, person: str, answer: Consented, done: str, as_json: bool) -> None:
    if as_json:
        told = {
            "queue_id": queue_id,
            "as": person,
            "said": answer.said.value,
            "done": list(answer.change.done),
            "missing": answer.missing,
        }
        click.echo(escaped(json.dumps(told, ensure_ascii=False)))
        return
    if answer.said is not Said.COUNTED:
        click.echo(f"not done: {_ANSWERS[answer.said]}")
        return
    more = f"; {answer.missing} more needed" if answer.missing else ""
    click.echo(printable(f"{done} for {person}{more}; {len(answer.change.done)} recipients concerned"))


def needs_of(message: Stored) -> list[str]:
    """Return a line for each thing that a mail still waits for."""
    return [printable(f"  waits for {_need(message, look)}") for look in open_looks(message)]


def needs_json(message: Stored) -> list[dict[str, object]]:
    """Return the same for programs."""
    return [
        {
            "rule": look.demand.rule,
            "kind": _kind(look),
            "who": list(dict.fromkeys(each.address for each in look.approvers())),
            "approved": [each.person for each in look.consents],
            "missing": look.missing,
            "recipients": held_by(message, look),
            "until": look.deadline.isoformat(),
            "otherwise": look.demand.otherwise,
            **({"missing_what": look.demand.what} if isinstance(look.demand, Missing) else {}),
        }
        for look in open_looks(message)
    ]


def _kind(look: Look) -> str:
    if isinstance(look.demand, Missing):
        return "missing"
    return "approval" if isinstance(look.demand, Approval) else "confirmation"


def _missing(missing: Missing) -> str:
    if missing.what == WAY:
        return f"the sender to say how the key gets there ({', '.join(missing.ways) or 'no way is allowed'})"
    return f"nobody: its files cannot be protected ({missing.what}); cancel it"


def _need(message: Stored, look: Look) -> str:
    until = look.deadline.astimezone().isoformat(timespec="seconds")
    then = f"until {until}, then {look.demand.otherwise} ({look.demand.rule})"
    if isinstance(look.demand, Missing):
        return f"{_missing(look.demand)}, {then}"
    if isinstance(look.demand, Confirmation):
        return f"the sender to confirm {look.demand.items}, {then}"
    names = ", ".join(dict.fromkeys(shown(each.address, 320) for each in look.approvers()))
    given = f", approved: {', '.join(each.person for each in look.consents)}" if look.consents else ""
    return f"{look.missing} approval by {names or 'nobody who may'}{given}, {then}"
