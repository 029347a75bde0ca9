"""Walk every route of nodes of every tier as a stranger, in every post, with every token's scope: who is let through.

The gate is the real one, with the real routes' declarations, sessions and tokens; behind it stands a stub.
"""

from __future__ import annotations

import asyncio
import csv
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from sqlalchemy import insert, update
from starlette.types import Receive, Scope, Send

from house.tree import plugin_packages
from wanmi.identity import POSTS, SCOPES, add_person, add_token, add_unit, set_unit
from wanmi.identity.sessions import csrf_of, start_session
from wanmi.models import CaseRow, table
from wanmi.node import Node
from wanmi.registry import TIERS, Tier
from wanmi.testing import small_node
from wanmi.web import build_app, session_cookie
from wanmi.web.doors import Door, Doors
from wanmi.web.gate import Gate

NO_ROUTES = {"wanmi_edge", "wanmi_federation", "wanmi_terminal", "wanmi_demo"}
CODES: dict[Tier, str] = {"city": "210100", "district": "210102", "edge": "21010201"}
CASE = "210102-E0102-20261124-0001"
"""A case of the department that the matrix' department person belongs to, given to its collector."""
STRANGER = "stranger"
PASSED = 204


@dataclass(frozen=True)
class Line:
    """A route: the tiers whose nodes answer alike, the right it declares, and who is let through."""

    method: str
    path: str
    tiers: tuple[str, ...]
    right: str
    stranger: bool
    posts: tuple[str, ...]
    tokens: tuple[str, ...]


def walk(folder: Path) -> list[Line]:
    """Every route of every tier, by path."""
    found: dict[tuple[object, ...], list[str]] = {}
    for tier in TIERS:
        for line in _walk_tier(folder / tier, tier):
            key = (line.path, line.method, line.right, line.stranger, line.posts, line.tokens)
            found.setdefault(key, []).append(tier)
    lines = [
        Line(method, path, tuple(tiers), right, stranger, posts, tokens)  # type: ignore[arg-type]
        for (path, method, right, stranger, posts, tokens), tiers in found.items()
    ]
    return sorted(lines, key=lambda line: (line.path, line.method, line.tiers))


def as_csv(lines: Sequence[Line]) -> str:
    """The matrix as it is kept: a column for strangers and for each post, the tokens' scopes in the last one."""
    text = io.StringIO()
    out = csv.writer(text, lineterminator="\n")
    out.writerow(["route", "nodes", "right", STRANGER, *POSTS, "tokens"])
    for line in lines:
        posts = ["yes" if post in line.posts else "-" for post in POSTS]
        route, nodes = f"{line.method} {line.path}", " ".join(line.tiers)
        stranger = "yes" if line.stranger else "-"
        tokens = "every" if line.stranger else " ".join(line.tokens) or "-"
        out.writerow([route, nodes, line.right or "-", stranger, *posts, tokens])
    return text.getvalue()


def as_docs(lines: Sequence[Line], node: Node) -> str:
    """docs/rights.md."""
    routes: dict[str, list[str]] = {}
    for line in lines:
        route = f"`{line.method} {line.path}`"
        if route not in routes.setdefault(line.right, []):
            routes[line.right].append(route)
    told = [_INTRO.strip(), "", "| right | who | token's scope | nodes | routes |", "|---|---|---|---|---|"]
    for name, right in sorted(node.registry.rights.items()):
        who = ", ".join(post for post in POSTS if post in right.posts)
        tiers = "all" if set(right.tiers) == set(TIERS) else ", ".join(t for t in TIERS if t in right.tiers)
        axis = f" (axis {right.axis})" if right.axis else ""
        cells = (f"`{name}` {right.zh}", who + axis, f"`{right.scope}`" if right.scope else "people only", tiers)
        told.append(f"| {' | '.join(cells)} | {' '.join(routes.get(name, ['-']))} |")
    told += ["", "Open to strangers: " + ", ".join(routes.get("", [])) + ".", ""]
    return "\n".join(told)


def open_node(folder: Path, tier: Tier) -> Node:
    """A small node of a tier with the plugins that have routes."""
    names = ["wanmi_console", "wanmi_edge"] if tier == "edge" else sorted(plugin_packages().keys() - NO_ROUTES)
    plugins = [import_module(name) for name in names]
    return small_node(folder, role=tier, code=CODES[tier], plugins=plugins)


