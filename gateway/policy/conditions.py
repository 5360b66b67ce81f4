"""Turn the `when` and `unless` of a rule into tests, once, when the policy is loaded.

Doubt goes to the strict side: what cannot be read with certainty fits a `when` that it may fit, and fits an `unless` only
where that is certain. `in_doubt` says which of the two is built. Tests are pure and total.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from gateway.message.facts import Attachment
from gateway.message.text import decode_header
from gateway.policy import schema
from gateway.policy.mail import Mail
from gateway.policy.people import People
from gateway.policy.text_match import contains, glob, pattern

MAX_FIELDS = 100  # fields of one name that a `header` condition reads; more are in doubt

Test = Callable[[Mail], bool]
Circles = Mapping[str, frozenset[str]]
Senders = Mapping[str, tuple[str, ...]]
NumberTest = Callable[[int], bool]


def build(condition: schema.Condition, circles: Circles, senders: Senders, *, in_doubt: bool) -> Test:
    """Return the test that all keys of the condition hold (AND)."""
    tests = tuple(_tests(condition, circles, senders, in_doubt))
    if len(tests) == 1:
        return tests[0]
    return lambda mail: all(test(mail) for test in tests)


def _tests(condition: schema.Condition, circles: Circles, senders: Senders, in_doubt: bool) -> Iterable[Test]:
    """Yield a test per key, cheap ones first."""
    yield from _counts(condition, in_doubt)
    if condition.size is not None:
        yield _size(condition.size)
    if condition.sender is not None:
        yield _sender(People(condition.sender), in_doubt)
    if condition.sender_in is not None:
        yield _sender(People([p for name in condition.sender_in for p in senders[name]]), in_doubt)
    if condition.recipient is not None:
        yield _recipient(People(condition.recipient), in_doubt)
    if condition.circle is not None:
        yield _circle([circles[name] for name in condition.circle], in_doubt)
    if condition.attachments is not None:
        yield _attachments(condition.attachments, in_doubt)
    if condition.subject is not None:
        yield _subject(condition.subject, in_doubt)
    for name, match in (condition.header or {}).items():
        yield _header(name, match, in_doubt)


def _counts(condition: schema.Condition, in_doubt: bool) -> Iterable[Test]:
    if condition.null_sender is not None:
        yield _null_sender(condition.null_sender)
    if condition.external is not None:
        external = _between(condition.external.at_least, condition.external.at_most)
        yield lambda mail: external(mail.external_count)
    if condition.internal is not None:
        internal = _between(condition.internal.at_least, condition.internal.at_most)
        yield lambda mail: internal(mail.internal_count)
    if condition.visible_external is not None:
        yield _visible(condition.visible_external, in_doubt)


def _between(at_least: int | None, at_most: int | None) -> NumberTest:
    low = at_least or 0
    if at_most is None:
        return lambda number: number >= low
    return lambda number: low <= number <= at_most


def _null_sender(wanted: bool) -> Test:
    return lambda mail: (mail.facts.envelope.sender is None) is wanted


def _size(bounds: schema.SizeRange) -> Test:
    fits = _between(bounds.at_least, bounds.at_most)
    return lambda mail: fits(mail.facts.size_bytes)


def _visible(bounds: schema.Range, in_doubt: bool) -> Test:
    low, high = bounds.at_least or 0, bounds.at_most
    if in_doubt:
        return lambda mail: (
            mail.visible_at_most >= low and (high is None or len(mail.visible_external) <= high)
        )
    return lambda mail: (
        len(mail.visible_external) >= low
        and (high is None or (mail.facts.confident and len(mail.visible_external) <= high))
    )


def _sender(people: People, in_doubt: bool) -> Test:
    def one_fits(mail: Mail) -> bool:
        envelope_sender = mail.facts.envelope.sender
        claimed = mail.facts.authors if envelope_sender is None else (envelope_sender, *mail.facts.authors)
        return any(people.include(address, in_doubt=True) for address in claimed)

    def all_fit(mail: Mail) -> bool:
        envelope_sender = mail.facts.envelope.sender
        claimed = (envelope_sender, *mail.facts.authors)
        return all(a is not None and people.include(a, in_doubt=False) for a in claimed)

    return one_fits if in_doubt else all_fit


def _recipient(people: People, in_doubt: bool) -> Test:
    def one_fits(mail: Mail) -> bool:
        return any(people.include(address, in_doubt=True) for address in mail.facts.envelope.recipients)

    def all_outsiders_fit(mail: Mail) -> bool:
        recipients = mail.facts.envelope.recipients
        return (
            mail.facts.confident
            and any(people.include(address, in_doubt=False) for address in recipients)
            and all(people.include(address, in_doubt=False) for address in mail.outsiders())
        )

    return one_fits if in_doubt else all_outsiders_fit


def _circle(circles: list[frozenset[str]], in_doubt: bool) -> Test:
    def test(mail: Mail) -> bool:
        outsiders = mail.outsiders()
        if not outsiders or not (
            in_doubt or (mail.facts.confident and not any(a.ambiguous for a in outsiders))
        ):
            return False
        keys = {address.key for address in outsiders}
        return any(keys <= circle for circle in circles)

    return test


def _attachments(asked: schema.Attachments, in_doubt: bool) -> Test:
    counted = _attachment(asked, in_doubt)
    bounded = asked.at_least is not None or asked.at_most is not None
    fits = _between(asked.at_least if bounded else 1, asked.at_most)

    def test(mail: Mail) -> bool:
        if mail.facts.unclear and not in_doubt:
            return False
        return fits(sum(counted(attachment) for attachment in mail.facts.attachments))

    return test


def _attachment(asked: schema.Attachments, in_doubt: bool) -> Callable[[Attachment], bool]:
    names = [glob(name) for name in asked.name or ()]
    size = _between(asked.size.at_least, asked.size.at_most) if asked.size is not None else None

    def counted(attachment: Attachment) -> bool:
        if size is not None and not size(attachment.size_bytes):
            return False
        return not names or any(_certain(name(attachment.name), in_doubt) for name in names)

    return counted


def _certain(fits: bool | None, in_doubt: bool) -> bool:
    return in_doubt if fits is None else fits


def _text(asked: schema.TextMatch, in_doubt: bool) -> Callable[[str], bool]:
    plain = [contains(text) for text in asked.contains or ()]
    patterns = [pattern(text) for text in asked.matches or ()]

    def test(text: str) -> bool:
        if plain and not any(_certain(fits(text), in_doubt) for fits in plain):
            return False
        return not patterns or any(_certain(fits(text), in_doubt) for fits in patterns)

    return test


def _subject(asked: schema.TextMatch, in_doubt: bool) -> Test:
    fits = _text(asked, in_doubt)
    return lambda mail: fits(mail.facts.subject)


def _header(name: str, asked: schema.TextMatch, in_doubt: bool) -> Test:
    fits = _text(asked, in_doubt)

    def test(mail: Mail) -> bool:
        fields = mail.facts.header.all(name)
        if in_doubt and len(fields) > MAX_FIELDS:
            return True
        return any(fits(decode_header(field.value)) for field in fields[:MAX_FIELDS])

    return test
