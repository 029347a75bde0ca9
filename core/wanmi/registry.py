"""The one registry that plugins fill: entry kinds, projections, reactors, tables, tasks, routes, commands.

A plugin's ``register(to: Registry)`` runs once, at start; afterwards the registry only answers questions.
The types here are what a plugin author writes; what the node does with them is in store, journal and node.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Protocol

import msgspec

from wanmi.devices import Driver
from wanmi.entries import EVERYONE, Audience, Entry
from wanmi.errors import Conflict, NotFound
from wanmi.models import Row

if TYPE_CHECKING:
    from pathlib import Path

    import typer
    from fastapi import APIRouter
    from sqlalchemy import Connection

    from wanmi.clock import Clock
    from wanmi.hookspecs import Hooks
    from wanmi.identity import NodeKeys
    from wanmi.ids import Ids
    from wanmi.journal import Journal
    from wanmi.settings import Settings
    from wanmi.store import Blobs, Store

Body = msgspec.Struct | Mapping[str, Any]


class Draft(msgspec.Struct, frozen=True):
    """An entry to be: what its maker decides. The writer adds seq, at, version, salt and the hash.

    ``expect`` is the version that the subject must have now (0: it must not exist); Conflict otherwise.
    ``by`` is filled with plugin@version of the plugin that registered the kind when left empty.
    """

    kind: str
    subject: str
    body: Body
    audience: Audience = EVERYONE
    actor: str | None = None
    cause: str | None = None
    by: str = ""
    expect: int | None = None


class Stored(msgspec.Struct, frozen=True):
    """An entry as this node holds it; ``entry`` and ``raw`` are None where the node is not addressed."""

    pos: int
    origin: str
    seq: int
    audience: Audience
    digest: bytes
    hash: bytes
    received_at: int
    raw: bytes | None
    entry: Entry | None


@dataclass(frozen=True)
class EntryKind:
    """A kind of entry: its body's type is checked when it is appended and when it arrives.

    ``told`` is the right with which one hears at once that such an entry came (Server-Sent Events).
    """

    name: str
    body: type[msgspec.Struct]
    zh: str
    en: str
    version: int = 1
    plugin: str = ""
    told: str = ""


class Projector(Protocol):
    """Brings a projection's rows up to date with entries of its kinds, in order.

    It may read nothing but the entries and its own subjects' rows; the database's clock, other tables and
    randomness are out. It raises BadInput for an entry that it cannot take (that one is quarantined).
    """

    def __call__(self, tx: Connection, entries: Sequence[Entry]) -> None:
        """Apply ``entries`` within the transaction ``tx``."""
        ...


@dataclass(frozen=True)
class Projection:
    """Rows that entries of some kinds add up to; rebuilt by replay."""

    name: str
    kinds: tuple[str, ...]
    rows: tuple[type[Row], ...]
    apply: Projector
    plugin: str = ""


class Decide(Protocol):
    """What a reactor does: from a batch of entries to drafts, each with the entry that caused it.

    Called outside the writer, in order, by one thread; may read the store.
    """

    def __call__(self, node: NodeContext, batch: Sequence[Stored]) -> Iterable[tuple[Stored, Draft]]:
        """The drafts to append because of ``batch``; an entry without consequence yields none."""
        ...


@dataclass(frozen=True)
class Reactor:
    """What a node does because an entry came; exactly once by (cause, reactor), never on replay."""

    name: str
    kinds: tuple[str, ...]
    decide: Decide
    plugin: str = ""


@dataclass(frozen=True)
class Task:
    """Long work that the node supervises: started, watched, restarted with back-off when it raises."""

    name: str
    run: Callable[[NodeContext], Awaitable[None]]
    plugin: str = ""


@dataclass(frozen=True)
class Routes:
    """HTTP routes of a plugin: built once the node stands."""

    prefix: str
    build: Callable[[NodeContext], APIRouter]
    plugin: str = ""


Tier = Literal["city", "district", "edge"]
TIERS: tuple[Tier, ...] = ("city", "district", "edge")


@dataclass(frozen=True)
class Right:
    """What a caller needs for a route: one line of the table in docs/rights.md.

    A person needs one of ``posts`` (empty: no person has it) and, where ``axis`` is set, a post on that axis. A
    machine's token needs ``scope`` (empty: no machine has it). ``tiers`` are the nodes that have such routes at all.
    """

    name: str
    zh: str
    en: str
    scope: str
    posts: frozenset[str]
    tiers: frozenset[Tier]
    axis: Literal["supervision", "command"] | None = None
    plugin: str = ""


@dataclass(frozen=True)
class NavItem:
    """A page in the console's navigation."""

    path: str
    zh: str
    en: str
    order: int = 100
    plugin: str = ""