def _walk_tier(folder: Path, tier: Tier) -> Iterator[Line]:
    with open_node(folder, tier) as node:
        doors: Doors = build_app(node).state.doors
        gate = Gate(_pass, node, doors, "")
        callers = {STRANGER: {}, **_people(node), **_machines(node)}
        for door in doors.all:
            for method in sorted(door.methods - {"HEAD"}):
                yield _line(gate, tier, door, method, callers)


def _line(gate: Gate, tier: str, door: Door, method: str, callers: dict[str, dict[str, str]]) -> Line:
    path = re.sub(r"\{\w+(:\w+)?\}", "x", door.path.replace("{number}", CASE))
    passed = [name for name, headers in callers.items() if _status(gate, method, path, headers) == PASSED]
    posts = tuple(post for post in POSTS if f"post:{post}" in passed)
    tokens = tuple(name.removeprefix("token:") for name in passed if name.startswith("token:"))
    return Line(method, door.path, (tier,), door.right, STRANGER in passed, posts, tokens)


def _people(node: Node) -> dict[str, dict[str, str]]:
    add_unit(node, code="roads", name="市政")
    blank = {c.name: c.type.python_type() for c in table(CaseRow).columns if not c.nullable}
    row = {**blank, "number": CASE, "department": "roads"}
    node.store.write(lambda tx: tx.execute(insert(table(CaseRow)).values(row))).result()
    found = {}
    for post in POSTS:
        login = post.replace("_", "-")
        person = add_person(node, login=login, name=post, posts=[post], password="correct horse battery")
        if post == "department":
            set_unit(node, login, "roads")
        if post == "collector":
            own = update(table(CaseRow)).values(collector=person.id)
            node.store.write(lambda tx, own=own: tx.execute(own)).result()  # type: ignore[misc]
        token = start_session(node, person)
        cookies = f"{session_cookie(node, False)}={token}; {session_cookie(node, False)}_login={token}"
        found[f"post:{post}"] = {"cookie": cookies, "x-csrf-token": csrf_of(token)}
    return found


def _machines(node: Node) -> dict[str, dict[str, str]]:
    scopes = sorted({*SCOPES, *(right.scope for right in node.registry.rights.values())} - {""})
    return {
        f"token:{scope}": {"authorization": f"Bearer {add_token(node, name=scope, scopes=[scope], more=scopes).secret}"}
        for scope in scopes
    }


def _status(gate: Gate, method: str, path: str, headers: dict[str, str]) -> int:
    """The answer's status: of the stub when the gate lets through. Strangers' forms have their form's token."""
    given = headers or {"cookie": f"{session_cookie(gate._node, False)}_login=t", "x-csrf-token": csrf_of("t")}
    scope: Scope = {
        "type": "http", "http_version": "1.1", "method": method, "path": path, "raw_path": path.encode(),
        "root_path": "", "scheme": "http", "query_string": b"", "server": ("node.test", 80), "client": ("::1", 1),
        "headers": [(name.encode(), value.encode()) for name, value in given.items()],
    }  # fmt: skip
    statuses: list[int] = []

    async def receive() -> Any:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            statuses.append(message["status"])

    asyncio.run(gate(scope, receive, send))
    return statuses[0]


async def _pass(_scope: Scope, _receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": PASSED, "headers": []})
    await send({"type": "http.response.body", "body": b""})


_INTRO = """
# Rights

Who may do what. A person acts in one post at a time; a post stands on the supervision axis, the command axis or
neither. A machine's token has scopes: those named here, or the wide `read` (every scope ending in `:read`), `write`
(those and every other one) and `admin`. Every route declares one right; a route that declares none is closed to
everybody. A department's people see the cases of their unit only; a collector those that were reported from a terminal
they hold, given to them to verify or check, asked about in a task to their terminal, or worked on by them. Any other case
does not exist for them (404).
Opening sealed text or photos is journaled (`sealed.viewed`), once an hour for each person and subject.

This page is written by `tools/matrix.py` from the code; what comes of it for every route, post and token stands in
tests/rights/matrix.csv, so that a changed right shows where changes are reviewed.
"""
