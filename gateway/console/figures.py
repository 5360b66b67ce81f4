"""/figures: what the gateway did in the last 30 days or 12 months, for whom it concerns; the same as a file of numbers.

Counts only, within gateway/people/sight.py: an ordering body sees the mails of its contractors' groups and nobody else's.
"""

from __future__ import annotations

import asyncio
import csv
import io
from collections.abc import Callable

from starlette.responses import Response

from gateway.audit.daily import DailyFigures, Day
from gateway.audit.rule_figures import RuleFigures, RulesOfLate
from gateway.console import figures_view as view
from gateway.console.gate import Gated, Visit
from gateway.console.site import Site
from gateway.people.contract import Role
from gateway.people.sight import Act, scope_of
from gateway.policy.model import Policy
from gateway.spool.list_contract import Scope
from gateway.values import dataclass

READERS = frozenset({Role.ADMIN, Role.AUDITOR, Role.ORDERING})
SPANS = ("30d", "12m")


@dataclass(frozen=True, slots=True)
class FigureSources:
    """Where figures come from; `policy` gives the one in force, for the words of its rules."""

    daily: DailyFigures
    rules: RulesOfLate
    policy: Callable[[], Policy]


@dataclass(frozen=True, slots=True)
class FigurePages:
    """The handlers."""

    site: Site
    sources: FigureSources

    async def show(self, visit: Visit) -> Response:
        """GET /figures"""
        scope, span, days = await self._days(visit)
        rules = {rule.id: rule for rule in self.sources.policy().rules}
        holds = {name: rule.holds for name, rule in rules.items()}
        late = await self.sources.rules.figures(scope, holds, days[-view.DAYS :])
        # A thread: a year of days takes longer to write than the event loop may stand still.
        return await asyncio.to_thread(self._write, visit, scope, span, days, late)

    def _write(
        self, visit: Visit, scope: Scope, span: str, days: tuple[Day, ...], late: RuleFigures
    ) -> Response:
        words = self.site.desk.pages.words(visit.language)
        parts = view.by_month(days, words) if span == "12m" else view.by_day(days, words)
        rules = {rule.id: rule for rule in self.sources.policy().rules}
        values = {
            "span": span,
            "groups": () if scope.everything else sorted(scope.groups),
            "tiles": view.tiles(parts, words),
            "plots": view.plots(
                parts, words, words.gettext("Month") if span == "12m" else words.gettext("Day")
            ),
            "rules": view.rule_lines(late.effects, rules, visit.language, words),
            "idle": view.idle(late.effects, rules) if scope.everything else [],
            "since": view.written(late.since, words),
            "complete": late.complete,
        }
        return self.site.page(visit, "figures.html", values, here="/figures")

    async def file(self, visit: Visit) -> Response:
        """GET /figures.csv: a line for each day; UTF-8 with a mark at its beginning, as spreadsheets want it."""
        _, span, days = await self._days(visit)
        words = self.site.desk.pages.words(visit.language)
        written = io.StringIO()
        csv.writer(written).writerows([view.columns(words), *map(view.row, days)])
        headers = {
            "content-disposition": f'attachment; filename="figures-{days[-1].day.isoformat()}-{span}.csv"'
        }
        return Response(written.getvalue().encode("utf-8-sig"), headers=headers, media_type="text/csv")

    async def _days(self, visit: Visit) -> tuple[Scope, str, tuple[Day, ...]]:
        scope = scope_of(visit.person, Act.FIGURES)
        asked = visit.request.query_params.get("span", "")
        span = asked if asked in SPANS else SPANS[0]
        today = self.sources.daily.today()
        return scope, span, await self.sources.daily.days(scope, view.first_day(span, today), today)


def figure_routes(site: Site, sources: FigureSources) -> list[Gated]:
    """Return the routes of the figures."""
    pages = FigurePages(site, sources)
    return [
        Gated("/figures", pages.show, site.gate, READERS),
        Gated("/figures.csv", pages.file, site.gate, READERS),
    ]