@dataclass(frozen=True)
class Command:
    """A ``wanmi NAME …`` command: a loader, so that heavy imports come late."""

    name: str
    load: Callable[[], typer.Typer]
    help: str
    plugin: str = ""


@dataclass(frozen=True)
class Progress:
    """A line of progress of an admin action; ``total`` 0 when unknown."""

    done: int
    total: int
    message: str


AdminResult = dict[str, Any]
"""What an admin action answers: plain JSON values."""


@dataclass(frozen=True)
class Action:
    """An admin action of a node, called by the CLI: over the admin socket when the node is live, else directly.

    ``run`` is called in a thread; it yields Progress and returns its result.
    """

    name: str
    run: Callable[[NodeContext, Mapping[str, Any]], Iterator[Progress | AdminResult]]
    help: str
    plugin: str = ""


@dataclass(frozen=True)
class Health:
    """One line of a node's health, with reasons; ``facts`` are small numbers and words for the page."""

    name: str
    state: Literal["fine", "warn", "bad", "unknown"]
    reason: str
    facts: Mapping[str, str | int] = field(default_factory=dict)


@dataclass(frozen=True)
class Probe:
    """A named source of health lines; called often, must answer at once."""

    name: str
    read: Callable[[NodeContext], Sequence[Health]]
    plugin: str = ""


@dataclass(frozen=True)
class SettingsSection:
    """A plugin's section in node.toml: a pydantic model."""

    name: str
    model: type[Any]
    plugin: str = ""


class NodeContext(Protocol):
    """What a plugin gets of the node it runs in."""

    code: str
    role: Literal["city", "district", "edge"]
    parent: str | None
    dir: Path
    settings: Settings
    clock: Clock
    ids: Ids
    keys: NodeKeys
    store: Store
    journal: Journal
    blobs: Blobs
    registry: Registry
    hooks: Hooks

    def health(self) -> list[Health]:
        """Every probe's lines."""
        ...

    def announce(self, what: str, where: str) -> None:
        """Tell where something is reachable (``link``, ``mqtt``): DIR/run.json shows it while the node runs."""
        ...


