"""Numbers with a check digit: My Number (個人番号), corporate number (法人番号), payment cards.

One in ten or eleven numbers of the right length passes by chance: delivery slips, order numbers. So a number counts as
`certain` only where something else speaks for it: a word nearby, the way it is grouped, or a column in which nearly all pass.
The rest is `possible`. Check digits: 番号法 総務省令 article 5 (My Number); 法人番号の指定等に関する省令 article 2;
ISO/IEC 7812-1 annex B (Luhn).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from typing import NamedTuple

from gateway.values import dataclass

AROUND = 60  # characters before and after a number in which a word speaks for it or against it
JUST_BEFORE = 12  # characters before a number whose word for it beats all others
COLUMN = 3  # numbers of a column from which on their share says something
SHARE = 0.8  # of them that pass

_RUN = re.compile(r"[0-9]++(?:[ -][0-9]++)*+")
_APART = re.compile(r"[0-9]++(?:[ \v./・-]{1,3}[0-9]++)*+")
_INVOICE = re.compile(r"(?:^|[^0-9A-Za-z/._@=&?#-])T-?\Z")
_PART_BEFORE = re.compile(r"[0-9A-Za-z/._@=&?#-]-\Z|[0-9A-Za-z/._@=&?#]\Z")
_PART_AFTER = re.compile(r"[0-9A-Za-z/_@]|[.-][0-9A-Za-z]")
_DIGITS = re.compile("[0-9]+")
_PERSON = re.compile(r"マイナンバー|個人番号|特定個人情報|my ?number", re.IGNORECASE)
_COMPANY = re.compile(r"法人番号|登録番号|適格請求書|インボイス|corporate number", re.IGNORECASE)
_CARD = re.compile(r"カード|credit|visa|master|jcb|amex|american express|diners|card", re.IGNORECASE)
_SLIP = re.compile(
    r"伝票|追跡|送り状|お?問い?合わ?せ番号|注文|受付番号|受注|荷物|tracking|order", re.IGNORECASE
)
_SHAPES = frozenset({(12,), (4, 4, 4)})
_LOOSE = frozenset({*_SHAPES, (1,) * 12, (3,) * 4, (6, 6)})
_CARD_GROUPS = {(16,), (4, 4, 4, 4), (15,), (4, 6, 5), (14,), (4, 6, 4)}


@dataclass(frozen=True, slots=True)
class Numbers:
    """How many distinct numbers of a kind a text holds."""

    certain: int = 0
    possible: int = 0


class _Token(NamedTuple):
    """Digits that stand together: themselves, the lengths of their groups, what stands around and just before them."""

    digits: str
    groups: tuple[int, ...]
    invoice: bool
    around: str
    before: str


def my_numbers(text: str) -> Numbers:
    """Count My Numbers in a folded text."""
    seen = [token for token in _tokens(text, _SHAPES) if not token.invoice]
    passed = [token for token in seen if is_my_number(token.digits)]
    in_column = len(seen) >= COLUMN and len(passed) >= SHARE * len(seen)
    sure = [_is_personal(t) or (in_column and not _SLIP.search(t.around)) for t in passed]
    boxed = _boxed(text) if _PERSON.search(text) else []
    return _judged(passed + boxed, sure + [True] * len(boxed))


def _boxed(text: str) -> list[_Token]:
    """Return the My Numbers in the way of forms: a digit or four in a cell, dots between them, `マイナンバー=` before them.

    Such digits are also amounts and dates: only those with a word for it nearby count, or whole columns.
    """
    seen = [token for token in _tokens(text, _LOOSE, _APART, _PERSON) if not token.invoice]
    passed = [token for token in seen if is_my_number(token.digits)]
    in_column = len(seen) >= COLUMN and len(passed) >= SHARE * len(seen)
    return [t for t in passed if _is_personal(t) or (in_column and not _SLIP.search(t.around))]


def _is_personal(token: _Token) -> bool:
    """Tell whether a word for My Number stands nearby, and none for a slip or an order nearer."""
    return bool(_PERSON.search(token.around)) and not _SLIP.search(token.before)


def corporate_numbers(text: str) -> Numbers:
    """Count corporate numbers in a folded text, also those behind the T of an invoice issuer."""
    passed = [t for t in _tokens(text, ((13,), (1, 4, 4, 4))) if is_corporate_number(t.digits)]
    return _judged(passed, [t.invoice or bool(_COMPANY.search(t.around)) for t in passed])


def cards(text: str) -> Numbers:
    """Count payment card numbers in a folded text."""
    passed = [t for t in _tokens(text, _CARD_GROUPS) if not t.invoice and is_card(t.digits)]
    sure = [
        (len(t.groups) > 1 or bool(_CARD.search(t.around))) and not _SLIP.search(t.around) for t in passed
    ]
    return _judged(passed, sure)


def is_my_number(digits: str) -> bool:
    """Tell whether twelve digits have the check digit of a My Number."""
    weighed = sum(int(d) * (n + 1 if n <= 6 else n - 5) for n, d in enumerate(reversed(digits[:11]), 1))
    rest = weighed % 11
    return len(digits) == 12 and len(set(digits)) > 1 and int(digits[11]) == (0 if rest <= 1 else 11 - rest)


def is_corporate_number(digits: str) -> bool:
    """Tell whether thirteen digits have the check digit, their first, of a corporate number."""
    weighed = sum(int(d) * (1 if n % 2 else 2) for n, d in enumerate(reversed(digits[1:]), 1))
    return len(digits) == 13 and int(digits[0]) == 9 - weighed % 9


def is_card(digits: str) -> bool:
    """Tell whether digits are of the length, beginning and check digit of a card that is in use in Japan."""
    return _issued(digits) and _luhn(digits)


def _issued(digits: str) -> bool:
    two, four = int(digits[:2]), int(digits[:4])
    match len(digits):
        case 16:
            brand = digits[0] == "4" or 51 <= two <= 55 or 2221 <= four <= 2720 or 3528 <= four <= 3589
            return brand or four == 6011 or two == 65
        case 15:
            return two in (34, 37)
        case 14:
            return two in (30, 36, 38, 39)
        case _:
            return False


def _luhn(digits: str) -> bool:
    doubled = [int(d) * 2 for d in digits[-2::-2]]
    return (sum(map(int, digits[-1::-2])) + sum(n - 9 if n > 9 else n for n in doubled)) % 10 == 0


def _tokens(
    text: str,
    shapes: Collection[tuple[int, ...]],
    runs: re.Pattern[str] = _RUN,
    word: re.Pattern[str] | None = None,
) -> Iterator[_Token]:
    """Yield what has one of these shapes: no shape is looked for inside a longer one of equal groups.

    What a `word` stands just before is a number of its own, whatever sign is between them.
    """
    by_first, fewest = _by_first(shapes), min(map(sum, shapes))
    for run in runs.finditer(text):
        if run.end() - run.start() < fewest:  # house numbers, dates and counts: nearly all digits of a table
            continue
        before = text[max(0, run.start() - 3) : run.start()]
        invoice = _INVOICE.search(before) is not None
        named = word is not None and word.search(text, max(0, run.start() - JUST_BEFORE), run.start())
        parts = _whole(text, run, invoice or bool(named) or not _PART_BEFORE.search(before))
        lengths = [len(part[0]) for part in parts]
        at = 0
        while at < len(parts):
            size = _fitting(lengths, at, by_first.get(lengths[at], ()))
            if size:
                found = parts[at : at + size]
                around = text[max(0, found[0].start() - AROUND) : found[-1].end() + AROUND]
                yield _Token(
                    "".join(p[0] for p in found),
                    tuple(lengths[at : at + size]),
                    invoice and at == 0,
                    around,
                    text[max(0, found[0].start() - JUST_BEFORE) : found[0].start()],
                )
            at += max(size, 1)


def _whole(text: str, run: re.Match[str], begins: bool) -> list[re.Match[str]]:
    """Return the groups of a run without the first or last where it is part of a word, an address or a longer number."""
    parts = list(_DIGITS.finditer(text, run.start(), run.end()))
    ends = _PART_AFTER.match(text, run.end()) is None
    return parts[0 if begins else 1 : None if ends else -1]


def _by_first(shapes: Collection[tuple[int, ...]]) -> dict[int, list[tuple[int, ...]]]:
    """Return the shapes by the length of their first group, those of more groups first."""
    found: dict[int, list[tuple[int, ...]]] = {}
    for shape in sorted(shapes, key=len, reverse=True):
        found.setdefault(shape[0], []).append(shape)
    return found


def _fitting(lengths: list[int], at: int, shapes: Collection[tuple[int, ...]]) -> int:
    """Return of how many groups the first shape is that stands here, 0 where none does or it is part of a longer row."""
    for shape in shapes:
        size = len(shape)
        if tuple(lengths[at : at + size]) == shape:
            run = size > 1 and lengths[at] == lengths[at + 1]
            before = at > 0 and run and lengths[at - 1] == lengths[at]
            after = at + size < len(lengths) and run and lengths[at + size] == lengths[at + size - 1]
            return 0 if before or after else size
    return 0


def _judged(passed: list[_Token], sure: list[bool]) -> Numbers:
    certain = {token.digits for token, yes in zip(passed, sure, strict=True) if yes}
    return Numbers(len(certain), len({token.digits for token in passed} - certain))
