"""What may be attached to an ask: a photo or sound that its actor uploaded for the case, or what is evidence of it already.

An ask only names blobs. What they are (role, media, size, digest) is this node's own record of the upload or of the
evidence; what the sender says about them is not read. A receipt of an upload counts for one actor and one case, once: with
the entry that names the blob it is spent, and the blob is evidence of the case. One never named is erased after a day.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import Any, Literal

from sqlalchemy import BigInteger, Connection, String, Text, delete, select
from sqlalchemy.orm import Mapped, mapped_column

from wanmi.cases import Case
from wanmi.errors import BadInput
from wanmi.journal.task_rows import AnswerRow, TaskRow
from wanmi.kinds import Attachment
from wanmi.models import Row, mark, table
from wanmi.query import evidence_of
from wanmi.registry import Draft, NodeContext, Stored
from wanmi.reports.bodies import answer_subject
from wanmi.reports.pictures import check_media
from wanmi.store import insert_rows, vouchers_of

MOST = 20
"""Attachments of one ask."""
KEPT = 24 * 3_600_000_000
"""How long an upload waits for the ask that names it, µs."""
_SWEPT = 100
"""Uploads that are forgotten at once."""

MEDIA: dict[str, Literal["photo", "sound"]] = {
    "image/jpeg": "photo",
    "image/png": "photo",
    "image/webp": "photo",
    "audio/mpeg": "sound",
    "audio/ogg": "sound",
}


class UploadRow(Row):
    """The receipt of an upload that no entry names yet: sealed for case ``number`` by ``actor``; sizes in bytes, ``at`` µs."""

    __tablename__ = "desk_upload"
    blob: Mapped[str] = mapped_column(String(64), primary_key=True)
    number: Mapped[str] = mapped_column(String(60))
    actor: Mapped[str] = mapped_column(Text)
    role: Mapped[str] = mapped_column(String(10))
    media: Mapped[str] = mapped_column(Text)
    size: Mapped[int] = mapped_column(BigInteger)
    digest: Mapped[str] = mapped_column(String(64))
    at: Mapped[int] = mapped_column(BigInteger)
    __table_args__ = mark("local")


def upload(node: NodeContext, number: str, actor: str, content: bytes, media: str) -> Attachment:
    """Seal a photo or sound for a case, durably; BadInput for what is no such thing."""
    if media not in MEDIA:
        raise BadInput(f"content type {media[:40]!r}: must be one of {', '.join(MEDIA)}")
    check_media(content, media)
    sealed, now = node.blobs.seal(content), node.clock.now()
    made = Attachment(MEDIA[media], sha256(content).hexdigest(), len(content), media, sealed.blob)
    row = (made.blob, number, actor, made.role, made.media, made.size, made.digest, now)

    def work(tx: Connection) -> None:
        node.blobs.add(tx, sealed)
        insert_rows(tx, UploadRow, [row])
        _sweep(node, tx, now - KEPT)

    node.store.write(work).result()
    return made


def attachable(node: NodeContext, case: Case, actor: str, named: Sequence[Attachment]) -> tuple[Attachment, ...]:
    """What an ask of ``actor`` names, as this node knows it; BadInput for a blob that they may not attach to the case.

    The answer is the same whether there is such a blob or not: asking tells nothing about another case.
    """
    blobs = list(dict.fromkeys(one.blob for one in named))
    if not blobs:
        return ()
    if len(blobs) > MOST:
        raise BadInput(f"case {case.number}: at most {MOST} attachments at once")
    with node.store.reader() as tx:
        known = _evidence(tx, node, case) | _uploaded(tx, case.number, actor, blobs, node.clock.now() - KEPT)
    for blob in blobs:
        if blob not in known:
            raise BadInput(
                f"case {case.number}: attachment {blob[:12]} was not uploaded for it by you in the last day, nor is it "
                f"evidence of it that is here; POST /api/v1/cases/{case.number}/attachments takes it"
            )
        if known[blob].role == "photo":
            check_media(node.blobs.open(blob), known[blob].media)
    return tuple(known[blob] for blob in blobs)


def attached_by(drafts: Iterable[Draft]) -> list[str]:
    """The blobs that entries to be written attach to their cases."""
    return [one.blob for draft in drafts for one in getattr(draft.body, "attachments", ())]


def spend(tx: Connection, blobs: Sequence[str], made: Sequence[Stored]) -> None:
    """Within the transaction that names them: the receipts are used up."""
    if blobs and made:
        tx.execute(delete(table(UploadRow)).where(table(UploadRow).c.blob.in_(blobs)))


def _uploaded(tx: Connection, number: str, actor: str, blobs: list[str], since: int) -> dict[str, Attachment]:
    row = table(UploadRow).c
    query = select(row.role, row.digest, row.size, row.media, row.blob).where(
        row.blob.in_(blobs), row.number == number, row.actor == actor, row.at >= since
    )
    return {one.blob: _attachment(one) for one in tx.execute(query)}


def _evidence(tx: Connection, node: NodeContext, case: Case) -> dict[str, Attachment]:
    """What entries already name of the case, its report and the answers to its tasks, and what is here."""
    task, answer = table(TaskRow).c, table(AnswerRow).c
    query = select(answer.edge, answer.task_id, answer.terminal).join_from(
        table(AnswerRow), table(TaskRow), (answer.task_id == task.task_id) & (answer.terminal == task.terminal)
    )
    answers = [
        answer_subject(*row) for row in tx.execute(query.where(task.case == case.number, task.district == case.owner))
    ]
    relayed = [f"relay:{one.partition(':')[2]}" for one in answers]
    subjects = [f"case:{case.number}", *([case.opened.report] if case.opened.report else []), *answers, *relayed]
    found = evidence_of(tx, subjects, vouchers_of(node.code, node.parent))
    return {one.blob: _attachment(one) for one in found if one.state == "here" and one.role != "track"}


def _attachment(one: Any) -> Attachment:
    return Attachment(one.role, one.digest, one.size, one.media, one.blob)


def _sweep(node: NodeContext, tx: Connection, before: int) -> None:
    """Erase what was uploaded and never named."""
    row = table(UploadRow).c
    old = list(tx.execute(select(row.blob).where(row.at < before).order_by(row.at).limit(_SWEPT)).scalars())
    for blob in old:
        node.blobs.destroy_key(tx, blob)
    tx.execute(delete(table(UploadRow)).where(row.blob.in_(old)))
