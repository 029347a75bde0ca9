"""Sealed attachments: what an entry names, and whether its blob is here, still to come, or erased.

Who called is no evidence: that part is left out here and shown by the hotline alone.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import Connection, Select, select

from wanmi.errors import NotFound
from wanmi.models import CALLER, AttachmentRow, BlobRow, table


@dataclass(frozen=True)
class Evidence:
    """An attachment; ``size`` and ``digest`` are of the plain content, ``blob`` names the sealed bytes."""

    role: str
    media: str
    size: int
    digest: str
    blob: str
    subject: str
    state: Literal["here", "pending", "erased"]


def evidence_of(tx: Connection, subjects: Iterable[str]) -> list[Evidence]:
    """The attachments of these subjects (a case and its report name the same ones), each blob once."""
    a = table(AttachmentRow).c
    query = _query().where(a.subject.in_(sorted(set(subjects)))).order_by(a.origin, a.seq, a.n)
    found: dict[str, Evidence] = {}
    for row in tx.execute(query):
        found.setdefault(row.blob, _evidence(row))
    return list(found.values())


def evidence_by_blob(tx: Connection, blob: str) -> Evidence:
    """The attachment that a blob belongs to; NotFound when no entry names it."""
    row = tx.execute(_query().where(table(AttachmentRow).c.blob == blob).limit(1)).first()
    if row is None:
        raise NotFound(f"blob {blob[:12]}: no entry at this node names it")
    return _evidence(row)


def _query() -> Select[Any]:
    a, b = table(AttachmentRow), table(BlobRow)
    here = b.c.blob.label("here")
    return select(a, here, b.c.key).select_from(a.outerjoin(b, b.c.blob == a.c.blob)).where(a.c.role != CALLER)


def _evidence(row: Any) -> Evidence:
    state: Literal["here", "pending", "erased"] = "pending"
    if row.here is not None:
        state = "erased" if row.key is None else "here"
    return Evidence(row.role, row.media, row.size, row.digest, row.blob, row.subject, state)
