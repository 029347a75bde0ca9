"""A node's book of routing data: read from its table on first use, kept until an entry changes it."""

from __future__ import annotations

import threading
from functools import cache
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

import msgspec
from sqlalchemy import select

from wanmi.errors import BadInput
from wanmi.registry import NodeContext, Stored
from wanmi_casework.routing.book import Book
from wanmi_casework.routing.kinds import DepartmentSet, Item, ResponsibilitySet, RuleSet
from wanmi_casework.routing.tables import DATA_KINDS, ROUTING

if TYPE_CHECKING:
    from wanmi.journal import Journal


def read_items(node: NodeContext, upto: int | None = None) -> tuple[list[Item], str]:
    """Every version that this node said up to its entry ``upto`` (default: all), and the newest entry among them."""
    query = select(ROUTING.c.seq, ROUTING.c.kind, ROUTING.c.item).where(ROUTING.c.origin == node.code)
    if upto is not None:
        query = query.where(ROUTING.c.seq <= upto)
    with node.store.reader() as connection:
        rows = connection.execute(query.order_by(ROUTING.c.seq)).all()
    items: list[Item] = [msgspec.json.decode(row.item, type=DATA_KINDS[row.kind]) for row in rows]
    return items, f"{node.code}:{rows[-1].seq}" if rows else ""


def read_book(node: NodeContext, upto: int | None = None) -> Book:
    """The node's routing data as it stood after its entry ``upto`` (default: now)."""
    items, version = read_items(node, upto)
    return Book(
        [one for one in items if isinstance(one, DepartmentSet)],
        [one for one in items if isinstance(one, ResponsibilitySet)],
        [one for one in items if isinstance(one, RuleSet)],
        version,
    )


def book_of_version(node: NodeContext, version: str) -> Book:
    """The book that an earlier answer names as its version; BadInput when this node never had it."""
    origin, _, seq = version.partition(":")
    if origin != node.code or not seq.isascii() or not seq.isdigit():
        raise BadInput(
            f"version {version!r}: not of node {node.code}; give it as an answer named it, like {node.code}:57"
        )
    book = read_book(node, int(seq))
    if book.version != version:
        raise BadInput(f"version {version}: entry {seq} of node {node.code} is no routing data")
    return book


def current_book(node: NodeContext) -> Book:
    """The node's routing data as it is committed now."""
    return _books().of(node).current(node)


class KeptBook:
    """The book of one node. It holds neither journal nor store, so that a node that is gone is let go."""

    def __init__(self, journal: Journal) -> None:
        self._lock = threading.Lock()
        self._changes = 1
        self._read_at = 0
        self._book = Book()
        journal.listen(self._told)

    def current(self, node: NodeContext) -> Book:
        """The book, read again after entries that change it."""
        with self._lock:
            changes = self._changes
            if self._read_at != changes:
                self._book, self._read_at = read_book(node), changes
            return self._book

    def _told(self, new: list[Stored]) -> None:
        if any(stored.entry is not None and stored.entry.kind in DATA_KINDS for stored in new):
            self._changes += 1


class Books:
    """The kept books of the nodes of this process, dropped with their journals."""

    def __init__(self) -> None:
        self._kept: WeakKeyDictionary[Journal, KeptBook] = WeakKeyDictionary()
        self._lock = threading.Lock()

    def of(self, node: NodeContext) -> KeptBook:
        """The node's kept book."""
        with self._lock:
            kept = self._kept.get(node.journal)
            if kept is None:
                kept = self._kept[node.journal] = KeptBook(node.journal)
            return kept


@cache
def _books() -> Books:
    return Books()
