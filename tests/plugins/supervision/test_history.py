"""The order of a history, tried with any chains and clocks."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from wanmi.entries import ENVELOPE_V, Entry
from wanmi_supervision.history import in_time

chains = st.dictionaries(st.sampled_from(["210100", "210102", "210103"]), st.lists(st.integers(0, 30), max_size=6))


def entries_of(chains: dict[str, list[int]]) -> list[Entry]:
    return [
        Entry(ENVELOPE_V, origin, seq, at, "*", "case.linked", 1, "case:1", seq, None, "wanmi@0", None, {}, "0" * 32)
        for origin, times in chains.items()
        for seq, at in enumerate(times, 1)
    ]


def keys(entries: list[Entry]) -> list[tuple[str, int]]:
    return [(one.origin, one.seq) for one in entries]


@given(chains, st.randoms())
def test_nothing_is_lost_and_every_chain_keeps_its_order(chains: dict[str, list[int]], shuffler: object) -> None:
    entries = entries_of(chains)
    mixed = list(entries)
    shuffler.shuffle(mixed)  # type: ignore[attr-defined]
    told = list(in_time(mixed))
    assert sorted(keys(told)) == sorted(keys(entries))
    for origin in chains:
        seqs = [one.seq for one in told if one.origin == origin]
        assert seqs == sorted(seqs)
    assert keys(told) == keys(list(in_time(entries)))


@given(chains)
def test_by_time_where_clocks_only_go_on(chains: dict[str, list[int]]) -> None:
    told = list(in_time(entries_of({origin: sorted(times) for origin, times in chains.items()})))
    assert [one.at for one in told] == sorted(one.at for one in told)
