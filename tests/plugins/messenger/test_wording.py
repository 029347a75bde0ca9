"""Templates say values and choose; whatever else one tries is refused before it is used."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wanmi.errors import BadInput
from wanmi_messenger.wording import FILTERS, LONGEST_TEXT, check, render

KNOWN = frozenset({"case", "text", "deadline"})


def test_values_choices_and_filters() -> None:
    source = "{{ case | upper }}{% if deadline %}, due {{ deadline }}{% else %}, no limit{% endif %}"
    check(source, KNOWN)
    assert render(source, {"case": "e1", "deadline": "16:00"}) == "E1, due 16:00"
    assert render(source, {"case": "e1", "deadline": ""}) == "E1, no limit"


@pytest.mark.parametrize(
    "source",
    [
        "{{ case.__class__ }}",
        "{{ case['__class__'] }}",
        "{{ case.upper() }}",
        "{{ 'a' * 1000000000 }}",
        "{{ case ~ case }}",
        "{{ case + case }}",
        "{% for x in case %}{{ x }}{% endfor %}",
        "{% set a = case %}{{ a }}",
        "{% include 'secrets' %}",
        "{% extends case %}",
        "{% macro m() %}{% endmacro %}",
        "{% import 'x' as y %}",
        "{{ case | attr('__class__') }}",
        "{{ '%999999999d' | format(1) }}",
        "{{ case | map('upper') | list }}",
        "{{ [1] | batch(2) }}",
        "{{ case | tojson | tojson }}",
        "{{ case if case is callable }}",
        "{{ config }}",
        "{{ self }}",
        "{{ loop }}",
        "{{ range }}",
        "{{ 2 ** 100 }}",
        "{{ -1 }}",
        "{% nothing %}",
        "{{ case",
        "{% filter upper %}x{% endfilter %}",
        "{% call case() %}{% endcall %}",
        "{% block x %}{% endblock %}",
        "{% with a = 1 %}{{ a }}{% endwith %}",
        "{% autoescape true %}x{% endautoescape %}",
        "x" * 8001,
    ],
)
def test_what_templates_may_not_do(source: str) -> None:
    with pytest.raises(BadInput):
        check(source, KNOWN)


def test_a_refusal_names_the_line_and_what_there_is() -> None:
    with pytest.raises(BadInput, match="line 2: nothing is called cas; known: case, deadline, text"):
        check("{{ case }}\n{{ cas }}", KNOWN)


def test_what_is_missing_is_an_error_and_no_gap() -> None:
    with pytest.raises(BadInput, match="deadline"):
        render("{{ case }} {{ deadline }}", {"case": "1"})


def test_a_text_has_an_end() -> None:
    with pytest.raises(BadInput, match="at most"):
        render("{{ case }}", {"case": "x" * (LONGEST_TEXT + 1)})


def test_templates_in_values_are_only_text() -> None:
    assert render("{{ case }}", {"case": "{{ 7 * 7 }}{% raw %}"}) == "{{ 7 * 7 }}{% raw %}"


@given(st.text(max_size=300))
def test_values_are_said_as_they_are(value: str) -> None:
    assert render("<{{ text }}>", {"text": value}) == f"<{value}>"


@given(st.text(max_size=300))
def test_json_stays_json(value: str) -> None:
    assert json.loads(render('{"text": {{ text | tojson }}}', {"text": value})) == {"text": value}


PIECES = st.sampled_from(
    ["{{ ", " }}", "{% if ", " %}", "{% endif %}", "{% else %}", "case", "text", " | ", *FILTERS, "(3)", "('x')", " is defined",
     ".x", "[0]", "'q'", " == ", " and ", "\n", "文字", "{#", "#}", "-", " ~ ", " * ", "for x in ", "set x = "]
)  # fmt: skip


@given(st.lists(PIECES, max_size=25).map("".join), st.text(max_size=40), st.text(max_size=40))
def test_a_checked_template_ends_and_stays_small(source: str, case: str, text: str) -> None:
    try:
        check(source, KNOWN)
        said = render(source, {"case": case, "text": text, "deadline": ""})
    except BadInput:
        return
    assert len(said) <= LONGEST_TEXT
