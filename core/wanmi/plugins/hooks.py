"""The callers of the hooks: ordered by the settings, fenced, timed and watched.

pluggy checks the plugins' functions against the specs; calling them is done here, one by one, because a
plugin that raises must cost its own answer only.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import pluggy
import structlog

from wanmi.coords import Point
from wanmi.errors import SettingsError
from wanmi.hookspecs import PROJECT, Actor, Located, ReportFacts, Specs

if TYPE_CHECKING:
    from starlette.requests import Request

    from wanmi.clock import Clock
    from wanmi.coords import Datum
    from wanmi.plugins.found import Plugin
    from wanmi.plugins.watch import Watch
    from wanmi.registry import NodeContext

T = TypeVar("T")

SLOW_SECONDS = 0.1
"""A hook that takes longer is named in the log: hooks are short."""


@dataclass(frozen=True)
class Fault:
    """How often a plugin's hook raised since the start, and what it said last."""

    plugin: str
    hook: str
    count: int
    last: str


def plugin_manager(plugins: Sequence[Plugin]) -> pluggy.PluginManager:
    """pluggy's manager with the plugins registered; SettingsError when a hook does not fit its spec."""
    manager = pluggy.PluginManager(PROJECT)
    manager.add_hookspecs(Specs)
    for plugin in plugins:
        try:
            manager.register(plugin.module, plugin.name)
            manager.check_pending()
            _refuse_ordering(manager, plugin)
        except (pluggy.PluginValidationError, ValueError) as error:
            raise SettingsError(f"plugin {plugin.name}: {error}") from error
    return manager


class HookCaller:
    """Implements hookspecs.Hooks for the plugins of a node, first plugin of the settings first."""

    def __init__(self, plugins: Sequence[Plugin], watch: Watch, clock: Clock, bound: float) -> None:
        self._manager = plugin_manager(plugins)
        self._order = {plugin.name: place for place, plugin in enumerate(plugins)}
        self._watch = watch
        self._clock = clock
        self._bound = bound
        self._impls: dict[str, list[pluggy.HookImpl]] = {}
        self._faults: dict[tuple[str, str], Fault] = {}
        self._log = structlog.get_logger("wanmi.hooks")

    def locate_point(self, node: NodeContext, lon_e7: int, lat_e7: int, datum: Datum) -> Located | None:
        """The unit grid of a point: the first plugin that knows."""
        answers = self._answers("locate_point", Located, node=node, lon_e7=lon_e7, lat_e7=lat_e7, datum=datum)
        return next(answers, None)

    def find_duplicates(self, node: NodeContext, facts: ReportFacts) -> list[str]:
        """Case numbers of all plugins, each once, first ones first."""
        answers = self._answers("find_duplicates", (list, tuple), node=node, facts=facts)
        return list(dict.fromkeys(str(number) for answer in answers for number in answer))

    def point_in_area(self, node: NodeContext, code: str) -> Point | None:
        """A point inside a unit grid or community: the first plugin that knows it."""
        return next(self._answers("point_in_area", Point, node=node, code=code), None)

    def blobs_of_person(self, node: NodeContext, number: str) -> list[str]:
        """Sealed blobs about a person, of all plugins, each once."""
        answers = self._answers("blobs_of_person", (list, tuple), node=node, number=number)
        return list(dict.fromkeys(str(blob) for answer in answers for blob in answer))

    def actor_from_request(self, node: NodeContext, request: Request) -> Actor | None:
        """Who makes an HTTP request: the first plugin that knows."""
        return next(self._answers("actor_from_request", Actor, node=node, request=request), None)

    def faults(self) -> list[Fault]:
        """Hooks that raised since the start: for the health page."""
        return list(self._faults.values())

    def _answers(self, hook: str, type_: type[T] | tuple[type[T], ...], **given: object) -> Iterator[T]:
        """The answers that are not None, plugin by plugin, as they are asked for."""
        for impl in self._impls_of(hook):
            answer = self._ask(hook, impl, given)
            if answer is None:
                continue
            if isinstance(answer, type_):
                yield answer
            else:
                self._note(impl.plugin_name, hook, f"answered {type(answer).__name__}, not what the hook asks for")

    def _impls_of(self, hook: str) -> list[pluggy.HookImpl]:
        """Who implements a hook, in the settings' order: the plugins of a node stay the same."""
        impls = self._impls.get(hook)
        if impls is None:
            found = getattr(self._manager.hook, hook).get_hookimpls()
            impls = self._impls[hook] = sorted(found, key=lambda impl: self._order[impl.plugin_name])
        return impls

    def _ask(self, hook: str, impl: pluggy.HookImpl, given: dict[str, object]) -> object:
        """One plugin's answer; None when it raised: that call is fenced and the plugin named."""
        started = self._clock.monotonic()
        with self._watch.calling(impl.plugin_name, hook, self._bound):
            try:
                return impl.function(*(given[name] for name in impl.argnames))
            except Exception as error:  # noqa: BLE001 - the border to a plugin
                self._note(impl.plugin_name, hook, f"{type(error).__name__}: {error}", error)
                return None
            finally:
                self._note_slow(impl.plugin_name, hook, self._clock.monotonic() - started)

    def _note(self, plugin: str, hook: str, said: str, error: Exception | None = None) -> None:
        known = self._faults.get((plugin, hook))
        self._faults[plugin, hook] = Fault(plugin, hook, known.count + 1 if known else 1, said)
        self._log.error("hook_fenced", plugin=plugin, hook=hook, error=said, exc_info=error)

    def _note_slow(self, plugin: str, hook: str, seconds: float) -> None:
        if seconds > SLOW_SECONDS:
            self._log.warning("hook_slow", plugin=plugin, hook=hook, milliseconds=round(seconds * 1000))


def _refuse_ordering(manager: pluggy.PluginManager, plugin: Plugin) -> None:
    """The order of answers is the settings' alone, so what would change it is refused instead of ignored."""
    for caller in manager.get_hookcallers(plugin.module) or ():
        for impl in caller.get_hookimpls():
            if impl.plugin_name != plugin.name:
                continue
            if impl.tryfirst or impl.trylast or impl.wrapper or impl.hookwrapper:
                raise ValueError(
                    f"hook {caller.name}: tryfirst, trylast and wrappers have no effect here; "
                    "the order of the setting `plugins` decides"
                )
