"""Which district a case goes to, tried with any rules and places."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from wanmi.errors import BadInput, NotFound
from wanmi_supervision.choosing import Chosen, choose_district
from wanmi_supervision.settings import SupervisionSettings

DISTRICTS = ("210102", "210103", "210104")
districts = st.sampled_from(DISTRICTS)
categories = st.from_regex(r"0[1-3]0[1-3]", fullmatch=True)
matters = st.dictionaries(st.from_regex(r"[CE](0[1-3](0[1-3])?)?", fullmatch=True), districts, max_size=6)
grids = st.none() | districts.map(lambda code: f"{code}001002007")
kinds = st.sampled_from(["component", "event"])


def choose(**given: object) -> Chosen:
    usual = {"kind": "event", "category": "0102", "grid": None, "matters": {}, "districts": DISTRICTS}
    return choose_district(**{**usual, **given})  # type: ignore[arg-type]


@given(kinds, categories, grids, matters)
def test_the_longest_rule_wins_then_the_place(
    kind: str, category: str, grid: str | None, matters: dict[str, str]
) -> None:
    code = ("C" if kind == "component" else "E") + category
    fitting = sorted((matter for matter in matters if code.startswith(matter)), key=len)
    if not fitting and grid is None:
        with pytest.raises(NotFound, match="name the district"):
            choose(kind=kind, category=category, grid=grid, matters=matters)
        return
    chosen = choose(kind=kind, category=category, grid=grid, matters=matters)
    if fitting:
        assert chosen == Chosen(matters[fitting[-1]], by_matter=fitting[-1])
    else:
        assert chosen == Chosen(str(grid)[:6], by_place=grid)


@given(kinds, categories, grids, matters, districts)
def test_a_person_decides(kind: str, category: str, grid: str | None, matters: dict[str, str], named: str) -> None:
    assert choose(kind=kind, category=category, grid=grid, matters=matters, named=named) == Chosen(named)


def test_only_to_a_district_of_the_city() -> None:
    for more in ({"named": "210199"}, {"grid": "210199001002007"}, {"matters": {"E": "210199"}}):
        with pytest.raises(
            BadInput, match=r"210199: it is not a district of this city.*those are: 210102, 210103, 210104"
        ):
            choose(**more)


@pytest.mark.parametrize("matters", [{"X01": "210102"}, {"E01021": "210102"}, {"": "210102"}, {"E01": "2101"}])
def test_settings_refuse_rules_that_fit_nothing(matters: dict[str, str]) -> None:
    with pytest.raises(ValidationError, match="matter"):
        SupervisionSettings(matters=matters)
