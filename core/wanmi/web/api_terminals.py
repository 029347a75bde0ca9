"""/api/v1/terminals: every terminal that this node knows of, those that ask to be admitted, and what a district decides."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from fastapi import APIRouter, Path

from wanmi.identity.asking import Approval, AskView, approve_ask, deny_ask, find_asked, view_asked
from wanmi.identity.terminals import order_rotation, revoke_terminal
from wanmi.query.terminals import TerminalView, find_terminal, list_terminals_heard
from wanmi.registry import NodeContext
from wanmi.web.bounds import Id, Words
from wanmi.web.callers import Reading, needs

AskId = Annotated[str, Path(max_length=40, description="a request's `id`, as it is listed")]
TerminalId = Annotated[str, Path(max_length=20, description="`T210102-0001`")]


@dataclass(frozen=True)
class TerminalsOut:
    """Terminals by id; ``as_of`` µs UTC."""

    as_of: int
    terminals: list[TerminalView]


@dataclass(frozen=True)
class AskedOut:
    """Terminals that ask to be admitted, the newest first; ``as_of`` µs UTC."""

    as_of: int
    asked: list[AskView]


@dataclass(frozen=True)
class ApproveIn:
    """Whom it is given to; ``terminal`` empty: the next free id; ``replace``: it had this id with a key that is lost."""

    terminal: Id = ""
    holder: Id = ""
    unit: Id = ""
    replace: bool = False


@dataclass(frozen=True)
class ReasonIn:
    """Why, in at most 500 characters; it is journaled, and a terminal that is turned away shows it."""

    reason: Words


def terminal_routes(node: NodeContext) -> APIRouter:
    """The routes under /api/v1."""
    router = APIRouter(tags=["devices"])

    @router.get("/terminals")
    @needs("device.read")
    def terminals() -> TerminalsOut:
        """Last seen, battery, app, queue, pending tasks, age of credentials and of the proven way to the district."""
        now = node.clock.now()
        with node.store.reader() as tx:
            return TerminalsOut(now, list(list_terminals_heard(tx, now)))

    _deciding(router, node)
    _keeping(router, node)
    return router


def _deciding(router: APIRouter, node: NodeContext) -> None:
    @router.get("/terminals/asked")
    @needs("device.read")
    def asked(state: Literal["pending", "all"] = "pending") -> AskedOut:
        """Terminals that ask to be admitted: compare the fingerprint with the terminal's screen."""
        return AskedOut(node.clock.now(), view_asked(node, all=state == "all"))

    @router.post("/terminals/asked/{id}/approve")
    @needs("terminal.change")
    def approve(caller: Reading, id: AskId, ask: ApproveIn) -> AskView:
        """Admit a terminal that asked; the answer's `terminal` is the id that it has now."""
        approval = Approval(ask.terminal.strip(), ask.holder.strip(), ask.unit.strip(), ask.replace)
        approve_ask(node, id, approval, caller.actor.id)
        return find_asked(node, id)

    @router.post("/terminals/asked/{id}/deny")
    @needs("terminal.change")
    def deny(caller: Reading, id: AskId, ask: ReasonIn) -> AskView:
        """Turn a terminal away that asked."""
        deny_ask(node, id, ask.reason, caller.actor.id)
        return find_asked(node, id)


def _keeping(router: APIRouter, node: NodeContext) -> None:
    @router.post("/terminals/{terminal}/rotate")
    @needs("terminal.change")
    def rotate(caller: Reading, terminal: TerminalId, ask: ReasonIn) -> TerminalView:
        """Have a terminal make a new key and broker password; it does so when it hears of it."""
        order_rotation(node, terminal, ask.reason, caller.actor.id)
        return _view(terminal)

    @router.post("/terminals/{terminal}/revoke")
    @needs("terminal.change")
    def revoke(caller: Reading, terminal: TerminalId, ask: ReasonIn) -> TerminalView:
        """Refuse a terminal's reports from now on; brokers put it out."""
        revoke_terminal(node, terminal, ask.reason, caller.actor.id)
        return _view(terminal)

    def _view(terminal: str) -> TerminalView:
        with node.store.reader() as tx:
            return find_terminal(tx, node.code, terminal, node.clock.now())
