"""Whose a sealed blob is: naming one gives no right to it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from wanmi.models import CALLER
from wanmi.store import Naming, counting, vouchers_of

CITY, ONE, EDGE, OTHER = "210100", "210102", "21010201", "210103"
ME = vouchers_of(CITY, None)
namings = st.builds(
    Naming, st.sampled_from((CITY, ONE, EDGE, OTHER)), st.integers(1, 9), st.just("case:x"),
    st.sampled_from(("photo", "text", CALLER)), st.just("aa" * 32), st.just("*"),
)  # fmt: skip


def naming(origin: str, role: str = "photo") -> Naming:
    return Naming(origin, 1, f"case:{origin}-E0102-20261124-0001", role, "aa" * 32, "*")


def test_who_names_it_after_its_district_does_not_count() -> None:
    found = counting([naming(EDGE), naming(OTHER), naming(ONE)], ME)
    assert [one.origin for one in found] == [EDGE, ONE]


def test_this_node_and_its_parent_hand_it_on() -> None:
    named = [naming(ONE), naming(CITY), naming(OTHER)]
    assert [one.origin for one in counting(named, ME)] == [ONE, CITY]
    assert [one.origin for one in counting(named, vouchers_of(OTHER, CITY))] == [ONE, CITY, OTHER]


def test_who_called_is_nothing_else_beside() -> None:
    named = [naming(OTHER), naming(ONE, CALLER), naming(ONE), naming(CITY)]
    assert [(one.origin, one.role) for one in counting(named, ME)] == [(ONE, CALLER)]


@given(st.lists(namings, max_size=12), st.sampled_from((ME, vouchers_of(ONE, CITY), vouchers_of(OTHER, CITY))))
def test_what_counts_is_of_one_district_or_vouched_for(found: list[Naming], vouchers: frozenset[str]) -> None:
    counted = counting(found, vouchers)
    assert len({one.origin[:6] for one in counted if one.origin not in vouchers}) <= 1
    assert CALLER not in {one.role for one in counted} or {one.role for one in counted} == {CALLER}
    assert all(one in found for one in counted)
    assert bool(counted) == bool(found)
