"""Rows of a table that are people: a column of names, and beside it what is told about them.

A table is a list of rows of cells, as a CSV, a sheet or lines of a mail with tabs or commas give them. Columns are known by
their heading, or, without one, by what their cells look like.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

MAX_ROWS = 100_000
HEADING_ROWS = 10  # a title and remarks may stand above the headings
MAX_COLUMNS = 256  # of a row that are looked at
SAMPLE = 50  # rows that tell what a column without a heading is
SHARE = 0.6  # of them that have to look like it

Table = Sequence[Sequence[str]]

_NAME = re.compile(
    r"^(?:お?名前|氏 ?名|姓|名|フリガナ|ふりがな|カナ|保護者|児童|生徒|園児|会員|参加者|受講者|申込者|利用者|世帯主"
    r"|name|full ?name)(?:氏?名|名前)?(?:\(.{1,8}\))?$",
    re.IGNORECASE,
)
_ABOUT = re.compile(
    r"^(?:ご?住所|現住所|所在地|〒|郵便番号|電話|携帯|tel|phone|fax|連絡先|緊急連絡先|メール|e-?mail|mail|生年月日|誕生日|年齢|性別|学年|クラス|組|学校|勤務先|"
    r"職業|世帯|口座|銀行|保険|被保険者|障害|病歴|アレルギー|個人番号|マイナンバー|address|birth|age|gender)",
    re.IGNORECASE,
)
_LOOKS = {
    "about": re.compile(
        r"^(?:〒?[0-9]{3}-?[0-9]{4}|0[0-9]{1,4}-?[0-9]{1,4}-?[0-9]{3,4}|[^\s@]{1,64}@[^\s@]{3,255}"
        r"|(?:19|20)[0-9]{2}[/.年-][0-9]{1,2}[/.月-][0-9]{1,2}日?|[明大昭平令MTSHR][0-9]{1,2}[./年][0-9]{1,2}[./月][0-9]{1,2}日?"
        r"|.{2,12}[都道府県市区町村].{2,60}[0-9].{0,40}|男性?|女性?)$"
    ),
    "name": re.compile(
        r"^(?:[一-鿿々]{1,4}[ ]?[一-鿿々ぁ-んァ-ヶ]{1,5}|[ァ-ヶー]{2,8}[ ][ァ-ヶー]{2,8}"
        r"|[ぁ-んー]{2,8}[ ][ぁ-んー]{2,8}|[A-Z][a-z]{1,15}[ ][A-Z][A-Za-z]{1,15})$"
    ),
}


Person = tuple[str, tuple[str, ...]]
"""A name, and what is told about whom it names."""


def persons(tables: Iterable[Table]) -> int:
    """Count the distinct people of folded tables: rows with a name and something about them."""
    return len(set[Person]().union(*map(_people, tables)))


def _people(table: Table) -> set[Person]:
    rows = [[cell.strip() for cell in row[:MAX_COLUMNS]] for row in table[:MAX_ROWS]]
    for at, row in enumerate(rows[:HEADING_ROWS]):
        names = [n for n, cell in enumerate(row) if _NAME.match(cell)]
        about = [n for n, cell in enumerate(row) if _ABOUT.match(cell)]
        if about:
            return _named(rows[at + 1 :], names, about)
    return _named(rows, *_columns(rows))


def tables(text: str) -> list[Table]:
    """Return the tables that stand in a folded text as lines with tabs, commas or bars; a table has two rows at least."""
    found: list[Table] = []
    rows: list[list[str]] = []
    for line in [*text.split("\n"), ""]:
        cells = _cells(line)
        if rows and (cells is None or len(cells) != len(rows[0])):
            if len(rows) > 1:
                found.append(rows)
            rows = []
        if cells is not None:
            rows.append(cells)
    return found


def _cells(line: str) -> list[str] | None:
    for sign in ("\t", ",", "|", "、"):
        if line.count(sign) >= 1:
            cells = [cell.strip().strip('"') for cell in line.strip("| ").split(sign)]
            return cells if len(cells) > 1 else None
    return None


def _columns(rows: Sequence[Sequence[str]]) -> tuple[list[int], list[int]]:
    sample = rows[:SAMPLE]
    width = max((len(row) for row in sample), default=0)
    kinds: dict[str, list[int]] = {"name": [], "about": []}
    for column in range(width):
        cells = [row[column] for row in sample if len(row) > column and row[column]]
        for kind, looks in _LOOKS.items():
            if len(cells) > 1 and sum(bool(looks.match(cell)) for cell in cells) >= SHARE * len(cells):
                kinds[kind].append(column)
                break
    return kinds["name"], kinds["about"]


def _named(rows: Sequence[Sequence[str]], names: list[int], about: list[int]) -> set[Person]:
    people: set[Person] = set()
    if not names or not about:
        return people
    for row in rows:
        name = " ".join(row[n] for n in names if n < len(row) and row[n])
        told = tuple(row[n] for n in about if n < len(row) and row[n])
        if name and told:
            people.add((name, told))
    return people
