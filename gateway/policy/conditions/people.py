"""Conditions on who writes to whom: sender, groups of senders, recipients, circles."""

from __future__ import annotations

from collections.abc import Iterator

from gateway.policy import values
from gateway.policy.conditions.context import Context, Test
from gateway.policy.mail import Mail
from gateway.policy.parts import Part, told
from gateway.policy.people import People


class PeopleKeys(Part):
    """Keys that ask for people."""

    sender: values.PeoplePatterns | None = told(
        "差出人(エンベロープまたは From)がこの人。`unless` では、差出人すべてがこの人",
        "the envelope's sender or an author (From) is one of these people. In `unless`: the envelope's sender and every "
        "author are",
    )
    sender_in: values.Names | None = told(
        "同じことを、グループの人について",
        "the same, for the people of a group, or of one of several groups",
    )
    recipient: values.PeoplePatterns | None = told(
        "宛先の一人がこの人。`unless` では、外部の人すべてがこの人",
        "one of the recipients is one of these people. In `unless`: everybody outside, in the envelope and in the header "
        "section, is",
    )
    circle: values.Names | None = told(
        "外部の人がいて、その全員がこのサークルの人",
        "there is somebody outside, and all of them, in the envelope and in the header section, are of this circle (or "
        "all of one of several circles)",
    )


def tests(keys: PeopleKeys, context: Context, in_doubt: bool) -> Iterator[Test]:
    """Yield a test per key."""
    if keys.sender is not None:
        yield _sender(People(keys.sender), in_doubt)
    if keys.sender_in is not None:
        yield _sender(People([p for name in keys.sender_in for p in context.senders[name]]), in_doubt)
    if keys.recipient is not None:
        yield _recipient(People(keys.recipient), in_doubt)
    if keys.circle is not None:
        yield _circle([context.circles[name] for name in keys.circle], in_doubt)


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
