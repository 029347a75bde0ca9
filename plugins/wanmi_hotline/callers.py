"""Who called: sealed, opened for those who may, found again by a keyed hash that only this node can make."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass

import msgspec
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from sqlalchemy import Connection, delete, select

from wanmi.errors import BadInput, NotAllowed, NotFound
from wanmi.kinds import Sealed as SealedPart
from wanmi.models import AttachmentRow, ErasedRow, table
from wanmi.registry import NodeContext
from wanmi.reports import read_text, text_part
from wanmi.store import Sealed, upsert_rows
from wanmi_hotline.numbers import Number
from wanmi_hotline.projecting import Call
from wanmi_hotline.rows import CallRow, CallSealedRow, NumberRow

CALLER_MEDIA = "application/json"
TEXT_MEDIA = "text/plain"
_INFO = b"wanmi/hotline/number/1"


class Caller(msgspec.Struct, frozen=True):
    """Who called: the number in its one spelling, the name as the operator wrote it, notes about the person."""

    number: str
    name: str = ""
    notes: str = ""


@dataclass(frozen=True)
class SealedText:
    """A part to be named in an entry, and its blob to be stored with that entry."""

    part: SealedPart
    blob: Sealed


def seal_text(node: NodeContext, text: str, media: str = TEXT_MEDIA) -> SealedText:
    """Seal a text; salted, so that its digest tells nothing."""
    return seal_bytes(node, text_part(text, node.ids.token(16)), media)


def seal_bytes(node: NodeContext, content: bytes, media: str) -> SealedText:
    """Seal bytes."""
    blob = node.blobs.seal(content)
    return SealedText(SealedPart(hashlib.sha256(content).hexdigest(), len(content), media, blob.blob), blob)


def seal_caller(node: NodeContext, caller: Caller) -> SealedText:
    """Seal who called."""
    return seal_text(node, msgspec.json.encode(caller).decode(), CALLER_MEDIA)


def open_caller(node: NodeContext, blob: str) -> Caller | None:
    """Who called; None when it was erased or is not here."""
    try:
        return msgspec.json.decode(read_text(node.blobs.open(blob)), type=Caller)
    except (NotAllowed, NotFound):
        return None
    except msgspec.DecodeError as error:
        raise BadInput(f"blob {blob[:12]}: what it holds tells of no caller: {error}") from error


def number_digest(node: NodeContext, number: Number) -> str:
    """The keyed hash of a number: worthless without this node's local key."""
    key = HKDF(hashes.SHA256(), 32, salt=None, info=_INFO).derive(node.keys.local)
    return hmac.new(key, str(number).encode(), hashlib.sha256).hexdigest()


def remember_number(tx: Connection, subject: str, digest: str, at: int) -> None:
    """Note, locally, which number a call was of."""
    upsert_rows(tx, NumberRow, [(subject, digest, at)])


def digest_of_call(tx: Connection, subject: str) -> str | None:
    """The keyed hash of a call's number; None when it was hidden or erased."""
    number = table(NumberRow).c
    return tx.execute(select(number.digest).where(number.subject == subject)).scalar_one_or_none()


def calls_of_number(tx: Connection, digest: str, *, but: str = "", limit: int = 10) -> list[Call]:
    """Calls of one number, newest first."""
    call, number = table(CallRow), table(NumberRow)
    query = (
        select(call)
        .join(number, number.c.subject == call.c.subject)
        .where(number.c.digest == digest, call.c.subject != but)
        .order_by(number.c.at.desc(), call.c.subject)
        .limit(limit)
    )
    return [Call(**row._mapping) for row in tx.execute(query)]


def caller_blob(tx: Connection, subject: str) -> str | None:
    """The newest blob that tells who called."""
    return next(iter(sealed_of(tx, subject, "caller")), None)


def sealed_of(tx: Connection, subject: str, role: str) -> list[str]:
    """Blobs of a call in one role, newest first."""
    part = table(CallSealedRow).c
    query = select(part.blob).where(part.subject == subject, part.role == role).order_by(part.seq.desc())
    return list(tx.execute(query).scalars())


def blobs_of_number(node: NodeContext, digest: str) -> list[str]:
    """Every sealed blob of the calls of a number, and of the reports made of them."""
    number, call, part, named = table(NumberRow).c, table(CallRow).c, table(CallSealedRow).c, table(AttachmentRow).c
    with node.store.reader() as tx:
        subjects = list(tx.execute(select(number.subject).where(number.digest == digest)).scalars())
        reports = select(call.report).where(call.subject.in_(subjects), call.report.is_not(None))
        of_calls = tx.execute(select(part.blob).where(part.subject.in_(subjects)).order_by(part.seq)).scalars()
        of_reports = tx.execute(select(named.blob).where(named.subject.in_(reports)).order_by(named.seq)).scalars()
        return list(dict.fromkeys([*of_calls, *of_reports]))


def forget_numbers(node: NodeContext) -> None:
    """Forget which number a call was of where who called was erased: the hash, too, tells of a person."""
    number, part, erased = table(NumberRow), table(CallSealedRow).c, table(ErasedRow).c
    gone = select(part.subject).join(table(ErasedRow), erased.blob == part.blob).where(part.role == "caller")
    with node.store.reader() as tx:
        left = tx.execute(select(number.c.subject).where(number.c.subject.in_(gone)).limit(1)).first()
    if left is not None:
        node.store.write(lambda tx: tx.execute(delete(number).where(number.c.subject.in_(gone)))).result()


def own_audience(node: NodeContext) -> tuple[str, ...] | str:
    """To whom a node's entries about persons and calls go: its parent; at a city only itself."""
    return (node.parent or node.code,)
