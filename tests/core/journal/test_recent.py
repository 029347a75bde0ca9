"""The newest entries in memory say the same as the journal, or that they do not reach so far."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from support.journals import Make, counted
from wanmi.journal import recent
from wanmi.journal.recent import Recent
from wanmi.registry import Stored


def _stored(pos: int) -> Stored:
    return Stored(pos, "210102", pos, (), b"", b"", 0, None, None)


def test_they_are_what_the_journal_holds(make: Make) -> None:
    bench, kept = make("210102"), Recent()
    bench.journal.append(counted(0)).result()
    bench.journal.listen(kept.add)
    for n in range(7):
        bench.journal.append(*[counted(n) for _ in range(n)]).result()
    kinds = frozenset({"test.counted"})
    for pos in range(1, bench.journal.pos + 1):
        for limit in (1, 3, 100):
            batch = bench.journal.since(pos, sorted(kinds), limit)
            found = kept.since(pos, kinds, limit)
            assert found is not None
            assert [one.pos for one in found[0]] == [one.pos for one in batch]
            assert found[1] == (
                batch[-1].pos if len(batch) == limit and batch[-1].pos < bench.journal.pos else bench.journal.pos
            )
    assert kept.since(0, kinds, 10) is None


@given(st.lists(st.integers(1, 2_500), min_size=1, max_size=8), st.integers(0, 25_000))
def test_what_is_forgotten_is_never_passed_over(commits: list[int], pos: int) -> None:
    kept, newest = Recent(), 100
    for count in commits:
        kept.add([_stored(newest + n) for n in range(1, count + 1)])
        newest += count
    found = kept.since(pos, frozenset(), 10)
    assert len(kept._entries) <= recent.MOST
    if found is None:
        assert pos < newest - recent.MOST // 2 + 1 or pos < 100
    else:
        assert found == ([], max(pos, newest))
