"""The condition on a file that is sent with its password by one and the same way (PPAP): in one mail, or in two.

Who reads the one mail reads the other. What is one mail's is in its content; for two, it was looked up how long ago the same
sender handed in the other half for one of the same external people (message/evidence.py, Halves).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Annotated, Literal

from pydantic import AfterValidator

from gateway.message.evidence import HALVES_KEPT, Halves
from gateway.message.halves import holds_both, holds_file, tells_password
from gateway.policy import values
from gateway.policy.conditions.certainty import all_of, any_of
from gateway.policy.conditions.context import Context, Need, Test
from gateway.policy.mail import Mail
from gateway.policy.parts import Part, Short, told
from gateway.yaml_source import Hinted

How = Literal["same-mail", "following", "preceding", "any"]
EVERY_HOW = ("same-mail", "following", "preceding")
Hows = Annotated[tuple[How, ...], values.OneOrMany, values.words_schema(How)]
Answer = Callable[[Mail, float], bool | None]


def _within(window: timedelta) -> timedelta:
    if window > HALVES_KEPT:
        raise Hinted(
            f"earlier mail is known for {HALVES_KEPT.days} days", f"write at most {HALVES_KEPT.days}d"
        )
    return window


class Ppap(Short):
    """A file and its password by the same way; `ppap: any` is short for `{how: any}`."""

    short = "how"

    how: Hows = told(
        "`same-mail`: 暗号化ファイルとパスワードが同じメールにある。`following`: 先のメールの添付のパスワードがこのメールに。"
        "`preceding`: パスワードが先、暗号化ファイルがこのメール。`any`: すべて。いずれか",
        "`same-mail`: an encrypted file and a password in one mail; `following`: this mail tells a password, and an encrypted "
        "file went before; `preceding`: the password went before, and this mail has the file; `any`: all of these; OR",
        ...,
    )
    within: Annotated[values.Window, AfterValidator(_within)] = told(
        "2通の間の時間。既定は24h、最長7d(`following` と `preceding`)",
        "how far apart two mails may be; 24h if it is not said, 7d at most (`following`, `preceding`)",
        timedelta(hours=24),
    )
    certain: values.Flag = told(
        "`true`: 読めない添付や調べられなかったことは該当としない",
        "`true`: what could not be read or looked up does not count",
        False,
    )

    @property
    def hows(self) -> frozenset[str]:
        """Return what is asked for, with `any` spelled out."""
        return frozenset(EVERY_HOW if "any" in self.how else self.how)


class PpapKeys(Part):
    """The key that asks for both halves of a hand-made PPAP."""

    ppap: Ppap | None = told(
        "手作りのPPAP: 暗号化した添付と、そのパスワードを同じ経路で送る。1通でも2通でも(同じ差出人から、同じ外部の宛先へ)。"
        "パスワードは添付ファイルで実際に試します",
        "a file and its password by the same way, in one mail or in two by the same sender to one of the same external "
        "people; a password in the mail is tried on the file itself",
    )


def needs(keys: PpapKeys) -> Need:
    """Return what has to be looked up: the content, and earlier mail where two mails are asked for."""
    if keys.ppap is None:
        return Need.NOTHING
    return Need.CONTENT | (Need.HALVES if keys.ppap.hows - {"same-mail"} else Need.NOTHING)


def tests(keys: PpapKeys, _context: Context, in_doubt: bool) -> Iterator[Test]:
    """Yield the test, where it is asked for."""
    if keys.ppap is not None:
        yield _ppap(keys.ppap, in_doubt and not keys.ppap.certain, in_doubt)


def _ppap(asked: Ppap, doubt_fits: bool, in_doubt: bool) -> Test:
    answers = [_ANSWERS[how] for how in EVERY_HOW if how in asked.hows]
    seconds = asked.within.total_seconds()

    def test(mail: Mail) -> bool:
        if mail.facts.unclear and not in_doubt:
            return False
        found = any_of(answer(mail, seconds) for answer in answers)
        return doubt_fits if found is None else found

    return test


def _same_mail(mail: Mail, _seconds: float) -> bool | None:
    return holds_both(mail.facts.evidence.content, len(mail.facts.attachments))


def _following(mail: Mail, seconds: float) -> bool | None:
    halves = mail.facts.evidence.halves
    return all_of([tells_password(mail.facts.evidence.content), _file_before(halves, seconds)])


def _preceding(mail: Mail, seconds: float) -> bool | None:
    halves = mail.facts.evidence.halves
    before = None if halves is None else _recent(halves.password, seconds)
    return all_of([holds_file(mail.facts.evidence.content, len(mail.facts.attachments)), before])


def _file_before(halves: Halves | None, seconds: float) -> bool | None:
    if halves is None:
        return None
    return _recent(halves.file, seconds) or (None if _recent(halves.perhaps_file, seconds) else False)


def _recent(ago: int | None, seconds: float) -> bool:
    return ago is not None and ago <= seconds


_ANSWERS: dict[str, Answer] = {
    "same-mail": _same_mail,
    "following": _following,
    "preceding": _preceding,
}
