"""The core's admin actions: what `wanmi status`, `node`, `people` and `token` do, live or not."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping
from contextlib import closing
from dataclasses import asdict, replace
from typing import Any, TypeVar

import msgspec
from sqlalchemy import select

from wanmi import identity
from wanmi.clock import Clock
from wanmi.erasure import register_erasure
from wanmi.errors import BadInput
from wanmi.identity.asking import Approval, approve_ask, deny_ask, view_asked
from wanmi.identity.enrolment import make_token
from wanmi.identity.rotating import register_rotating
from wanmi.identity.terminals import admit_terminal, list_terminals, order_rotation, revoke_terminal
from wanmi.keeping import register_keeping
from wanmi.models import NodeRow, table
from wanmi.node.clockwatch import watch_clock
from wanmi.plugins import remove_off
from wanmi.registry import AdminResult, NodeContext, Progress, Registry

Args = Mapping[str, Any]
Items = Iterator[Progress | AdminResult]
T = TypeVar("T")
TOLD_SECONDS = 0.5
"""Between two lines of progress; whoever stops waiting ends the work within it."""


def register_node(to: Registry) -> None:
    """Register the core's actions, tables of people and tokens, and the clock's task."""
    to.tables(*identity.IDENTITY_ROWS)
    to.task("clock", watch_clock)
    register_erasure(to)
    register_rotating(to)
    register_keeping(to)
    to.action("status", _status, help="health lines, cursors, announced places")
    to.action("replay.check", check_replay, help="rebuild the projections and compare them")
    to.action("node.admit", _admit, help="admit a child node by its token")
    to.action("node.revoke", _revoke, help="revoke a child node")
    to.action("node.list", _list, help="the nodes that are known here")
    to.action("node.token", _token, help="a new one-time token of this node")
    to.action("node.plugin_on", _plugin_on, help="let a plugin be loaded again that was found hanging")
    to.action("terminal.admit", _admit_terminal, help="admit a terminal by its card")
    to.action("terminal.revoke", _revoke_terminal, help="revoke a terminal")
    to.action("terminal.rotate", _rotate_terminal, help="have a terminal make a new key")
    to.action("terminal.asked", _asked, help="terminals that ask to be admitted")
    to.action("terminal.approve", _approve, help="admit a terminal that asked")
    to.action("terminal.deny", _deny, help="turn a terminal away that asked")
    to.action("terminal.list", _list_terminals, help="the terminals that are admitted")
    to.action("people.add", _add_person, help="add a person who may log in")
    to.action("people.list", _list_people, help="people, their posts")
    to.action("people.password", _set_password, help="give a person a new password")
    to.action("people.active", _set_active, help="let a person log in, or no longer")
    to.action("people.posts", _set_posts, help="give a person other posts")
    to.action("token.add", _add_token, help="make a token for a machine")
    to.action("token.list", _list_tokens, help="the tokens, without their secrets")
    to.action("token.revoke", _revoke_token, help="revoke a token")


def _status(node: NodeContext, _args: Args) -> Items:
    cursors = {origin: cursor.seq for origin, cursor in sorted(node.journal.cursors().items())}
    yield {
        "code": node.code,
        "role": node.role,
        "parent": node.parent,
        "cursors": cursors,
        "health": [asdict(line) | {"facts": dict(line.facts)} for line in node.health()],
    }


def check_replay(node: NodeContext, _args: Args) -> Items:
    """Rebuild every projection and compare, in one snapshot: the node may go on working meanwhile."""
    from wanmi.journal.proof import replaying

    replayed = yield from _estimated(replaying(node.store, node.registry), node.clock)
    yield {"entries": replayed.entries, "differences": [str(difference) for difference in replayed.differences]}


def _estimated(steps: Generator[Progress, None, T], clock: Clock) -> Generator[Progress, None, T]:
    """Progress now and then, with the time that is left; what the work answers at its end."""
    began = told = clock.monotonic()
    with closing(steps):
        while True:
            try:
                step = next(steps)
            except StopIteration as end:
                answer: T = end.value
                return answer
            now = clock.monotonic()
            if now - told >= TOLD_SECONDS or step.done == step.total:
                told, left = now, (now - began) * (step.total - step.done) / max(step.done, 1)
                yield replace(step, message=f"{step.message}, about {left:.0f} s left" if left else step.message)


def _admit(node: NodeContext, args: Args) -> Items:
    admitted = identity.admit_node(node, _text(args, "token"))
    yield {
        **msgspec.to_builtins(admitted),
        "sign_fingerprint": identity.fingerprint(bytes.fromhex(admitted.sign_key)),
        "curve_fingerprint": identity.fingerprint(bytes.fromhex(admitted.curve_key)),
    }


def _revoke(node: NodeContext, args: Args) -> Items:
    identity.revoke_node(node, _text(args, "code"), _text(args, "reason"))
    yield {"code": args["code"]}


def _list(node: NodeContext, _args: Args) -> Items:
    nodes = table(NodeRow)
    with node.store.reader() as connection:
        yield {"nodes": [dict(row._mapping) for row in connection.execute(select(nodes).order_by(nodes.c.code))]}


def _token(node: NodeContext, _args: Args) -> Items:
    if node.parent is None:
        raise BadInput(f"node {node.code} has no parent; set node.parent and link.parent first")
    yield {"token": make_token(identity.identity_of(node), node.parent, node.keys, node.ids, node.clock.now())}


def _plugin_on(node: NodeContext, args: Args) -> Items:
    remove_off(node.dir, _text(args, "plugin"))
    yield {"plugin": args["plugin"]}


def _admit_terminal(node: NodeContext, args: Args) -> Items:
    holder = args.get("holder")
    admitted = admit_terminal(node, _text(args, "card"), str(holder) if holder else None)
    print_of = identity.fingerprint(bytes.fromhex(admitted.sign_key))
    yield {"terminal": admitted.terminal, "holder": admitted.holder, "sign_fingerprint": print_of}


def _revoke_terminal(node: NodeContext, args: Args) -> Items:
    revoke_terminal(node, _text(args, "terminal"), _text(args, "reason"))
    yield {"terminal": args["terminal"]}


def _rotate_terminal(node: NodeContext, args: Args) -> Items:
    order_rotation(node, _text(args, "terminal"), _text(args, "reason"))
    yield {"terminal": args["terminal"]}


def _asked(node: NodeContext, args: Args) -> Items:
    yield {"asked": [msgspec.to_builtins(one) for one in view_asked(node, all=bool(args.get("all")))]}


def _approve(node: NodeContext, args: Args) -> Items:
    given = {name: str(args.get(name) or "") for name in ("terminal", "holder", "unit")}
    approval = Approval(given["terminal"], given["holder"], given["unit"], bool(args.get("replace")))
    yield {"terminal": approve_ask(node, _text(args, "id"), approval).terminal}


def _deny(node: NodeContext, args: Args) -> Items:
    deny_ask(node, _text(args, "id"), _text(args, "reason"))
    yield {"id": args["id"], "state": "denied"}


def _list_terminals(node: NodeContext, _args: Args) -> Items:
    yield {
        "terminals": [
            {"terminal": one.terminal, "holder": one.holder, "sign_key": one.sign_key} for one in list_terminals(node)
        ]
    }


def _add_person(node: NodeContext, args: Args) -> Items:
    login = _text(args, "login")
    person = identity.add_person(
        node, login=login, name=_text(args, "name"), posts=_texts(args, "posts"), password=_text(args, "password")
    )
    yield asdict(person)


def _list_people(node: NodeContext, _args: Args) -> Items:
    yield {"people": [asdict(person) for person in identity.list_people(node)]}


def _set_password(node: NodeContext, args: Args) -> Items:
    identity.set_password(node, _text(args, "login"), _text(args, "password"))
    yield {"login": args["login"]}


def _set_active(node: NodeContext, args: Args) -> Items:
    identity.set_active(node, _text(args, "login"), bool(args.get("active")))
    yield {"login": args["login"], "active": bool(args.get("active"))}


def _set_posts(node: NodeContext, args: Args) -> Items:
    identity.set_posts(node, _text(args, "login"), _texts(args, "posts"))
    yield {"login": args["login"], "posts": _texts(args, "posts")}


def _add_token(node: NodeContext, args: Args) -> Items:
    life = args.get("lifetime")
    if life is not None and (not isinstance(life, int) or life <= 0):
        raise BadInput("lifetime is a positive number of seconds")
    made = identity.add_token(node, name=_text(args, "name"), scopes=_texts(args, "scopes"), lifetime=life)
    yield {**asdict(made.token), "secret": made.secret}


def _list_tokens(node: NodeContext, _args: Args) -> Items:
    yield {"tokens": [asdict(token) for token in identity.list_tokens(node)]}


def _revoke_token(node: NodeContext, args: Args) -> Items:
    identity.revoke_token(node, _text(args, "id"))
    yield {"id": args["id"]}


def _text(args: Args, name: str) -> str:
    value = args.get(name)
    if not isinstance(value, str) or not value:
        raise BadInput(f"argument {name} is missing or no text")
    return value


def _texts(args: Args, name: str) -> list[str]:
    values = args.get(name)
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise BadInput(f"argument {name} is no list of texts")
    return values
