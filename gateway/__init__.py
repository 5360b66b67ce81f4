"""Sekisho (関所): a mail gateway that stops misaddressed outbound mail.

The folders follow one message's way: receive, message, evidence, policy, transform, spool, release, delivery.
docs/flow.md walks it.
"""

__version__ = "0.1.0"
