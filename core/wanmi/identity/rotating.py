"""The reactor `terminals.rotate`: a district grants a terminal's request for a new key, once, if the old one is its key."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import structlog

from wanmi.journal import body_of
from wanmi.journal.terminal_keys import known_terminals
from wanmi.kinds import TerminalRotated, TerminalRotating
from wanmi.registry import Draft, NodeContext, Stored
from wanmi.reports.keys import Known
from wanmi.reports.reasons import Refused
from wanmi.reports.rotations import Rotation, RotationWire, open_rotation

if TYPE_CHECKING:
    from wanmi.registry import Registry

NAME = "terminals.rotate"
DAY = 86_400
"""Seconds."""


def register_rotating(to: Registry) -> None:
    """Register the reactor."""
    to.reactor(NAME, kinds=("terminal.rotating",), decide=grant_rotations)


def grant_rotations(node: NodeContext, batch: Sequence[Stored]) -> Iterator[tuple[Stored, Draft]]:
    """A draft of `terminal.rotated` for each request that a terminal of this district signed with its key of now.

    A request that came by two edges is granted once: then the old key is the terminal's no more.
    """
    if node.role != "district":
        return
    granted: set[str] = set()
    for stored in batch:
        if stored.entry is None:
            continue
        body = body_of(stored.entry, TerminalRotating)
        if body.terminal in granted:
            continue
        try:
            rotation = open_rotation(RotationWire(1, body.envelope, body.sig, body.new_sig))
        except Refused as error:
            structlog.get_logger("wanmi.terminals").error(
                "not_rotated", seq=stored.seq, origin=stored.origin, error=str(error)
            )
            continue
        if rotation.terminal == body.terminal and _may_follow(_known(node, body.terminal), rotation):
            granted.add(body.terminal)
            yield stored, _draft(node, body, rotation)


def _known(node: NodeContext, terminal: str) -> Known | None:
    with node.store.reader() as connection:
        return known_terminals(connection, [(node.code, terminal)]).get((node.code, terminal))


def _may_follow(known: Known | None, rotation: Rotation) -> bool:
    if known is None or known.revoked or known.public_key.hex() != rotation.old_key:
        return False
    return not known.has_key(bytes.fromhex(rotation.public_key))


def _draft(node: NodeContext, body: TerminalRotating, rotation: Rotation) -> Draft:
    said = TerminalRotated(
        rotation.terminal, rotation.old_key, rotation.public_key, rotation.broker_verifier,
        node.settings.identity.terminal_grace_days * DAY, body.envelope, body.sig, body.new_sig,
    )  # fmt: skip
    return Draft("terminal.rotated", f"terminal:{node.code}:{rotation.terminal}", said, actor=rotation.terminal)
