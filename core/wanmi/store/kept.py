"""Answers kept in memory until a commit changes the tables that they were read from.

Every change goes through the one writer, so it can say which tables a transaction wrote to, whoever wrote and however.
It does so after the commit and before anybody is told that it is done: an answer kept from before is never given to
a question that was asked after. Somebody who changes the database from outside is noticed after ``LONGEST`` seconds.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Hashable, Iterable
from functools import lru_cache
from typing import Any, Generic, TypeVar

from sqlalchemy import Engine, event

A = TypeVar("A")
LONGEST = 5.0
"""Seconds that an answer is kept at most."""
MOST = 10_000
"""Answers kept at once; beyond that all are forgotten."""
_WRITES = re.compile(r'\s*(?:INSERT\s+(?:OR\s+\w+\s+)?INTO|UPDATE|DELETE\s+FROM)\s+"?(\w+)', re.IGNORECASE)


class Changes:
    """How often each table was written to, as the writer committed it. Statements are seen at its engine."""

    def __init__(self, engine: Engine) -> None:
        self._counts: Counter[str] = Counter()
        self._written: set[str] = set()
        event.listen(engine, "before_cursor_execute", self._executed)

    def count(self, tables: Iterable[str]) -> int:
        """Changes of these tables so far: it only grows."""
        return sum(self._counts[name] for name in tables)

    def begin(self) -> None:
        """A transaction begins (called by the writer)."""
        self._written = set()

    def committed(self) -> None:
        """Its commit is durable (called by the writer)."""
        self._counts.update(self._written)

    def _executed(self, _connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        name = written_table(statement)
        if name:
            self._written.add(name)


@lru_cache(maxsize=1024)
def written_table(statement: str) -> str:
    """The table that a statement writes to; empty for one that only reads."""
    found = _WRITES.match(statement)
    return found[1].lower() if found else ""


class Kept(Generic[A]):
    """Answers to one question by its key. Thread safe: an answer is put in whole, with the count it was read under."""

    def __init__(self, changes: Changes, tables: Iterable[str]) -> None:
        self._changes = changes
        self._tables = tuple(tables)
        self._answers: dict[Hashable, tuple[int, float, A]] = {}

    def get(self, key: Hashable, at: float, ask: Callable[[], A | None]) -> A | None:
        """The answer, asked anew where it may have changed; ``at`` monotonic seconds. None is never kept."""
        count = self._changes.count(self._tables)
        found = self._answers.get(key)
        if found is not None and found[0] == count and at - found[1] < LONGEST:
            return found[2]
        answer = ask()
        if answer is None:
            self._answers.pop(key, None)
            return None
        if len(self._answers) >= MOST:
            self._answers.clear()
        self._answers[key] = (count, at, answer)
        return answer
