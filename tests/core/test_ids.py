"""Random bytes and ids: never given out twice, sortable by time."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from hypothesis import given
from hypothesis import strategies as st

from wanmi.ids import SeededIds, SystemIds, ulid


def test_no_bytes_are_given_out_twice_to_many_threads() -> None:
    ids = SystemIds(page=256)
    with ThreadPoolExecutor(8) as pool:
        tokens = [t for part in pool.map(lambda _: [ids.token(16) for _ in range(2000)], range(8)) for t in part]
    assert len(set(tokens)) == len(tokens)


def test_a_token_larger_than_a_page() -> None:
    assert len(SystemIds(page=8).token(100)) == 100


@given(st.integers(0, 2**48 * 1000 - 1), st.integers(1, 10**9))
def test_ulids_sort_by_time(at: int, later: int) -> None:
    ids = SeededIds(1)
    first, second = ulid(at, ids), ulid(min(at + later * 1000, 2**48 * 1000 - 1), ids)
    assert len(first) == 26
    assert first[:10] <= second[:10]
