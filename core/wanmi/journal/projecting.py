"""Entries to projections: body check, batches by projection, quarantine for what cannot be applied."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

import msgspec
from sqlalchemy import Connection
from sqlalchemy.exc import InternalError, OperationalError

from wanmi.entries import Entry
from wanmi.errors import BadEntry, BadInput
from wanmi.models import QuarantineRow
from wanmi.registry import EntryKind, Projection, Registry
from wanmi.store import upsert_rows

B = TypeVar("B", bound=msgspec.Struct)
BODY = "body"
"""The quarantine's name for entries whose body does not fit their kind."""


def body_of(entry: Entry, body: type[B]) -> B:
    """The entry's body as its kind's type; BadEntry if it does not fit."""
    try:
        return msgspec.convert(entry.body, body, strict=True)
    except msgspec.ValidationError as error:
        raise BadEntry(f"{entry.kind} {entry.origin}:{entry.seq}: {error}") from error


def _reason(error: Exception) -> str:
    """What the quarantine says: the message of our own errors, the first line of a foreign one with its type."""
    if isinstance(error, BadInput):
        return str(error)
    return f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"


class Projector:
    """Runs a registry's projections over batches of entries within a transaction."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    def project_own(self, tx: Connection, entries: Sequence[Entry]) -> None:
        """Apply entries that this node is writing: whatever a projection refuses refuses the append."""
        for projection, part in self._parts(entries):
            projection.apply(tx, part)

    def project_replica(self, tx: Connection, entries: Sequence[Entry]) -> int:
        """Apply entries of any chain; what cannot be applied is quarantined. Returns how many were."""
        refused: list[tuple[Any, ...]] = []
        good = [entry for entry in entries if self._fits(entry, refused)]
        for projection, part in self._parts(good):
            self._apply(tx, projection, part, refused)
        upsert_rows(tx, QuarantineRow, refused)
        return len(refused)

    def check_body(self, entry: Entry) -> None:
        """BadEntry if the kind is known here and the body does not fit it."""
        kind = self._kind(entry)
        if kind is not None:
            body_of(entry, kind.body)

    def _kind(self, entry: Entry) -> EntryKind | None:
        return self._registry.kinds.get((entry.kind, entry.kind_v))

    def _fits(self, entry: Entry, refused: list[tuple[Any, ...]]) -> bool:
        try:
            self.check_body(entry)
        except BadInput as error:
            refused.append((entry.origin, entry.seq, BODY, str(error)))
            return False
        return True

    def _parts(self, entries: Sequence[Entry]) -> list[tuple[Projection, list[Entry]]]:
        """Each projection with its entries in order; kinds or versions that are unknown here have none."""
        known = [entry for entry in entries if self._kind(entry) is not None]
        kinds = {entry.kind for entry in known}
        parts = []
        for projection in self._registry.projections.values():
            wanted = kinds.intersection(projection.kinds)
            if wanted:
                parts.append((projection, known if wanted == kinds else [e for e in known if e.kind in wanted]))
        return parts

    def _apply(
        self, tx: Connection, projection: Projection, entries: Sequence[Entry], refused: list[tuple[Any, ...]]
    ) -> None:
        try:
            with tx.begin_nested():
                projection.apply(tx, entries)
        except (OperationalError, InternalError):
            raise  # the disk or the server, not the entry: nothing may be quarantined for that
        except Exception as error:  # noqa: BLE001 - the plugin border: the entry is quarantined, the cursor moves on
            if len(entries) == 1:
                refused.append((entries[0].origin, entries[0].seq, projection.name, _reason(error)))
                return
            middle = len(entries) // 2  # halves again: one bad entry among a thousand costs twenty tries
            self._apply(tx, projection, entries[:middle], refused)
            self._apply(tx, projection, entries[middle:], refused)
