"""For plugin authors' tests: real small nodes in a temporary directory, nothing faked but time and randomness.

    def test_my_plugin(tmp_path):
        with small_node(tmp_path / "node", plugins=[my_plugin]) as node:
            node.journal.append(Draft("note.taken", "note:1", {"text": "hello"})).result()
            react(node)                      # run the reactors until nothing is left
            assert replay_differences(node) == []

``small_city`` makes a city, a district and an edge that have admitted one another; ``carry`` brings one's
chains to the other as the links would; ``running`` runs a node with its tasks, web server and admin socket. ``quick_plugin`` makes a plugin of functions.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Self

from wanmi.clock import Clock, ManualClock
from wanmi.errors import StoreError
from wanmi.hookspecs import hookimpl
from wanmi.identity import admit_node
from wanmi.ids import Ids, SystemIds
from wanmi.journal import ReactorRunner
from wanmi.journal.proof import replay_check
from wanmi.kinds import Role
from wanmi.node import NewNode, Node, create_node, node_card
from wanmi.plugins import Plugin, installed_plugins

Enabled = str | ModuleType | Plugin
"""A plugin to enable: an installed one by its name, a module, or a Plugin."""
READY_SECONDS = 20.0


def small_node(
    dir: Path,
    *,
    role: Role = "district",
    code: str = "210102",
    plugins: Sequence[Enabled] = (),
    sections: Mapping[str, Mapping[str, object]] | None = None,
    parent: str = "",
    clock: Clock | None = None,
    ids: Ids | None = None,
) -> Node:
    """A new node in ``dir`` (which must not be there yet), open, with just these plugins.

    ``sections`` are tables for node.toml, ``parent`` a parent's card. Time stands still unless a clock is
    given: move it with ``node.clock.advance``. Close the node, or use it in a ``with``.
    """
    given = [_plugin(one) for one in plugins if not isinstance(one, str)]
    names = tuple(one if isinstance(one, str) else _plugin(one).name for one in plugins)
    new = NewNode(role, code, parent=parent, plugins=names, sections=sections or {})
    clock, ids = clock or ManualClock(), ids or SystemIds()
    create_node(dir, new, clock=clock, ids=ids, given=given)
    return Node.open(dir, clock=clock, ids=ids, plugins=given)


def quick_plugin(name: str, *hooks: Callable[..., object], version: str = "0") -> Plugin:
    """A plugin of a few functions, each named as the hook that it answers; ``hookimpl`` is put on here."""
    module = ModuleType(f"wanmi_{name}")
    for hook in hooks:
        setattr(module, hook.__name__, hookimpl(hook))
    return Plugin(name, version, module)


def reopen(node: Node) -> Node:
    """The same node after an orderly end of its process: what is in memory is built anew."""
    node.close()
    return Node.open(node.dir, clock=node.clock, ids=node.ids, plugins=node.given)


@dataclass(frozen=True)
class SmallCity:
    """A city, a district and an edge that have admitted one another."""

    city: Node
    district: Node
    edge: Node

    def close(self) -> None:
        """Close all three."""
        for node in (self.edge, self.district, self.city):
            node.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def small_city(
    dir: Path,
    *,
    city: Sequence[Enabled] = (),
    district: Sequence[Enabled] = (),
    edge: Sequence[Enabled] = (),
    sections: Mapping[str, Mapping[str, object]] | None = None,
    database: Callable[[str], str] | None = None,
    clock: Clock | None = None,
    ids: Ids | None = None,
) -> SmallCity:
    """Shenyang with one district (210102) and one edge (21010201), each node in a folder of ``dir``.

    Plugins per role; one clock for all three. ``database`` gives the district's database by its code ("": SQLite).
    Nothing is sent until ``carry`` does.
    """
    clock, ids = clock or ManualClock(), ids or SystemIds()
    sections = {"link": {"listen": "tcp://127.0.0.1:1"}, **(sections or {})}
    url = database("210102") if database is not None else ""
    with ExitStack() as opened:
        top = opened.enter_context(
            small_node(
                dir / "city", role="city", code="210100", plugins=city, sections=sections, clock=clock, ids=ids,
            )
        )  # fmt: skip
        middle = opened.enter_context(
            small_node(
                dir / "district", code="210102", plugins=district, parent=node_card(top.dir), clock=clock, ids=ids,
                sections={**sections, "database": {"url": url}} if url else sections,
            )
        )  # fmt: skip
        low = opened.enter_context(
            small_node(
                dir / "edge", role="edge", code="21010201", plugins=edge, sections=sections, parent=node_card(middle.dir), clock=clock, ids=ids,
            )
        )  # fmt: skip
        admit(top, middle)
        admit(middle, low)
        opened.pop_all()
        return SmallCity(top, middle, low)


def admit(parent: Node, child: Node) -> None:
    """Admit ``child`` at ``parent`` with a token of its, as ``wanmi node admit`` does."""
    from wanmi.node import run_action

    (result,) = [item for item in run_action(child, "node.token", {}) if isinstance(item, dict)]
    admit_node(parent, str(result["token"]))


def carry(source: Node, target: Node) -> int:
    """Bring every chain that ``source`` holds to ``target``, verified as from a link; returns entries carried.

    The target's own chain stays where it is. Chains come in the order that keys become known: the source's own first.
    """
    count = 0
    for origin in sorted(source.journal.cursors(), key=lambda code: (code != source.code, code)):
        if origin == target.code:
            continue
        before = target.journal.cursor(origin).seq
        while True:
            after = target.journal.cursor(origin).seq
            batch = source.journal.batch_for(target.code, origin, after)
            if batch is None:
                break
            target.journal.apply(batch, source.code).result()
        count += target.journal.cursor(origin).seq - before
    return count


def react(node: Node) -> int:
    """Run the node's reactors until nothing is left for them; returns how many entries they made."""
    return ReactorRunner(node).run_once()


def replay_differences(node: Node) -> list[str]:
    """What ``wanmi replay --check`` finds: rows that are not what the chains add up to. Empty is good."""
    return [str(difference) for difference in replay_check(node.store, node.registry)]


@contextmanager
def running(node: Node, *, web: bool = False) -> Iterator[Mapping[str, str]]:
    """Run an open node in a thread; yields where it is reachable (``admin``, ``web``, what plugins announce).

    Leaving the ``with`` stops it; what the run raised is raised here.
    """
    loop = asyncio.new_event_loop()
    stop, failed = asyncio.Event(), []

    def work() -> None:
        try:
            loop.run_until_complete(node.run(stop, web=web))
        except Exception as error:  # noqa: BLE001 - raised again in the caller's thread
            failed.append(error)

    thread = threading.Thread(target=work, name="small-node")
    thread.start()
    try:
        _wait_ready(node, thread)
        yield node.places()
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()
        loop.close()
        if failed:
            raise failed[0]


def _wait_ready(node: Node, thread: threading.Thread) -> None:
    """run.json is written when the node is ready."""
    tick = threading.Event()
    for _ in range(int(READY_SECONDS / 0.01)):
        if (node.dir / "run.json").exists() or not thread.is_alive():
            return
        tick.wait(0.01)
    raise StoreError(f"node {node.code} was not ready after {READY_SECONDS:g} s")


def _plugin(given: Enabled) -> Plugin:
    """The plugin of a module: its name is the module's last part without ``wanmi_``."""
    if isinstance(given, Plugin):
        return given
    if isinstance(given, str):
        found = installed_plugins()[given]
        raise StoreError(f"plugin {found.name} is installed; enable it by its name")
    return Plugin(given.__name__.rpartition(".")[2].removeprefix("wanmi_"), "0", given)
