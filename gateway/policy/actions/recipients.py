"""`recipients`: how the recipients of a copy are shown."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from gateway.policy.actions.ask import Ask, Whom
from gateway.policy.conditions.context import Context
from gateway.policy.demands import Demands, Form
from gateway.policy.parts import Part, Short, told

_FORMS = {"bcc": Form.BCC, "individual": Form.INDIVIDUAL}


class Recipients(Short):
    """How the recipients of a copy are shown."""

    short = "form"

    form: Literal["bcc", "individual"] = told(
        "`bcc`: 全員に同じ一通、To は `to_line`。`individual`(個別送信): 一人に一通、To は本人",
        "`bcc`: one copy for all, with `to_line` in To. `individual` (個別送信): a copy each, with the recipient's own "
        "address in To",
        ...,
    )
    internal: Literal["hide", "keep"] = told(
        "内部のアドレスも隠すか: `hide`(既定)、`keep`",
        "whether a hidden copy also hides internal addresses: `hide` (default) or `keep`",
        "hide",
    )
    for_: Whom = told(
        "だれの控えを隠すか: `external`(既定。内部の宛先には元のヘッダー)、`all`、`matching`",
        "whose copies hide: `external` (default; internal recipients get the original header section), `all` or `matching`",
        "external",
        "for",
    )


class RecipientKeys(Part):
    """The key that hides recipients."""

    recipients: Recipients | None = told("宛先を互いに隠す", "the recipients are hidden from one another")


def asks(keys: RecipientKeys, _rule: str, _context: Context) -> Iterator[Ask]:
    """Yield the form."""
    if keys.recipients is None:
        return
    hide_internal = keys.recipients.internal == "hide"
    form = _FORMS[keys.recipients.form]
    yield Ask(keys.recipients.for_, Demands(form=form, hide_internal=hide_internal))
