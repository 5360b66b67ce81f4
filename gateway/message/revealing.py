"""Which header fields show other people's addresses, and which of them never leave.

Names are lower-case. A hiding copy rewrites or drops every RECIPIENT field; of the REPLY fields it keeps
those that name only the author or internal people. The lists come from what MTAs, mailing lists and clients
write (RFC 5322 3.6, RFC 822, RFC 3798, Postfix, Exim, sendmail, qmail, Odoo); a field missing here can leak,
one too many costs a decoration.
"""

from __future__ import annotations

from collections.abc import Iterable

from gateway.message.header import Field

ALWAYS_DROPPED = frozenset(
    {
        "bcc",
        "blind-carbon-copy",
        "blind-copy-to",
        "blindcopyto",
        "content-length",
        "original-bcc",
        "resent-bcc",
        "return-path",
        "x-bcc",
        "x-blind-copy-to",
        "x-odoo-bcc",
        "x-original-bcc",
        "x-resent-bcc",
    }
)
"""In no copy that leaves, hiding or not: blind copies, and what only final delivery may write (Postfix drops the same)."""

RECIPIENT_FIELDS = frozenset(
    {
        "to",
        "cc",
        "resent-to",
        "resent-cc",
        "apparently-to",
        "x-apparently-to",
        "x-to",
        "x-cc",
        "x-resent-to",
        "x-resent-cc",
        "carbon-copy",
        "copy-to",
        "copyto",
        "sendto",
        "x-original-to",
        "x-original-cc",
        "x-originally-to",
        "original-to",
        "original-cc",
        "original-recipient",
        "x-original-recipient",
        "final-recipient",
        "delivered-to",
        "x-delivered-to",
        "x-final-delivered-to",
        "envelope-to",
        "x-envelope-to",
        "x-real-to",
        "x-rcpt-to",
        "rcpt-to",
        "x-smtp-rcpt-to",
        "x-receiver",
        "x-recipient",
        "x-recipients",
        "x-actual-recipients",
        "x-forwarded-to",
        "x-forwarded-for",
        "x-gm-original-to",
        "x-failed-recipients",
        "x-ms-exchange-organization-recipients",
        "x-mailing-list-recipients",
        "x-yahoo-forwarded",
        "x-zohomail-recipients",
        "thread-to",
        "x400-recipients",
        "redirected-to",
        "x-google-original-to",
        "x-mdrcpt-to",
        "x-mdaemon-deliver-to",
        "x-sympa-to",
        "x-smtpapi",
        "x-mailgun-recipient-variables",
    },
) | (ALWAYS_DROPPED - {"content-length", "return-path"})
"""Fields that name recipients: always rewritten (To) or dropped (all others) in a hiding copy."""

REPLY_FIELDS = frozenset(
    {
        "reply-to",
        "resent-reply-to",
        "x-reply-to",
        "mail-reply-to",
        "x-mail-reply-to",
        "mail-followup-to",
        "x-mail-followup-to",
        "followup-to",
        "mail-copies-to",
        "disposition-notification-to",
        "x-confirm-reading-to",
        "return-receipt-to",
        "read-receipt-to",
        "x-pmrqc",
        "registered-mail-reply-requested-by",
        "generate-delivery-report",
        "errors-to",
        "x-errors-to",
        "x-bounce-to",
        "abuse-reports-to",
        "x-report-abuse-to",
    },
)
"""Fields that name who gets answers and receipts: kept in a hiding copy only if they name the author or internal people."""

STRUCTURE_FIELDS = frozenset(
    {
        "authentication-results",
        "date",
        "dkim-signature",
        "in-reply-to",
        "message-id",
        "mime-version",
        "received",
        "references",
    }
)
"""Fields that name hosts and mails and rightly hold foreign addresses or ids; those with STRUCTURE_PREFIXES do too."""

STRUCTURE_PREFIXES = ("arc-", "content-", "list-")

AUTHOR_FIELDS = frozenset({"from", "sender", "resent-from", "resent-sender"})
"""Fields that name who wrote or sent the mail."""

REVEALING_FIELDS = RECIPIENT_FIELDS | REPLY_FIELDS
"""Everything counted as visible."""


_OF_KNOWN_MEANING = REVEALING_FIELDS | STRUCTURE_FIELDS | AUTHOR_FIELDS | ALWAYS_DROPPED | {"", "subject"}


def unknown(fields: Iterable[Field]) -> list[Field]:
    """Return the fields of which nobody knows what they mean: they may name recipients, as whatever wrote them likes."""
    unsaid = [field for field in fields if field.name not in _OF_KNOWN_MEANING]
    return [field for field in unsaid if not field.name.startswith(STRUCTURE_PREFIXES)]


def is_revealing(field: Field) -> bool:
    """Tell whether a field is read for visible addresses: a revealing name, or a line that is no field."""
    return not field.name or field.name in REVEALING_FIELDS


def revealing(fields: Iterable[Field]) -> tuple[Field, ...]:
    """Return the fields that are read for visible addresses, in order."""
    return tuple([field for field in fields if not field.name or field.name in REVEALING_FIELDS])
