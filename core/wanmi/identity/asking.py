"""Terminals that ask to be admitted: a person compares the fingerprint, then approves or denies at the district."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import select

from wanmi.errors import BadInput, Conflict, NotAllowed, NotFound
from wanmi.identity.keys import fingerprint
from wanmi.identity.terminals import checked_reason, is_admitted, terminal_entries, terminal_subject
from wanmi.journal.terminal_asks import Asked, list_asked
from wanmi.kinds import TerminalAdmitted, TerminalDenied, home_district
from wanmi.models import TerminalRow, table
from wanmi.registry import Draft
from wanmi.reports.envelope import TERMINAL_ID, key_id

if TYPE_CHECKING:
    from wanmi.registry import NodeContext


@dataclass(frozen=True)
class AskView:
    """A request as people see it: ``id`` to name it by, ``fingerprint`` to compare with the terminal's screen. µs UTC."""

    id: str
    fingerprint: str
    edge: str
    model: str
    app: str
    asked_at: int
    expires_at: int
    state: str
    terminal: str
    reason: str


@dataclass(frozen=True)
class Approval:
    """Whom a terminal is given to; ``terminal`` empty: the next free id; ``replace``: it had this id with a key that is lost."""

    terminal: str = ""
    holder: str | None = None
    unit: str | None = None
    replace: bool = False


def view_asked(node: NodeContext, *, all: bool = False) -> list[AskView]:
    """The requests that wait, or all that are known; the newest first."""
    with node.store.reader() as tx:
        return [_view(one) for one in list_asked(tx, node.clock.now()) if all or one.state == "pending"]


def find_asked(node: NodeContext, id: str) -> AskView:
    """A request, however it stands; NotFound."""
    found = next((one for one in view_asked(node, all=True) if one.id == id), None)
    if found is None:
        raise NotFound(f"request {id!r}: none of that id; `wanmi terminal asked` lists them")
    return found


def approve_ask(node: NodeContext, id: str, approval: Approval, actor: str | None = None) -> TerminalAdmitted:
    """At a district: admit the terminal that asked. NotAllowed elsewhere, NotFound, Conflict (decided, expired, id taken)."""
    asked = _pending(node, id)
    terminal = approval.terminal or _next_id(node)
    if not re.match(TERMINAL_ID, terminal) or home_district(terminal) != node.code:
        raise BadInput(f"terminal {terminal!r}: an id of this district looks like T{node.code}-0001")
    earlier = terminal_entries(node, terminal)
    if is_admitted(earlier) and not approval.replace:
        raise Conflict(f"terminal {terminal} is admitted with another key; approve with `replace` if that key is lost")
    body = TerminalAdmitted(
        terminal, asked.sign_key, asked.broker_verifier, approval.holder or None, approval.unit or None
    )
    subject = terminal_subject(node.code, terminal)
    node.journal.append(Draft("terminal.admitted", subject, body, actor=actor, expect=len(earlier))).result()
    return body


def deny_ask(node: NodeContext, id: str, reason: str, actor: str | None = None) -> None:
    """At a district: turn the terminal away; it shows the reason."""
    asked = _pending(node, id)
    subject = f"ask:{node.code}:{_id(asked)}"
    body = TerminalDenied(asked.sign_key, checked_reason(reason))
    node.journal.append(Draft("terminal.denied", subject, body, actor=actor, expect=0)).result()


def _pending(node: NodeContext, id: str) -> Asked:
    if node.role != "district":
        raise NotAllowed(
            f"node {node.code} is a {node.role}: a terminal is approved or denied at its district {node.parent or ''}"
        )
    with node.store.reader() as tx:
        found = [one for one in list_asked(tx, node.clock.now()) if _id(one) == id]
    if not found:
        raise NotFound(f"request {id!r}: none of that id; `wanmi terminal asked` lists them")
    if found[0].state != "pending":
        raise Conflict(f"request {id}: it is {found[0].state} already {found[0].terminal or found[0].reason}".rstrip())
    return found[0]


def _next_id(node: NodeContext) -> str:
    row = table(TerminalRow).c
    with node.store.reader() as tx:
        used = tx.execute(select(row.terminal).where(row.terminal.like(f"T{node.code}-%"))).scalars()
        number = max((int(one.partition("-")[2]) for one in used), default=0) + 1
    return f"T{node.code}-{number:04d}"


def _id(asked: Asked) -> str:
    return key_id(bytes.fromhex(asked.sign_key))


def _view(one: Asked) -> AskView:
    public = bytes.fromhex(one.sign_key)
    return AskView(
        _id(one), fingerprint(public), one.edge, one.model, one.app, one.asked_at, one.expires_at, one.state, one.terminal, one.reason,
    )  # fmt: skip
