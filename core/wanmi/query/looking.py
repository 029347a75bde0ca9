"""How cases are looked for so that no question reads the whole table, however rare what it looks for.

A filter has a lead, which an index answers in the order of the list, and a rest, which is decided within the index
(``wanmi.models``: the indexes hold what a filter may ask). Where there is a rest, a question looks through the first
``WINDOW`` cases of its lead and no further: then the page may be short, and its cursor says where to go on. A lead
may have several arms (a category is another code in another catalogue), each a piece of an index, merged in order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Self

from sqlalchemy import ColumnElement, Connection, Select, Subquery, and_, func, or_, select, union_all

from wanmi.codes import CASE_KINDS
from wanmi.models import CaseRow, table
from wanmi.query.filters import CaseFilter, after_cursor, day_start
from wanmi.query.numbers import NumberPart, read_number

WINDOW = 50_000
"""Cases that one question looks through at most: 3 to 10 ms."""
CASES = table(CaseRow)
Seen = ColumnElement[bool] | None
Place = tuple[int, str]
"""Where in the list: (opened_at, number)."""
_NARROW = ("grid", "sequence", "community", "day")
"""What the fewest cases have in common, the fewest first: such a lead is taken alone."""


@dataclass(frozen=True)
class Test:
    """What must hold of some columns."""

    columns: tuple[str, ...]
    of: Callable[[Any], ColumnElement[bool]]


@dataclass(frozen=True)
class Look:
    """One filter: ``arms`` of its lead, the ``rest``, the limits of ``opened_at``, what the caller sees."""

    arms: tuple[tuple[Test, ...], ...]
    rest: tuple[Test, ...]
    opened: tuple[ColumnElement[bool], ...]
    seen: Seen = None

    @classmethod
    def of(cls, wanted: CaseFilter, seen: Seen = None) -> Self:
        """How to look for what is wanted; BadInput for a number that is none."""
        tests, categories = _tests(wanted), _categories(wanted)
        narrow = next((name for name in _NARROW if name in tests), "")
        wide = () if narrow or seen is not None else ("stage",) if categories else ("stage", "coded")
        lead = [tests.pop(name) for name in (narrow, *wide) if name in tests]
        arms = [tuple(lead)]
        if categories and not narrow and seen is None:
            arms = [(*lead, _category_test(*one)) for one in categories]
        elif categories:
            tests["category"] = _any_category(categories)
        return cls(tuple(arms), tuple(tests.values()), tuple(_opened(wanted)), seen)

    def keys(self, cursor: str, count: int, edge: Place | None = None) -> Select[Any]:
        """(number, opened_at) of the first ``count`` cases after a cursor, none beyond the ``edge``."""
        near = self._near(cursor, WINDOW // len(self.arms) if self.rest else count)
        query = select(near.c.number, near.c.opened_at).where(*[test.of(near.c) for test in self.rest])
        if edge is not None:
            query = query.where(_not_beyond(near.c, edge))
        return query.order_by(near.c.opened_at.desc(), near.c.number.desc()).limit(count)

    @property
    def needs_edge(self) -> bool:
        """Whether the edge must be known before looking: windows of several arms end at different times."""
        return bool(self.rest) and len(self.arms) > 1

    def edge(self, tx: Connection, cursor: str) -> Place | None:
        """Where the look from a cursor ends without having reached the last case; None when it reaches it."""
        if not self.rest:
            return None
        last = WINDOW // len(self.arms) - 1
        ends = [tx.execute(self._arm(arm, cursor).offset(last).limit(1)).first() for arm in self.arms]
        return max(((end.opened_at, end.number) for end in ends if end is not None), default=None)

    def _near(self, cursor: str, most: int) -> Subquery:
        """The first ``most`` cases of each arm."""
        arms = [self._arm(arm, cursor).limit(most) for arm in self.arms]
        if len(arms) == 1:
            return arms[0].subquery("near")
        return union_all(*[select(arm.subquery()) for arm in arms]).subquery("near")

    def _arm(self, arm: tuple[Test, ...], cursor: str) -> Select[Any]:
        columns = dict.fromkeys(name for test in self.rest for name in test.columns)
        columns.pop("number", None)
        query = select(CASES.c.number, CASES.c.opened_at, *[CASES.c[name] for name in columns])
        query = query.where(*[test.of(CASES.c) for test in arm], *self.opened)
        if cursor:
            query = query.where(after_cursor(cursor))
        if self.seen is not None:
            query = query.where(self.seen)
        return query.order_by(CASES.c.opened_at.desc(), CASES.c.number.desc())


def _tests(wanted: CaseFilter) -> dict[str, Test]:
    """Every field that is set, by name, but the category and what limits ``opened_at``."""
    equal = ("district", "stage") if wanted.category or wanted.alike else ("district", "stage", "kind")
    tests = {name: _equal(name, value) for name in equal if (value := getattr(wanted, name))}
    if wanted.grid:
        tests |= _place(wanted.grid)
    if wanted.number:
        tests |= _number(read_number(wanted.number))
    return tests


def _categories(wanted: CaseFilter) -> tuple[tuple[str, str], ...]:
    """The (kind, category) pairs of which any must fit; none when the filter asks for no category."""
    if wanted.alike or not wanted.category:
        return wanted.alike
    return tuple((kind, wanted.category) for kind in ((wanted.kind,) if wanted.kind else CASE_KINDS))


def _place(grid: str) -> dict[str, Test]:
    if len(grid) == 15:
        return {"grid": _equal("grid", grid)}
    if len(grid) == 12:
        return {"community": _equal("community", grid)}
    return {"street": Test(("community",), lambda c: func.substr(c.community, 1, len(grid)) == grid)}


def _number(part: NumberPart) -> dict[str, Test]:
    tests = {}
    if part.begin:
        tests["begin"] = Test(("number",), lambda c: func.substr(c.number, 1, len(part.begin)) == part.begin)
    if part.category:
        tests["coded"] = _category_test(part.kind, part.category)
    if part.day:
        tests["day"] = _equal("day", part.day)
    if part.sequence is not None:
        tests["sequence"] = _equal("day_seq", part.sequence)
    return tests


def _equal(column: str, value: str | int) -> Test:
    return Test((column,), lambda c: c[column] == value)


def _category_test(kind: str, category: str) -> Test:
    return Test(("category", "kind"), lambda c: and_(c.category == category, c.kind == kind))


def _any_category(pairs: tuple[tuple[str, str], ...]) -> Test:
    tests = [_category_test(*pair) for pair in pairs]
    return Test(("category", "kind"), lambda c: or_(*[test.of(c) for test in tests]))


def _opened(wanted: CaseFilter) -> Iterator[ColumnElement[bool]]:
    if wanted.since:
        yield CASES.c.opened_at >= day_start(wanted.since)
    if wanted.until:
        yield CASES.c.opened_at < day_start(wanted.until, 1)


def _not_beyond(c: Any, edge: Place) -> ColumnElement[bool]:
    opened_at, number = edge
    return and_(c.opened_at >= opened_at, or_(c.opened_at > opened_at, c.number >= number))
