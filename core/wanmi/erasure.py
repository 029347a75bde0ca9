"""Erasure: a person's sealed data ends for ever, at every node that holds some.

``person.erased`` names blobs; each holder destroys their keys when the entry comes (a reaction), when a blob comes
later (it gets no key), and at every start (a restored database still has old keys). The blobs' bytes stay as noise,
so that chains, digests and replay verify as before.

Whose word counts: a node's own, for whatever it holds; another's only for blobs that its chain or a descendant's
names. A district cannot erase what others reported.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import structlog
from sqlalchemy import Connection, select

from wanmi.errors import BadInput, NotFound
from wanmi.models import AttachmentRow, BlobRow, ErasedRow, NodeRow, table
from wanmi.registry import AdminResult, Draft, NodeContext, Progress, Registry, Stored

REACTOR = "core.erase"
PER_ENTRY = 400
"""Blobs that one entry names at most."""
HEX_DIGITS = 64
_HEX = frozenset("0123456789abcdef")


def register_erasure(to: Registry) -> None:
    """Register the reaction and the action behind ``wanmi erase-person``."""
    to.reactor(REACTOR, kinds=("person.erased",), decide=react)
    to.action("person.erase", erase_action, help="erase a person's sealed data everywhere")


def react(node: NodeContext, batch: Sequence[Stored]) -> list[tuple[Stored, Draft]]:  # noqa: ARG001 - a reactor
    """Destroy the keys that entries of any node name; makes no entry of its own."""
    erase_again(node)
    return []


def erase_again(node: NodeContext) -> int:
    """Destroy every key that is here although its blob was erased; returns how many. Cheap when there is none."""
    with node.store.reader() as tx:
        left = _left(tx, node.code)
    if not left:
        return 0
    node.store.write(lambda tx: _destroy(node, tx, left)).result()
    node.store.scrub()
    structlog.get_logger("wanmi.erasure").info("keys_destroyed", node=node.code, blobs=len(left))
    return len(left)


def erase_blobs(node: NodeContext, blobs: Sequence[str], reason: str) -> list[Stored]:
    """Journal that these blobs are erased, and destroy the keys here in the same transaction.

    BadInput for no blob, a text that names none, or an unknown reason.
    """
    wanted = list(dict.fromkeys(blobs))
    if not wanted or any(len(blob) != HEX_DIGITS or not _HEX.issuperset(blob) for blob in wanted):
        raise BadInput("erase: name blobs by their 64 hex digits, at least one")
    if reason not in ("request", "retention", "order"):
        raise BadInput(f"reason {reason!r}: request, retention or order")
    drafts = [_draft(node, wanted[at : at + PER_ENTRY], reason) for at in range(0, len(wanted), PER_ENTRY)]
    stored = node.journal.append(*drafts, also=lambda tx, _: _destroy(node, tx, wanted)).result()
    node.store.scrub()
    return stored


def is_erased(tx: Connection, code: str, blob: str) -> bool:
    """Whether node ``code`` must not keep a key of this blob."""
    row = table(ErasedRow).c
    origins = set(tx.execute(select(row.origin).where(row.blob == blob)).scalars())
    return bool(origins) and (code in origins or not origins.isdisjoint(_may_erase(tx, blob)))


def erase_action(node: NodeContext, args: Mapping[str, Any]) -> Iterator[Progress | AdminResult]:
    """``number`` (plugins know what is of it) or ``blobs``, and ``reason``."""
    blobs = [str(blob) for blob in args.get("blobs") or ()]
    if args.get("number"):
        blobs += node.hooks.blobs_of_person(node, str(args["number"]))
        if not blobs:
            raise NotFound("nothing here is of that number; at the node that took the call it is known")
    stored = erase_blobs(node, blobs, str(args.get("reason") or "request"))
    yield {"blobs": list(dict.fromkeys(blobs)), "entries": [f"{one.origin}:{one.seq}" for one in stored]}


def _draft(node: NodeContext, blobs: list[str], reason: str) -> Draft:
    body = {"blobs": blobs, "reason": reason}
    return Draft("person.erased", f"erasure:{node.ids.token(8).hex()}", body)


def _destroy(node: NodeContext, tx: Connection, blobs: Sequence[str]) -> None:
    for blob in blobs:
        node.blobs.destroy_key(tx, blob)


def _left(tx: Connection, code: str) -> list[str]:
    """Blobs that still have a key here although they were erased."""
    erased, blob = table(ErasedRow).c, table(BlobRow).c
    query = select(blob.blob).join(table(ErasedRow), erased.blob == blob.blob).where(blob.key.is_not(None)).distinct()
    return [one for one in tx.execute(query).scalars() if is_erased(tx, code, one)]


def _may_erase(tx: Connection, blob: str) -> set[str]:
    """The nodes whose chains name a blob, and their ancestors."""
    named, nodes = table(AttachmentRow).c, table(NodeRow).c
    waiting = set(tx.execute(select(named.origin).where(named.blob == blob)).scalars())
    found: set[str] = set()
    while waiting:
        found |= waiting
        parents = tx.execute(select(nodes.parent).where(nodes.code.in_(waiting), nodes.parent.is_not(None))).scalars()
        waiting = {str(parent) for parent in parents} - found
    return found
