"""Terminals of a district: admitted by their card, revoked by their id."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from sqlalchemy import select

from wanmi.errors import BadInput, Conflict, NotAllowed, NotFound
from wanmi.kinds import TerminalAdmitted, TerminalRevoked, TerminalRotationOrdered
from wanmi.models import TerminalRow, table
from wanmi.registry import Draft
from wanmi.reports.cards import read_card

if TYPE_CHECKING:
    from wanmi.registry import NodeContext, Stored

MAX_REASON = 500
"""Characters of why a terminal is turned away, revoked or rotated: terminals and screens show it."""


def admit_terminal(node: NodeContext, card: str, holder: str | None = None) -> TerminalAdmitted:
    """At a district: admit the terminal whose card this is; returns what was journaled.

    ``holder`` is the opaque id of the person who carries it. A terminal of another district is a guest: this
    district's edges take its reports, its home district opens their cases. Raises BadInput (card), NotAllowed
    (this node is no district), Conflict (admitted already with this or another key).
    """
    read = read_card(card)
    if node.role != "district":
        raise NotAllowed(f"terminal {read.terminal}: a district admits terminals, node {node.code} is a {node.role}")
    earlier = terminal_entries(node, read.terminal)
    if is_admitted(earlier):
        raise Conflict(f"terminal {read.terminal} is admitted already; revoke it first if its key has changed")
    body = TerminalAdmitted(
        terminal=read.terminal, sign_key=read.public_key, broker_verifier=read.broker_verifier, holder=holder
    )
    node.journal.append(
        Draft("terminal.admitted", terminal_subject(node.code, read.terminal), body, expect=len(earlier))
    ).result()
    return body


def revoke_terminal(node: NodeContext, terminal: str, reason: str, actor: str | None = None) -> None:
    """At a district: refuse a terminal's reports from now on; BadInput (reason), NotFound when it is not admitted here."""
    body = TerminalRevoked(terminal, checked_reason(reason))
    _say_of_admitted(node, "terminal.revoked", body, actor)


def order_rotation(node: NodeContext, terminal: str, reason: str, actor: str | None = None) -> None:
    """At a district: have a terminal make a new key; it does so when it hears of it. Raises as ``revoke_terminal``."""
    body = TerminalRotationOrdered(terminal, checked_reason(reason))
    _say_of_admitted(node, "terminal.rotation_ordered", body, actor)


def checked_reason(reason: str) -> str:
    """A reason without the space around it; BadInput when there is none, or too much of it."""
    said = reason.strip()
    if not said or len(said) > MAX_REASON:
        raise BadInput(f"reason: say why, in at most {MAX_REASON} characters")
    return said


def _say_of_admitted(
    node: NodeContext, kind: str, body: TerminalRevoked | TerminalRotationOrdered, actor: str | None
) -> None:
    earlier = terminal_entries(node, body.terminal)
    if not is_admitted(earlier):
        raise NotFound(f"terminal {body.terminal} is not admitted here; `wanmi node list-terminals` shows who is")
    subject = terminal_subject(node.code, body.terminal)
    node.journal.append(Draft(kind, subject, body, actor=actor, expect=len(earlier))).result()


def list_terminals(node: NodeContext) -> list[TerminalAdmitted]:
    """The terminals that are admitted, by id: at a district its own, at a city or edge those it knows of."""
    terminals = table(TerminalRow)
    query = select(terminals).where(terminals.c.state == "admitted").order_by(terminals.c.terminal)
    with node.store.reader() as connection:
        return [
            TerminalAdmitted(row.terminal, row.sign_key, row.broker_verifier, row.holder)
            for row in connection.execute(query)
        ]


def terminal_entries(node: NodeContext, terminal: str) -> list[Stored]:
    """What this node said of a terminal, in order."""
    return [
        stored for stored in node.journal.subject(terminal_subject(node.code, terminal)) if stored.origin == node.code
    ]


def is_admitted(said: Sequence[Stored]) -> bool:
    """Whether a terminal is admitted after these entries of its district."""
    return bool(said) and said[-1].entry is not None and said[-1].entry.kind != "terminal.revoked"


def terminal_subject(district: str, terminal: str) -> str:
    """The subject of what a district says of a terminal."""
    return f"terminal:{district}:{terminal}"
