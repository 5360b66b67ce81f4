"""The figures page as values: sums, plots and the table of rules, from days that were counted. Pure.

What a manager wants to know: how much mail was there, what did holding it save, how long did people wait, which rule is worth
its trouble.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta

from babel.dates import format_date

from gateway.audit.daily import WAITS, Day, Measure
from gateway.audit.rules import Effect
from gateway.console.plots import Plot, Series, bars
from gateway.languages import Words, shown
from gateway.policy.demands import Language
from gateway.policy.model import Rule
from gateway.values import dataclass

MONTHS, DAYS = 12, 30
MOST_RULES = 50  # lines of the table; who has more rules finds all by `sekisho log rules`
MAX_REASON = 200  # characters
_DAY = {"ja": ("M/d", "M月d日(E)"), "en": ("d MMM", "EEE d MMM")}
_MONTH = {"ja": ("M月", "y年M月"), "en": ("MMM", "MMMM y")}


@dataclass(frozen=True, slots=True)
class Span:
    """Days, or the months that they are in: how they are written below a plot and in a table, and what they hold."""

    labels: tuple[str, ...]
    names: tuple[str, ...]
    parts: tuple[tuple[Day, ...], ...]

    def sums(self, *measures: Measure) -> tuple[int, ...]:
        return tuple(sum(day.of(*measures) for day in part) for part in self.parts)


@dataclass(frozen=True, slots=True)
class Tile:
    """One sum: what it is, and a sentence that puts it right."""

    name: str
    value: str
    says: str = ""


@dataclass(frozen=True, slots=True)
class RuleLine:
    """What one rule did, in mails; `share` of 100 held mails that somebody cancelled."""

    id: str
    reason: str
    matched: int
    held: int
    cancelled: int
    waived: int
    waited: str
    share: int


def first_day(span: str, today: date) -> date:
    """Return where a span begins that ends today: `30d`, or `12m`, which begins with a month."""
    if span != "12m":
        return today - timedelta(days=DAYS - 1)
    months = today.year * 12 + today.month - MONTHS
    return date(months // 12, months % 12 + 1, 1)


def by_day(days: Sequence[Day], words: Words) -> Span:
    """Return a span of single days."""
    return _span([(day,) for day in days], _DAY[words.language], words)


def by_month(days: Sequence[Day], words: Words) -> Span:
    """Return a span of the months that the days are in."""
    months: dict[tuple[int, int], list[Day]] = {}
    for day in days:
        months.setdefault((day.day.year, day.day.month), []).append(day)
    return _span([tuple(part) for part in months.values()], _MONTH[words.language], words)


def _span(parts: Sequence[tuple[Day, ...]], forms: tuple[str, str], words: Words) -> Span:
    short, full = (
        tuple(str(format_date(part[0].day, form, locale=words.language)) for part in parts) for form in forms
    )
    return Span(short, full, tuple(parts))


def tiles(span: Span, words: Words) -> list[Tile]:
    """Return the sums of the time."""
    _ = words.gettext
    days = [day for part in span.parts for day in part]
    total = {measure: sum(day.of(measure) for day in days) for measure in Measure}
    mails = sum(day.mails for day in days)
    held = total[Measure.HELD]
    approvals = sum(sum(day.waits) for day in days)
    soon = sum(sum(day.waits[:2]) for day in days)  # the first two groups: within an hour
    return [
        Tile(_("Mails"), f"{mails:,}", _("handed in by your people")),
        Tile(
            _("Held for a time"), f"{held:,}", _("%(share)s of all mails") % {"share": percent(held, mails)}
        ),
        Tile(
            _("Stopped by somebody"),
            f"{total[Measure.SAVED] + total[Measure.REJECTED]:,}",
            _("cancelled or rejected before everybody got it"),
        ),
        Tile(_("Refused at once"), f"{total[Measure.REFUSED]:,}", _("by a rule; the sender was told why")),
        Tile(
            _("Approved within an hour"),
            percent(soon, approvals) if approvals else _("none yet"),
            words.ngettext("of %(n)s approval", "of %(n)s approvals", approvals),
        ),
        Tile(
            _("Incidents reported"), f"{total[Measure.INCIDENTS]:,}", _("mail that went to the wrong people")
        ),
    ]


def plots(span: Span, words: Words, unit: str) -> list[Plot]:
    """Return the plots; `unit` names what stands below them: day, month."""
    _ = words.gettext
    mails = (
        Series(_("held"), "too", span.sums(Measure.HELD)),
        Series(_("let through at once"), "one", span.sums(Measure.FREE)),
        Series(_("refused"), "three", span.sums(Measure.REFUSED)),
    )
    saves = (
        Series(_("cancelled by somebody"), "one", span.sums(Measure.SAVED)),
        Series(_("rejected by an approver"), "too", span.sums(Measure.REJECTED)),
        Series(_("ended because nobody decided"), "three", span.sums(Measure.LAPSED)),
    )
    return [
        _plot("mails", _("Mails"), unit, span, mails, words),
        _plot("saves", _("Mails that were stopped"), unit, span, saves, words),
        _waits(span, words),
    ]


def _plot(name: str, title: str, unit: str, span: Span, series: Sequence[Series], words: Words) -> Plot:
    sums = [sum(values) for values in zip(*(each.values for each in series), strict=True)]
    return bars(name, title, _summary(sums, span, words), unit, span.labels, series, span.names)


def _summary(sums: Sequence[int], span: Span, words: Words) -> str:
    if not any(sums):
        return words.gettext("None in this time.")
    most = max(range(len(sums)), key=lambda n: sums[n])
    said = words.gettext("%(sum)s in all; the most, %(n)s, on %(when)s.")
    return said % {"sum": f"{sum(sums):,}", "n": f"{sums[most]:,}", "when": span.names[most]}


def _waits(span: Span, words: Words) -> Plot:
    _ = words.gettext
    names = [_("up to %(span)s") % {"span": words.duration(timedelta(seconds=bound))} for bound in WAITS]
    names.append(_("longer"))
    counts = tuple(sum(day.waits[n] for part in span.parts for day in part) for n in range(len(names)))
    total = sum(counts)
    summary = (
        _("%(share)s of the approvals came within an hour.") % {"share": percent(sum(counts[:2]), total)}
        if total
        else _("None in this time.")
    )
    title = _("How long mails waited for an approval")
    return bars("waits", title, summary, _("Waited"), names, (Series(_("approvals"), "one", counts),), names)


def rule_lines(
    effects: Mapping[str, Effect], rules: Mapping[str, Rule], language: Language, words: Words
) -> list[RuleLine]:
    """Return the rules that did something, those first by which the most mails were stopped."""

    def order(rule: str) -> tuple[int, int, int, str]:
        return (-effects[rule].cancelled, -effects[rule].held, -effects[rule].matched, rule)

    busy = sorted((rule for rule, effect in effects.items() if not effect.proves_nothing), key=order)
    return [_line(rule, effects[rule], rules.get(rule), language, words) for rule in busy[:MOST_RULES]]


def _line(name: str, effect: Effect, rule: Rule | None, language: Language, words: Words) -> RuleLine:
    mean = effect.mean_wait_s
    return RuleLine(
        name,
        shown(rule.reason.in_(language), MAX_REASON)
        if rule is not None
        else words.gettext("no longer in force"),
        effect.matched + effect.watched,
        effect.held,
        effect.cancelled,
        effect.waived,
        words.duration(timedelta(seconds=mean)) if mean is not None else "",
        round(100 * effect.cancelled / effect.held) if effect.held else 0,
    )


def idle(effects: Mapping[str, Effect], rules: Mapping[str, Rule]) -> list[str]:
    """Return the rules in force that matched nothing, and so prove nothing."""
    found = sorted(rule for rule in rules if rule not in effects or effects[rule].proves_nothing)
    return found[:MOST_RULES]


def written(day: date, words: Words) -> str:
    """Return a day as a sentence has it."""
    return str(format_date(day, _DAY[words.language][1], locale=words.language))


def percent(part: int, whole: int) -> str:
    return f"{round(100 * part / whole)}%" if whole else "-"


def columns(words: Words) -> list[str]:
    """Return the head of the file of numbers."""
    _ = words.gettext
    waits = [_("up to %(span)s") % {"span": words.duration(timedelta(seconds=bound))} for bound in WAITS]
    named = [_("approvals: %(wait)s") % {"wait": wait} for wait in [*waits, _("longer")]]
    return [
        *(_("Day"), _("Mails"), _("held"), _("let through at once"), _("refused")),
        *(_("cancelled by somebody"), _("rejected by an approver"), _("ended because nobody decided")),
        *(_("approvals"), _("Incidents reported"), *named),
    ]


def row(day: Day) -> list[str]:
    """Return one day's line in it: numbers and a date, nothing that anybody could have written."""
    order = (Measure.HELD, Measure.FREE, Measure.REFUSED, Measure.SAVED, Measure.REJECTED, Measure.LAPSED)
    counts = [day.of(measure) for measure in (*order, Measure.APPROVED, Measure.INCIDENTS)]
    return [day.day.isoformat(), *map(str, [day.mails, *counts, *day.waits])]
