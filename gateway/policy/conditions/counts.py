"""Conditions that count: recipients inside and outside, addresses that can be seen, octets; and mail without a sender."""

from __future__ import annotations

from collections.abc import Iterator

from gateway.policy import values
from gateway.policy.bounds import Range, SizeRange, between
from gateway.policy.conditions.context import Context, Test
from gateway.policy.parts import Part, told


class CountKeys(Part):
    """Keys that count."""

    external: Range | None = told(
        "外部の宛先の数", "the number of external recipients of the envelope lies in the range"
    )
    internal: Range | None = told(
        "内部の宛先の数", "the number of internal recipients of the envelope lies in the range"
    )
    visible_external: Range | None = told(
        "ヘッダーに見えている外部アドレスの数。確実に読めない欄は、外部の宛先全員が見えるものとして数えます",
        "the number of different external addresses that the header section shows, in fields that name people and, where "
        "they are recipients of this mail, in fields nobody knows, lies in the range. If a field cannot be read with "
        "certainty, it may show everybody outside in the envelope, and is counted so",
    )
    size: SizeRange | None = told(
        "メール全体の大きさ", "the size of the whole mail lies in the range: `{at_least: 10MiB}`"
    )
    null_sender: values.Flag | None = told(
        "`true`: 差出人が空(`<>`)のメール。`false`: 差出人のあるメール",
        "`true`: the mail has no envelope sender (`<>`), as bounces have; `false`: it has one",
    )


def tests(keys: CountKeys, _context: Context, in_doubt: bool) -> Iterator[Test]:
    """Yield a test per key."""
    if keys.null_sender is not None:
        yield _null_sender(keys.null_sender)
    if keys.external is not None:
        external = between(keys.external.at_least, keys.external.at_most)
        yield lambda mail: external(mail.external_count)
    if keys.internal is not None:
        internal = between(keys.internal.at_least, keys.internal.at_most)
        yield lambda mail: internal(mail.internal_count)
    if keys.visible_external is not None:
        yield _visible(keys.visible_external, in_doubt)
    if keys.size is not None:
        yield _size(keys.size)


def _null_sender(wanted: bool) -> Test:
    return lambda mail: (mail.facts.envelope.sender is None) is wanted


def _size(bounds: SizeRange) -> Test:
    fits = between(bounds.at_least, bounds.at_most)
    return lambda mail: fits(mail.facts.size_bytes)


def _visible(bounds: Range, in_doubt: bool) -> Test:
    low, high = bounds.at_least or 0, bounds.at_most
    if in_doubt:
        return lambda mail: (
            mail.visible_at_most >= low and (high is None or len(mail.visible_external) <= high)
        )
    return lambda mail: (
        len(mail.visible_external) >= low
        and (high is None or (mail.facts.confident and len(mail.visible_external) <= high))
    )
