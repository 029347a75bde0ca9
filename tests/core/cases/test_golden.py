"""Golden bytes of every kind that a case is the fold of: entries once written must be readable for ever."""

from __future__ import annotations

from pathlib import Path

from core.cases.worked import DOES, HOUR, Worked
from wanmi.cases import CASE_ENTRIES, fold_all
from wanmi.entries import Entry, decode, encode

GOLDEN = Path(__file__).with_name("golden.jsonl")


def all_kinds() -> list[Entry]:
    """Two cases that meet every kind of entry."""
    case, other = Worked(), Worked(number="210102-E0102-20261124-0002")
    case.to("pending_dispatch")
    case.merge(other)
    case.unmerge(other)
    case.to("pending_handle")
    case.request("return", "q-1")
    case.now += 25 * HOUR
    case.expire("q-1")
    case.overdue()
    case.request("suspension", "q-2", until=case.now + 24 * HOUR)
    case.review("q-2", True)
    case.due_resume()
    case.request("return", "q-3")
    case.review("q-3", False)
    case.to("closed")
    return [*case.entries, *other.entries]


def test_the_golden_entries_are_still_read() -> None:
    entries = [decode(line) for line in GOLDEN.read_bytes().splitlines()]
    assert {entry.kind for entry in entries} == set(CASE_ENTRIES)
    mine = [entry for entry in entries if entry.subject.endswith("-0001")]
    case = fold_all(mine)
    assert case is not None
    assert (case.state, case.counts["groundless_return"], case.overdue[0][0]) == ("closed", 1, "department")
    assert {actor for actor, _ in case.actors} <= {actor for actor, _ in DOES.values()}


def test_the_same_life_is_still_written_in_the_same_bytes() -> None:
    assert b"\n".join(encode(entry) for entry in all_kinds()) + b"\n" == GOLDEN.read_bytes()
