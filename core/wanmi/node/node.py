"""A node: everything built from its directory's settings, and run until it is told to stop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

import structlog
from sqlalchemy import select

from wanmi import __version__
from wanmi.clock import Clock, SystemClock
from wanmi.erasure import erase_again, is_erased
from wanmi.hookspecs import Hooks
from wanmi.identity import NodeKeys, ParentUrl
from wanmi.ids import Ids, SystemIds
from wanmi.journal import Journal, register_core
from wanmi.links import HoldRow
from wanmi.models import table
from wanmi.node.health import node_health
from wanmi.node.lock import NodeLock
from wanmi.node.trial import read_trial
from wanmi.plugins import (
    Fault,
    HookCaller,
    Off,
    Plugin,
    Watch,
    fill,
    installed_plugins,
    load_plugin,
    plugin_of,
    read_off,
)
from wanmi.profiles import read_shipped, register_profiles
from wanmi.registry import Draft, Health, NodeContext, Reactor, Registry, Stored
from wanmi.settings import Settings, read_all_settings, read_settings
from wanmi.store import Blobs, Store

if TYPE_CHECKING:
    from wanmi.node.running import Running
    from wanmi.node.tasks import TaskState


class Node:
    """A node as its plugins see it (registry.NodeContext). ``open`` builds it, ``run`` runs it, ``close`` ends it."""

    def __init__(
        self,
        *,
        settings: Settings,
        clock: Clock,
        ids: Ids,
        plugins: Sequence[Plugin],
        given: Sequence[Plugin],
        registry: Registry,
        off: Mapping[str, Off],
        lock: NodeLock,
    ) -> None:
        self.dir = dir = settings.dir
        self.settings = settings
        self.code = settings.node.code
        self.role = settings.node.role
        self.parent = settings.node.parent
        self.clock = clock
        self.ids = ids
        self.plugins = tuple(plugins)
        self.given = tuple(given)
        self.off = off
        self.registry = registry
        self.keys = NodeKeys.load(dir)
        self.watch = Watch(clock)
        self._caller = HookCaller(plugins, self.watch, clock, settings.watch.hook)
        self.hooks: Hooks = self._caller
        self._lock = lock
        self._running: Running | None = None
        self.restarting = ""
        self.trial = read_trial(dir)
        self.opened = clock.monotonic()
        _watch_reactors(registry, self.watch, settings.watch.reactor)
        self.store = Store.open(settings.database_url, registry.rows.values())
        self.journal = Journal(
            self.code, self.store, registry, clock=clock, ids=ids, sign_key=self.keys.sign, pinned=_pinned(settings)
        )
        _hold_as_left(self.journal, self.store, registry)
        self.blobs = Blobs(
            self.store,
            dir / "blobs",
            local_key=self.keys.local,
            seal=self.keys.seal,
            clock=clock,
            ids=ids,
            erased=lambda tx, blob: is_erased(tx, self.code, blob),
        )
        erase_again(self)

    @classmethod
    def open(
        cls, dir: Path, *, clock: Clock | None = None, ids: Ids | None = None, plugins: Sequence[Plugin] = ()
    ) -> Self:
        """Build the node of a directory, and hold its lock.

        ``plugins`` are known besides the installed ones (for tests); the settings still say which are enabled.
        Raises SettingsError, StoreError (in use, database), NeedsExtra.
        """
        lock = NodeLock.take(dir)
        try:
            return cls._build(dir, clock or SystemClock(), ids or SystemIds(), plugins, lock)
        except BaseException:
            lock.release()
            raise

    @classmethod
    def _build(cls, dir: Path, clock: Clock, ids: Ids, given: Sequence[Plugin], lock: NodeLock) -> Self:
        off = read_off(dir)
        basic = read_settings(dir)
        loaded = load_enabled(basic.plugins, basic.node.role, given, off)
        registry = new_registry(loaded)
        settings = read_all_settings(dir, registry.sections, {*installed_plugins(), *off, *basic.plugins})
        return cls(
            settings=settings,
            clock=clock,
            ids=ids,
            plugins=loaded,
            given=given,
            registry=registry,
            off=off,
            lock=lock,
        )

    def health(self) -> list[Health]:
        """Every probe's lines, the core's first."""
        return node_health(self)

    def announce(self, what: str, where: str) -> None:
        """Tell where something is reachable now (``link``, ``web`` …): DIR/run.json shows it while the node runs."""
        if self._running is not None:
            self._running.announce(what, where)

    def places(self) -> Mapping[str, str]:
        """What was announced."""
        return dict(self._running.places) if self._running is not None else {}

    def hook_faults(self) -> list[Fault]:
        """Hooks that raised since the start."""
        return self._caller.faults()

    def task_states(self) -> list[TaskState]:
        """How the supervised tasks stand; none when the node is only open."""
        return self._running.supervisor.states() if self._running is not None else []

    def reactor_states(self) -> list[tuple[str, int, str | None]]:
        """Each reactor: name, entries behind, trouble; none when the node is only open."""
        if self._running is None:
            return []
        loops = self._running.reactors.loops.values()
        return [(loop.name, max(0, self.journal.pos - loop.pos), loop.trouble) for loop in loops]

    async def run(
        self, stop: asyncio.Event | None = None, *, web: bool = True, on_hang: Callable[[Off], None] | None = None
    ) -> None:
        """Run tasks, reactors, web server and admin socket until ``stop`` is set (or SIGTERM, SIGINT come).

        ``on_hang`` is called in the watchdog's thread when a plugin hangs (it is written down as off by then);
        by default the node stops. The command line restarts the process there.
        """
        from wanmi.node.running import Running

        read_shipped()
        self._running = Running(self, stop or asyncio.Event(), on_hang)
        try:
            await self._running.run(web=web)
        finally:
            self._running = None

    def restart(self, reason: str) -> bool:
        """Leave ``run`` in good order, so that the command line begins anew in the same process (any thread).

        ``restarting`` then says why. False where the node does not run: what is written holds at the next start.
        """
        if self._running is None:
            return False
        self.restarting = reason
        self._running.leave()
        return True

    def close(self) -> None:
        """Write what waits, close the database, let go of the lock."""
        self.store.close()
        self._lock.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def new_registry(plugins: Sequence[Plugin]) -> Registry:
    """A registry with what the core brings, then what the plugins do."""
    from wanmi.node.actions import register_node
    from wanmi.node.changing import register_changing
    from wanmi.node.ordering import register_ordering
    from wanmi.node.people_actions import register_people
    from wanmi.node.probation import register_probation
    from wanmi.node.restored import register_restored
    from wanmi.workdays import register_calendar

    registry = Registry()
    with registry.filling("wanmi", __version__):
        register_core(registry)
        register_profiles(registry)
        register_node(registry)
        register_changing(registry)
        register_restored(registry)
        register_ordering(registry)
        register_probation(registry)
        register_calendar(registry)
        register_people(registry)
    fill(registry, plugins)
    return registry


def load_enabled(
    names: Sequence[str], extra: str, given: Sequence[Plugin] = (), off: Collection[str] = ()
) -> list[Plugin]:
    """The plugins of these names that are not off, in order: those given, else installed ones.

    ``extra`` is named when a library is missing. Raises SettingsError and NeedsExtra, with the plugin's name.
    """
    known = {plugin.name: plugin for plugin in given}
    found = installed_plugins()
    loaded = []
    for name in names:
        if name in off:
            structlog.get_logger("wanmi.node").warning("plugin_is_off", plugin=name)
        elif name in known:
            loaded.append(known[name])
        else:
            loaded.append(load_plugin(name, found, extra))
    return loaded


def _hold_as_left(journal: Journal, store: Store, registry: Registry) -> None:
    """Write nothing from the first moment if peers are to be heard first: links come up later than reactors and tasks."""
    if HoldRow.__tablename__ not in registry.rows:
        return
    with store.reader() as connection:
        reasons = connection.execute(select(table(HoldRow).c.reason)).scalars().all()
    for reason in reasons:
        journal.hold(reason)


def _pinned(settings: Settings) -> dict[str, bytes]:
    """The parent's signing key, as enrolment pinned it."""
    if not settings.link.parent:
        return {}
    parent = ParentUrl.parse(settings.link.parent)
    return {parent.code: parent.sign}


def _watch_reactors(registry: Registry, watch: Watch, bound: float) -> None:
    """Let the watchdog see every call of a reactor."""
    for name, reactor in registry.reactors.items():
        registry.reactors[name] = _watched(reactor, watch, bound)


def _watched(reactor: Reactor, watch: Watch, bound: float) -> Reactor:
    decide = reactor.decide

    def watched_decide(node: NodeContext, batch: Sequence[Stored]) -> list[tuple[Stored, Draft]]:
        with watch.calling(plugin_of(reactor.plugin), f"reactor {reactor.name}", bound):
            return list(decide(node, batch))

    return replace(reactor, decide=watched_decide)
