"""The parts of pages, each rendered alone: labels, hints and errors belong together, and what comes in is escaped."""

from __future__ import annotations

import re
from zoneinfo import ZoneInfo

import pytest
from jinja2 import Environment

from gateway.console.pages import ROOM
from gateway.languages import Words
from gateway.templates import templates_in

HOSTILE = '"><script>alert(1)</script>'
JA, EN = (
    templates_in(ROOM / "templates", Words(language, ZoneInfo("Asia/Tokyo"))) for language in ("ja", "en")
)


def written(source: str, environment: Environment = EN, **values: object) -> str:
    """Return what a page writes with the parts as `p`."""
    template = environment.from_string('{% import "parts.html" as p %}' + source)
    return re.sub(r"\s+", " ", template.render(hostile=HOSTILE, **values))


def test_a_field_has_its_label_its_hint_and_its_error() -> None:
    html = written(
        '{{ p.field("why", "Why", hint="One sentence.", error="Please say why.", required=true) }}'
    )
    assert '<label for="f-why">Why <span class="must">required</span></label>' in html
    assert 'aria-describedby="f-why-hint f-why-error"' in html
    assert 'id="f-why-error">Please say why.' in html
    assert 'aria-invalid="true"' in html
    assert " required" in html


def test_a_field_without_hint_and_error_points_to_nothing() -> None:
    html = written('{{ p.field("why", "Why") }}')
    assert "aria-" not in html
    assert 'maxlength="200"' in html


@pytest.mark.parametrize(
    "source",
    [
        "{{ p.field(hostile, hostile, hostile, hostile, hostile, placeholder=hostile) }}",
        "{{ p.area('a', hostile, hostile, hostile, hostile) }}",
        "{{ p.select('a', hostile, [(hostile, hostile)], hostile, hostile, hostile) }}",
        "{{ p.tick('a', hostile, hostile, hint=hostile) }}",
        "{{ p.choices('a', hostile, [(hostile, hostile, hostile)]) }}",
        "{{ p.errors([hostile]) }}{{ p.done(hostile) }}{{ p.empty(hostile, hostile) }}{{ p.facts([(hostile, hostile)]) }}",
        "{% call p.table(hostile, [hostile]) %}{{ p.cell(hostile, hostile) }}{{ p.rowhead(hostile) }}{% endcall %}",
        "{% call p.cell(hostile) %}{{ hostile }}{% endcall %}",
        "{{ p.filters(hostile, hostile, label=hostile) }}{{ p.paging(3, hostile, hostile) }}{{ p.state('held', hostile) }}",
        "{{ p.confirm_count(hostile, hostile, 3, hostile, hostile, hostile) }}",
    ],
)
def test_whatever_comes_in_is_escaped(source: str) -> None:
    html = written(source)
    assert "<script>" not in html
    assert '"">' not in html
    assert "&lt;script&gt;" in html


def test_a_table_keeps_its_roles_and_labels_its_cells() -> None:
    html = written(
        '{% call p.table("Mails", ["Subject", "Held"], ["Held"]) %}<tr role="row">{{ p.rowhead("Hello") }}'
        '{{ p.cell("Held", 3, "amount") }}</tr>{% endcall %}'
    )
    assert '<th scope="col" role="columnheader" class=amount>Held</th>' in html
    assert '<td role="cell" data-label="Held" class="amount">3</td>' in html
    assert '<th scope="row" role="rowheader">Hello</th>' in html


def test_a_filter_is_a_form_that_asks_and_keeps_the_language() -> None:
    html = written(
        '{% call p.filters("/log", "x", true, lang="ja") %}{{ p.field("rule", "Rule") }}{% endcall %}'
    )
    assert '<form class="filters" method="get" action="/log" role="search">' in html
    assert '<input type="hidden" name="lang" value="ja">' in html
    assert "<details open>" in html
    assert "Show all" in html


def test_a_verb_for_many_asks_for_their_number() -> None:
    html = written(
        '{{ p.confirm_count("/held/cancel", "SEAL", 12, "Cancel 12 mails?", "Cancel them", "Not 12.") }}', JA
    )
    assert '<input type="hidden" name="seal" value="SEAL">' in html
    assert "確認のため、件数(12)を入力してください" in html
    assert 'inputmode="numeric"' in html
    assert 'id="f-count-error">Not 12.' in html


def test_the_way_on_is_there_only_where_there_is_one() -> None:
    assert "<a " not in written("{{ p.paging(3) }}")
    assert "more than 1000 found" in written('{{ p.paging(1000, "?after=x", at_least=true) }}')
    assert 'rel="next" href="?after=x"' in written('{{ p.paging(1000, "?after=x") }}')
