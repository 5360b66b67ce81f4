"""The sheet: every text colour can be read on its ground, in light and in dark; nothing comes from another host."""

from __future__ import annotations

import re

import pytest

from gateway.console.pages import ROOM

SHEET = (ROOM / "static" / "style.css").read_text(encoding="utf-8")
AA = 4.5  # WCAG 2.2, 1.4.3
LIGHT, DARK = (
    dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", block))
    for block in re.findall(r":root \{(.*?)\}", SHEET, re.DOTALL)
)
PAIRS = [
    ("ink", "ground"),
    ("ink", "sheet"),
    ("quiet", "ground"),
    ("quiet", "sheet"),
    ("link", "ground"),
    ("link", "sheet"),
    ("stop-ink", "stop"),
    ("held", "held-ground"),
    ("good", "good-ground"),
    ("bad", "bad-ground"),
    ("ink", "bad-ground"),
    ("calm", "calm-ground"),
    ("go-ink", "go"),
    ("link", "link-ground"),
    ("bad", "sheet"),
    ("ink", "good-ground"),
    ("ink", "held-ground"),
]


def luminance(colour: str) -> float:
    """Return the relative luminance (WCAG 2.2)."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize(("text", "ground"), PAIRS)
def test_text_can_be_read(colours: dict[str, str], text: str, ground: str) -> None:
    assert contrast(colours[text], colours[ground]) >= AA


@pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize(
    "mark", ["edge", "link", "held-edge", "good-edge", "bad-edge", "plot", "plot-too", "plot-three"]
)
def test_what_is_no_text_can_be_seen(colours: dict[str, str], mark: str) -> None:
    """Edges of controls, the ring of the focus, marks of states and of plots (WCAG 2.2, 1.4.11 and 2.4.13)."""
    assert min(contrast(colours[mark], colours["sheet"]), contrast(colours[mark], colours["ground"])) >= 3


def test_nothing_comes_from_another_host() -> None:
    sources = [
        path.read_text(encoding="utf-8")
        for path in ROOM.rglob("*.*")
        if path.suffix in {".css", ".js", ".html"}
    ]
    assert len(sources) >= 6
    assert not [source for source in sources if re.search(r"https?:|//[a-z]+\.|url\(|@import", source)]


SOURCES = "".join(
    path.read_text(encoding="utf-8")
    for path in [*ROOM.rglob("*.html"), *ROOM.rglob("*.py"), *ROOM.rglob("*.js")]
)
RULES = re.sub(r"/\*.*?\*/", "", SHEET, flags=re.DOTALL)
CLASSES = sorted(set(re.findall(r"\.([a-z][a-z-]*)(?=[^{}]*\{)", RULES)))


@pytest.mark.parametrize("name", CLASSES)
def test_the_sheet_has_no_class_that_no_page_uses(name: str) -> None:
    stem = name.partition("-")[0] if name.startswith(("state-", "status-")) else name
    assert re.search(rf"(?<![\w-]){stem}(?![\w])", SOURCES), name


def test_every_colour_is_there_in_both_themes_and_used() -> None:
    assert LIGHT.keys() == DARK.keys()
    assert not [name for name in LIGHT if f"var(--{name})" not in SHEET]


@pytest.mark.parametrize(
    "asked",
    [
        "prefers-color-scheme: dark",
        "prefers-reduced-motion",
        "prefers-contrast: more",
        "forced-colors: active",
        "print",
    ],
)
def test_it_answers_what_readers_ask_for(asked: str) -> None:
    assert re.search(rf"@media \(?{asked}", SHEET)
