"""The table, the picture and the machine-readable file, all from one report."""

from __future__ import annotations

import json
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.bench import markdown, plot, report
from tests.bench.figures import Aim, Figure, Outcome
from tests.bench.report import Report

HOLD = Figure("hold", "accept & hold <10 KiB>", "mails/s", Aim("ratio", "least", 2.0))
BANNER = Figure("banner", "worst banner", "ms", Aim("value", "most", 50.0), better="less", peer="")
CPU = Figure("cpu", "processor", "us/mail", "to compare with", better="less")
OUTCOMES = (
    Outcome("hold", HOLD, (4000.0, 4200.0, 4100.0), (2000.0, 1000.0, 1500.0)),
    Outcome("banner", BANNER, (71.25,)),
    Outcome("hold", CPU, (), (1.234,), "sekisho: failed: no port"),
)
REPORT = Report(
    {"cores": "2 x Z80", "date": "2026-11-21"},
    {"workers": 2, "rounds": 3, "scale": 1.0},
    ("the machine is busy",),
    {"hold": (1.0, 2.0)},
    OUTCOMES,
)


def test_the_table_says_ratio_promise_and_verdict() -> None:
    lines = markdown.table(REPORT).splitlines()
    assert lines[0] == "Measured on: cores 2 x Z80, date 2026-11-21. Workers: 2."
    assert lines[4] == (
        "| accept & hold <10 KiB> | `hold` | 4,100 mails/s [4,000-4,200] "
        "| 1,500 mails/s [1,000-2,000] (postfix) | 2.73 | ratio at least 2 | yes |"
    )
    assert lines[5] == "| worst banner | `banner` | 71.2 ms |  | - | at most 50 | **no** |"
    assert lines[6] == (
        "| processor | `cpu` | - | 1.23 us/mail (postfix) | - | none: to compare with | sekisho: failed: no port |"
    )
    assert lines[8:] == ["1 of 2 promises kept, 0 not measured.", "Note: the machine is busy."]


def test_a_terminal_sees_the_same_in_columns() -> None:
    lines = markdown.plain(REPORT).splitlines()
    assert [line.split()[-1] for line in lines[1:3]] == ["yes", "no"]
    assert (
        len({line.index(word) for line, word in zip(lines[:2], ("promised", "ratio at"), strict=True)}) == 1
    )


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, "-"), (0.0, "0.00"), (1.236, "1.24"), (12.34, "12.3"), (999.6, "1,000"), (12345.6, "12,346")],
)
def test_numbers_have_the_digits_that_count(value: float | None, text: str) -> None:
    assert markdown.number(value) == text


def test_the_picture_has_a_bar_for_each_promise_that_was_measured() -> None:
    root = ElementTree.fromstring(plot.svg(REPORT))
    bars = [each for each in root.iter() if each.tag.endswith("rect")]
    assert [bar.attrib["class"] for bar in bars] == ["yes", "no"]
    line = plot.across(1)
    assert float(bars[0].attrib["x"]) == pytest.approx(line, abs=0.1)
    assert float(bars[1].attrib["x"]) + float(bars[1].attrib["width"]) == pytest.approx(line, abs=0.2)
    words = " ".join(each.text or "" for each in root.iter() if each.tag.endswith("text"))
    assert "kept: 2.73 x (ratio at least 2)" in words
    assert "missed: 71.2 ms (at most 50)" in words
    assert "prefers-color-scheme: dark" in plot.svg(REPORT)


def test_what_was_not_measured_has_words_and_no_bar() -> None:
    root = ElementTree.fromstring(plot.svg(Report({}, {"workers": 1}, (), {}, (Outcome("hold", HOLD),))))
    assert not [each for each in root.iter() if each.tag.endswith("rect")]
    assert "not measured" in root.attrib["aria-label"]


@given(st.floats(0, 1e9))
def test_bars_stay_on_their_track(share: float) -> None:
    assert plot.LABEL <= plot.across(share) <= plot.LABEL + plot.TRACK


def test_the_file_keeps_every_run_and_is_read_back() -> None:
    text = report.write(REPORT)
    document = json.loads(text)
    assert document["figures"][0]["ours_runs"] == [4000.0, 4200.0, 4100.0]
    assert document["figures"][0]["reached"] is True
    assert document["figures"][2]["aim"] == {"none": "to compare with"}
    again = report.read(text)
    assert markdown.table(again) == markdown.table(REPORT)
    assert plot.svg(again) == plot.svg(REPORT)
    assert report.write(again) == text


def test_another_format_is_refused() -> None:
    with pytest.raises(ValueError, match="format 99, expected 1"):
        report.read('{"format": 99}')
