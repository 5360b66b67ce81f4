"""Conditions on the domains outside: how many, which kind, what the DNS says of them, whom they look like."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Annotated, Any, Literal, Self

from pydantic import model_validator

from gateway.detect.free_mail import provider
from gateway.policy import values
from gateway.policy.bounds import Range, check_range
from gateway.policy.conditions.certainty import Counted, any_of, asked, count, in_range
from gateway.policy.conditions.context import Context, Need, Test
from gateway.policy.mail import Mail
from gateway.policy.parts import Part, shorthand, told

ProviderKind = Literal["free", "carrier", "isp"]
DomainState = Literal["no-mail", "null-mx", "missing"]

ProviderKinds = Annotated[tuple[ProviderKind, ...], values.OneOrMany, values.words_schema(ProviderKind)]
DomainStates = Annotated[tuple[DomainState, ...], values.OneOrMany, values.words_schema(DomainState)]


class FreeMail(Part):
    """How many recipients have an address where anybody can have one."""

    model_config = shorthand({"const": True})

    at_least: values.Count | None = told("この数以上", "this many or more")
    at_most: values.Count | None = told("この数以下", "this many or fewer")
    of: ProviderKinds = told(
        "種類: `free`(フリーメール、既定)、`carrier`(携帯キャリア)、`isp`(プロバイダー)。いずれか",
        "of which kind: `free` (if not said), `carrier` (docomo, au, SoftBank, ...), `isp` (nifty, OCN, ...); OR",
        ("free",),
    )

    @model_validator(mode="before")
    @classmethod
    def _true(cls, value: Any) -> Any:
        return {"at_least": 1} if value is True else value

    @model_validator(mode="after")
    def _possible(self) -> Self:
        if self.at_least is not None or self.at_most is not None:
            check_range(self.at_least, self.at_most)
        return self


class DomainKeys(Part):
    """Keys that ask for domains."""

    external_domains: Range | None = told(
        "外部の宛先のドメインの数",
        "the number of different domains of the external recipients lies in the range",
    )
    free_mail: FreeMail | None = told(
        "フリーメールの宛先の数。`true` は1以上",
        "the number of external recipients with free mail; `true`: one or more",
    )
    bcc_only_external: values.Flag | None = told(
        "`true`: To・Cc は内部だけで、Bcc に外部の人がいる",
        "`true`: To and Cc name people inside and nobody outside, and somebody outside gets it by Bcc",
    )
    domain_state: DomainStates | None = told(
        "外部のドメインの DNS: `no-mail`(MX もアドレスもない)、`null-mx`(メールを受けない)、`missing`(存在しない)。いずれか",
        "what the DNS says of an external domain: `no-mail` (neither MX nor address), `null-mx` (takes no mail, RFC 7505), "
        "`missing` (does not exist); OR",
    )
    look_alike: values.Flag | None = told(
        "`true`: 知られたドメインに似た外部ドメイン(打ち間違い・紛らわしい文字)",
        "`true`: an external domain that is not known looks like one that is: mistyped, another ending, confusable characters",
    )


def tests(keys: DomainKeys, _context: Context, in_doubt: bool) -> Iterator[Test]:
    """Yield a test per key."""
    if keys.external_domains is not None:
        yield in_range(keys.external_domains.at_least, keys.external_domains.at_most, _domains, in_doubt)
    if keys.free_mail is not None:
        yield _free_mail(keys.free_mail, in_doubt)
    if keys.bcc_only_external is not None:
        yield asked(keys.bcc_only_external, _bcc_only, in_doubt)
    if keys.domain_state is not None:
        yield asked(True, partial(_state, frozenset(keys.domain_state)), in_doubt)
    if keys.look_alike is not None:
        yield asked(keys.look_alike, _look_alike, in_doubt)


def needs(keys: DomainKeys) -> Need:
    """Return what has to be looked up."""
    states = Need.DOMAINS if keys.domain_state is not None else Need.NOTHING
    return states | (Need.LOOK_ALIKES if keys.look_alike is not None else Need.NOTHING)


def _domains(mail: Mail) -> Counted:
    number = len(set(mail.external_domains()))
    return Counted(number, number)


def _free_mail(wanted: FreeMail, in_doubt: bool) -> Test:
    kinds = frozenset(wanted.of)
    bounded = wanted.at_least is not None or wanted.at_most is not None

    def counted(mail: Mail) -> Counted:
        return count(
            None if address.ambiguous else provider(address.domain) in kinds
            for address in mail.external_recipients()
        )

    return in_range(wanted.at_least if bounded else 1, wanted.at_most, counted, in_doubt)


def _bcc_only(mail: Mail) -> bool | None:
    blind = mail.facts.blind
    if mail.external_count == 0 or any(address.key not in blind for address in mail.visible_external):
        return False
    inside = any(not mail.is_external(a) and a.key not in blind for a in mail.facts.visible)
    return inside if mail.facts.confident else None


def _state(wanted: frozenset[str], mail: Mail) -> bool | None:
    states = mail.facts.evidence.domains
    return any_of(
        None if states is None or states.get(domain, "unknown") == "unknown" else states[domain] in wanted
        for domain in mail.external_domains()
        if not domain.startswith("[")
    )


def _look_alike(mail: Mail) -> bool | None:
    found = mail.facts.evidence.look_alikes
    if found is None:
        return None if mail.external_count else False
    return any(domain in found for domain in mail.external_domains())
