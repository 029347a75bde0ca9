"""The routes of an app with what each declares: open, a right, or nothing (then it is closed to everybody)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from re import Pattern

from starlette.routing import BaseRoute, Route, WebSocketRoute, compile_path

from wanmi.registry import Right
from wanmi.web.callers import Caller, is_open, right_name_of
from wanmi.web.direct import Direct, direct_of

MOST_SLASHES = 16
"""Paths with fewer are looked for only among the routes that may have so many."""


@dataclass(frozen=True)
class Door:
    """One route: its methods (``WEBSOCKET`` for a socket), its path as declared, and what it declares."""

    methods: frozenset[str]
    path: str
    pattern: Pattern[str]
    is_open: bool
    right: str
    name: str
    direct: Direct | None = None

    def may_have(self, slashes: int) -> bool:
        """Whether a path with so many slashes may be this door's: only ``{…:path}`` takes slashes."""
        return ":path}" in self.path or self.path.count("/") == slashes

    def parts_of(self, path: str) -> dict[str, str]:
        """The named parts of a path that this door takes."""
        found = self.pattern.fullmatch(path)
        return {} if found is None else found.groupdict()

    def case_in(self, path: str) -> str:
        """The case number in a path of a route under ``…/cases/{number}``; empty where there is none."""
        found = self.pattern.fullmatch(path) if "/cases/{number}" in self.path else None
        return "" if found is None else found["number"]


class Doors:
    """Finds the route of a request as the router does: the first one that fits."""

    def __init__(self, found: Iterable[tuple[str, BaseRoute]], rights: Mapping[str, Right]) -> None:
        self.all: tuple[Door, ...] = tuple(_doors(found))
        self._rights = rights
        self._near = {
            (method, slashes): [door for door in self.all if method in door.methods and door.may_have(slashes)]
            for method in {method for door in self.all for method in door.methods}
            for slashes in range(MOST_SLASHES)
        }

    def find(self, kind: str, method: str, path: str) -> Door | None:
        """The door of a request; None when no route takes this path with this method."""
        wanted = "WEBSOCKET" if kind == "websocket" else method
        near = self._near.get((wanted, path.count("/")), self.all)
        return next((door for door in near if wanted in door.methods and door.pattern.fullmatch(path)), None)

    def knows(self, path: str) -> bool:
        """Whether some route has this path, with whatever method, or has it without its last slash."""
        tried = (path, path.rstrip("/")) if path != "/" else (path,)
        return any(door.pattern.fullmatch(one) for one in tried for door in self.all)

    def refusal(self, door: Door, caller: Caller, tier: str) -> str:
        """Why the caller may not pass; empty when they may."""
        right = self._rights.get(door.right)
        if right is not None:
            return caller.refusal(right, tier)
        route = f"{'/'.join(sorted(door.methods))} {door.path}"
        if door.right:
            return f"{route} needs the right {door.right}, which nobody registered (registry.right); it is closed"
        return f'{route} declares no right and is closed: its author writes @needs("…") below the route'


def flat_routes(prefix: str, routes: Sequence[BaseRoute]) -> Iterator[tuple[str, BaseRoute]]:
    """Every route with the prefix before its path; routers within routers are walked."""
    for route in routes:
        inner = getattr(route, "original_router", None)
        if inner is None:
            yield prefix, route
        else:
            context = getattr(route, "include_context", None)
            yield from flat_routes(prefix + getattr(context, "prefix", ""), inner.routes)


def _doors(found: Iterable[tuple[str, BaseRoute]]) -> Iterator[Door]:
    for prefix, route in found:
        if isinstance(route, Route):
            methods = frozenset(route.methods or ())
        elif isinstance(route, WebSocketRoute):
            methods = frozenset({"WEBSOCKET"})
        else:
            continue
        path, endpoint = prefix + route.path, route.endpoint
        yield Door(
            methods, path, compile_path(path)[0], is_open(endpoint), right_name_of(endpoint), route.name,
            direct_of(endpoint, path, methods),
        )  # fmt: skip