class Registry:
    """Everything that the enabled plugins brought; filled at start, then read only."""

    def __init__(self) -> None:
        self.kinds: dict[tuple[str, int], EntryKind] = {}
        self.projections: dict[str, Projection] = {}
        self.reactors: dict[str, Reactor] = {}
        self.rows: dict[str, type[Row]] = {}
        self.tasks: dict[str, Task] = {}
        self.routes: list[Routes] = []
        self.rights: dict[str, Right] = {}
        self.nav: list[NavItem] = []
        self.commands: dict[str, Command] = {}
        self.actions: dict[str, Action] = {}
        self.probes: dict[str, Probe] = {}
        self.sections: dict[str, SettingsSection] = {}
        self.drivers: dict[str, Driver] = {}
        self.plugins: dict[str, str] = {}
        self._plugin = "wanmi@0"

    @contextmanager
    def filling(self, name: str, version: str) -> Iterator[Registry]:
        """While a plugin's ``register`` runs: what it adds carries its name and version."""
        before, self._plugin = self._plugin, f"{name}@{version}"
        self.plugins[name] = version
        try:
            yield self
        finally:
            self._plugin = before

    def entry_kind(
        self, name: str, body: type[msgspec.Struct], *, zh: str, en: str, version: int = 1, told: str = ""
    ) -> None:
        """A kind of entry with the type of its body; ``told`` names the right of those who hear of it at once, where
        those are not just the readers of the journal or (``case:`` subjects) those who see the case.
        """
        self._once(self.kinds, (name, version), EntryKind(name, body, zh, en, version, self._plugin, told))

    def projection(self, name: str, *, kinds: Sequence[str], rows: Sequence[type[Row]], apply: Projector) -> None:
        """A projection; its rows are its own and marked projection."""
        self.tables(*rows)
        self._once(self.projections, name, Projection(name, tuple(kinds), tuple(rows), apply, self._plugin))

    def reactor(self, name: str, *, kinds: Sequence[str], decide: Decide) -> None:
        """A reactor on entries of these kinds, whoever wrote them."""
        self._once(self.reactors, name, Reactor(name, tuple(kinds), decide, self._plugin))

    def tables(self, *rows: type[Row]) -> None:
        """Tables to create; each row class carries its mark."""
        for row in rows:
            self._once(self.rows, row.__tablename__, row)

    def task(self, name: str, run: Callable[[NodeContext], Awaitable[None]]) -> None:
        """A supervised task."""
        self._once(self.tasks, name, Task(name, run, self._plugin))

    def router(self, prefix: str, build: Callable[[NodeContext], APIRouter]) -> None:
        """HTTP routes under a prefix ("" for pages)."""
        self.routes.append(Routes(prefix, build, self._plugin))

    def right(
        self,
        name: str,
        *,
        zh: str,
        en: str,
        scope: str,
        posts: Sequence[str],
        tiers: Sequence[Tier] = TIERS,
        axis: Literal["supervision", "command"] | None = None,
    ) -> None:
        """A right that routes declare with ``wanmi.web.needs(name)``; a route that declares none is closed to all."""
        right = Right(name, zh, en, scope, frozenset(posts), frozenset(tiers), axis, self._plugin)
        self._once(self.rights, name, right)

    def page(self, path: str, *, zh: str, en: str, order: int = 100) -> None:
        """A page that the console's navigation shows."""
        self.nav.append(NavItem(path, zh, en, order, self._plugin))

    def command(self, name: str, load: Callable[[], typer.Typer], *, help: str) -> None:
        """A command group of the ``wanmi`` command line."""
        self._once(self.commands, name, Command(name, load, help, self._plugin))

    def action(
        self,
        name: str,
        run: Callable[[NodeContext, Mapping[str, Any]], Iterator[Progress | AdminResult]],
        *,
        help: str,
    ) -> None:
        """An admin action, reachable over the admin socket."""
        self._once(self.actions, name, Action(name, run, help, self._plugin))

    def probe(self, name: str, read: Callable[[NodeContext], Sequence[Health]]) -> None:
        """A source of health lines."""
        self._once(self.probes, name, Probe(name, read, self._plugin))

    def section(self, name: str, model: type[Any]) -> None:
        """A settings section (a pydantic model with defaults)."""
        self._once(self.sections, name, SettingsSection(name, model, self._plugin))

    def driver(self, driver: Driver) -> None:
        """A driver for a kind of device; a node's devices name it."""
        self._once(self.drivers, driver.name, driver)

    def kind(self, name: str, version: int = 1) -> EntryKind:
        """The registered kind; NotFound if no enabled plugin brought it."""
        try:
            return self.kinds[name, version]
        except KeyError:
            raise NotFound(
                f"entry kind {name} v{version} is not registered; enable the plugin that brings it"
            ) from None

    def _once(self, into: dict[Any, Any], key: Any, value: Any) -> None:
        if key in into and into[key] is not value:
            raise Conflict(f"{self._plugin}: {key!r} is already registered; names must be the plugin's own")
        into[key] = value
