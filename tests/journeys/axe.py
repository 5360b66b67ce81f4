"""axe-core on a page: the package's script is there from the start of each document, and only what it finds comes back."""

from __future__ import annotations

from importlib.resources import files

from playwright.sync_api import BrowserContext, Page

ALL_RULES: dict[str, object] = {
    "type": "tag",
    "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
}
COLOURS: dict[str, object] = {"type": "rule", "values": ["color-contrast"]}
_SCRIPT = (files("axe_playwright_python") / "axe.min.js").read_text(encoding="utf-8")
_RUN = """async only => {
  const found = await axe.run(document, {runOnly: only, resultTypes: ['violations']});
  return found.violations.map(v => `${v.id} (${v.impact}): ${v.nodes[0].html.slice(0, 200)} ${v.nodes[0].failureSummary}`);
}"""


def prepare(context: BrowserContext) -> None:
    """Have axe on every page of a context; our content policy does not hold for what a tester brings."""
    context.add_init_script(_SCRIPT)


def violations(page: Page, only: dict[str, object] = ALL_RULES) -> list[str]:
    """Return what is wrong with a page as it looks now."""
    found: list[str] = page.evaluate(_RUN, only)
    return found
