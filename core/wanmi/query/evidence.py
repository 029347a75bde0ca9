"""Sealed attachments: what an entry names, and whether its blob is here, still to come, or erased.

Who called is no evidence: that part is left out here and shown by the hotline alone.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import Connection, Select, select, tuple_

from wanmi.errors import NotFound
from wanmi.models import CALLER, AttachmentRow, BlobRow, table
from wanmi.store import namings_of

_CHUNK = 400


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


def evidence_of(tx: Connection, subjects: Iterable[str], vouchers: Collection[str]) -> list[Evidence]:
    """The attachments of these subjects (a case and its report name the same ones), each blob once.

    Left out is what a chain names of another district's without its parent's word, and whatever tells who a person is
    (``wanmi.store.named``); ``vouchers`` are this node and its parent.
    """
    a = table(AttachmentRow).c
    rows = tx.execute(_query().where(a.subject.in_(sorted(set(subjects)))).order_by(a.origin, a.seq, a.n)).all()
    namings = namings_of(tx, [row.blob for row in rows], vouchers)
    count = {(naming.blob, *naming.key) for blob in namings.values() for naming in blob}
    found: dict[str, Evidence] = {}
    for row in rows:
        if (row.blob, row.origin, row.seq, row.role) in count:
            found.setdefault(row.blob, _evidence(row))
    return list(found.values())


def evidence_by_blob(tx: Connection, blob: str, vouchers: Collection[str]) -> list[Evidence]:
    """What a blob is evidence of, the first to name it first; NotFound when no entry that counts names it so."""
    a = table(AttachmentRow).c
    keys = [one.key for one in namings_of(tx, [blob], vouchers).get(blob, ())]
    named: dict[tuple[str, int, str], Evidence] = {}
    for start in range(0, len(keys), _CHUNK):
        which = tuple_(a.origin, a.seq, a.role).in_(keys[start : start + _CHUNK])
        for row in tx.execute(_query().where(a.blob == blob, which)):
            named[row.origin, row.seq, row.role] = _evidence(row)
    found = [named[key] for key in keys if key in named]
    if not found:
        raise NotFound(f"blob {blob[:12]}: no entry at this node names it")
    return found


def _query() -> Select[Any]:
    a, b = table(AttachmentRow), table(BlobRow)
    here = b.c.blob.label("here")
    return select(a, here, b.c.key).select_from(a.outerjoin(b, b.c.blob == a.c.blob)).where(a.c.role != CALLER)


def _evidence(row: Any) -> Evidence:
    state: Literal["here", "pending", "erased"] = "pending"
    if row.here is not None:
        state = "erased" if row.key is None else "here"
    return Evidence(row.role, row.media, row.size, row.digest, row.blob, row.subject, state)
