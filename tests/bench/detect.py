"""`make bench-detect`, `python -m tests.bench.detect`: how well each detector tells, and how fast it does.

Precision and recall on the sets that were written for the detectors (tests/detect), what they are known to get wrong
included: a text counts as found where something is found in it. Speed on a long plain text, and on the worst text that was
found for it, at one length and at four times that: linear is four.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from functools import partial
from typing import NamedTuple, TypeVar

from gateway.detect.attached import speaks_of_attachment
from gateway.detect.findings import findings
from gateway.detect.kinds import kind_of
from gateway.detect.look_alike import KnownDomains, resembles
from gateway.detect.passwords import password_of
from gateway.detect.plain import folded
from gateway.detect.salutation import greets_somebody_else
from gateway.policy.text_match import Folded, fold, pattern
from tests.detect import attached_texts, domain_names, ppap_texts
from tests.detect.files import DISGUISED, FILES
from tests.detect.letters import LETTERS
from tests.detect.sets import DETECTORS

T = TypeVar("T")

LENGTH = 50_000  # characters of the shorter text
WORST = (
    "1 ",
    "T-1 ",
    "0(",
    "東京都区",
    "パスワード(",
    "a@a.",
    "名,",
    "|",
    "添付",
    "ー1",
    "佐藤様\n",
    "123-",
    "PW:a1 ",
    "パスワードです\n",
)
PLAIN = (
    "お世話になっております。明日の会議は10時から第3会議室で行います。\n"
    "資料は当日お渡しします。よろしくお願いいたします。\n"
)
PATTERNS = ("社外秘", r"第\d{1,5}号", r"(\w+)@(\w+)\.(\w+)$", r"(x+x+)+y", "a[ab]{40}c")


class Told(NamedTuple):
    """How many a set holds, and how often the detector was right."""

    name: str
    positives: int
    negatives: int
    found: int
    wrongly: int

    @property
    def precision(self) -> float:
        return self.found / max(self.found + self.wrongly, 1)

    @property
    def recall(self) -> float:
        return self.found / max(self.positives, 1)


def told() -> list[Told]:
    """Return the figures of every detector."""
    rows = [
        _row(name, [(text.count > 0, detector(folded(text.text)) > 0) for text in texts])
        for name, (detector, texts) in DETECTORS.items()
    ]
    return [*rows, _passwords_of_files(), _greetings(), _attached(), _look_alikes(), _kinds()]


def _row(name: str, pairs: Iterable[tuple[bool, bool]]) -> Told:
    """Count pairs of what is there and what was told."""
    pairs = list(pairs)
    return Told(
        name,
        positives=sum(there for there, _ in pairs),
        negatives=sum(not there for there, _ in pairs),
        found=sum(there and found for there, found in pairs),
        wrongly=sum(found and not there for there, found in pairs),
    )


def _passwords_of_files() -> Told:
    """Count mails that tell the password of a file, among others that speak of passwords."""
    texts = [*ppap_texts.CARRY, *ppap_texts.DO_NOT_CARRY]
    pairs = [(text.count > 0, tells_file_password(text.text)) for text in texts]
    return _row("password-of-a-file", pairs)


def tells_file_password(text: str) -> bool:
    """Tell whether a mail, its subject on the first line, tells a password that may be of a file."""
    subject, _, body = folded(text).partition("\n")
    return password_of(subject, body) in ("file", "unsaid")


def _greetings() -> Told:
    pairs = [(one.wrong, greets_somebody_else(folded(one.text), one.to, one.names)) for one in LETTERS]
    return _row("greets-other", pairs)


def _attached() -> Told:
    speak = (*attached_texts.SPEAK, *attached_texts.MISSED)
    others = (*attached_texts.DO_NOT_SPEAK, *attached_texts.MISTAKEN)
    pairs = [(text in speak, speaks_of_attachment(folded(text))) for text in (*speak, *others)]
    return _row("speaks-of-attachment", pairs)


def _look_alikes() -> Told:
    index = KnownDomains(domain_names.KNOWN)
    near = (*domain_names.RESEMBLE, *domain_names.MISSED)
    apart = (*domain_names.RESEMBLE_NOBODY, *domain_names.MISTAKEN)
    pairs = [(True, resembles(domain, index) == known) for domain, known in near]
    return _row("look-alike", [*pairs, *[(False, resembles(domain, index) is not None) for domain in apart]])


def _kinds() -> Told:
    """Count as negative what bears a name that does not tell the truth, or is of no kind."""
    pairs = [(True, kind_of(name, octets) == kind) for name, octets, kind in FILES]
    return _row(
        "kind", [*pairs, *[(False, kind_of(name, octets) != kind) for name, octets, kind in DISGUISED]]
    )


def speeds() -> list[tuple[str, float, float]]:
    """Return what is timed, milliseconds for a text of LENGTH, and how many times that a text four times as long takes."""
    texts = [
        _speed(f"all detectors, {piece[:6]!r} …", partial(_text, piece), findings)
        for piece in (PLAIN, *WORST)
    ]
    return [*texts, *[_speed(f"pattern {source}", _unmatched, pattern(source)) for source in PATTERNS]]


def _unmatched(length: int) -> Folded:
    return fold(_text("abba第12巻x社外", length))


def _text(piece: str, length: int) -> str:
    return (piece * (length // len(piece) + 1))[:length] + "1x"


def _speed(name: str, made: Callable[[int], T], run: Callable[[T], object]) -> tuple[str, float, float]:
    short, long = _seconds(run, made(LENGTH)), _seconds(run, made(4 * LENGTH))
    return name, short * 1e3, long / short


def _seconds(run: Callable[[T], object], text: T) -> float:
    """Return the best of three."""
    taken = []
    for _ in range(3):
        start = time.perf_counter()
        run(text)
        taken.append(time.perf_counter() - start)
    return min(taken)


def main() -> None:
    """Print both tables."""
    print("| detector | with | without | precision | recall |\n| --- | ---: | ---: | ---: | ---: |")
    for row in told():
        print(f"| {row.name} | {row.positives} | {row.negatives} | {row.precision:.2f} | {row.recall:.2f} |")
    print(f"\n| {LENGTH} characters of | ms | four times as long |\n| --- | ---: | ---: |")
    for name, milliseconds, times in speeds():
        print(f"| {name} | {milliseconds:.1f} | x {times:.1f} |")


if __name__ == "__main__":
    main()
