"""Plugins: found by entry points, loaded when named, asked in the settings' order, each fenced from the others."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from support.live import install_plugin
from wanmi.clock import SECOND, ManualClock
from wanmi.errors import Conflict, NeedsExtra, SettingsError
from wanmi.hookspecs import Located, hookimpl
from wanmi.plugins import Call, HookCaller, Plugin, Watch, fill, installed_plugins, load_plugin
from wanmi.registry import Registry
from wanmi.testing import quick_plugin

NODE: Any = object()
PLAIN = "from wanmi.hookspecs import hookimpl\n"


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder on the path, for plugins that come and go."""
    folder = tmp_path / "site"
    folder.mkdir()
    monkeypatch.syspath_prepend(str(folder))
    before = set(sys.modules)
    yield folder
    for name in set(sys.modules) - before:
        del sys.modules[name]


def caller(*plugins: Plugin, clock: ManualClock | None = None) -> HookCaller:
    clock = clock or ManualClock()
    return HookCaller(plugins, Watch(clock), clock, 5.0)


def locates(name: str, grid: str | None) -> Plugin:
    def locate_point() -> Located | None:
        return Located(grid, "v1") if grid else None

    return quick_plugin(name, locate_point)


def raises(name: str) -> Plugin:
    def locate_point() -> Located | None:
        raise ZeroDivisionError("by zero")

    return quick_plugin(name, locate_point)


def grid_of(hooks: HookCaller) -> str | None:
    found = hooks.locate_point(NODE, 0, 0, "WGS84")
    return found.grid if found else None


def test_an_installed_plugin_is_found_and_loaded_with_its_version(site: Path) -> None:
    install_plugin(site, "here", PLAIN)
    found = installed_plugins()
    assert (found["here"].version, found["here"].module) == ("1.2", "wanmi_here")
    assert "wanmi_here" not in sys.modules, "found is not loaded"
    assert load_plugin("here", found).module.__name__ == "wanmi_here"


def test_a_plugin_that_is_not_installed_is_named(site: Path) -> None:
    with pytest.raises(SettingsError, match="'ghost' is not installed"):
        load_plugin("ghost", installed_plugins())


def test_two_plugins_of_one_name_are_refused(site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install_plugin(site, "same", PLAIN)
    other = install_plugin(tmp_path / "other", "same2", PLAIN)
    entry = other / "wanmi_same2-1.2.dist-info" / "entry_points.txt"
    entry.write_text("[wanmi.plugins]\nsame = wanmi_same2\n")
    monkeypatch.syspath_prepend(str(other))
    with pytest.raises(SettingsError, match="plugin same: both"):
        installed_plugins()


def test_a_missing_library_names_the_extra(site: Path) -> None:
    install_plugin(site, "needy", "import a_library_that_is_not_there.part\n")
    with pytest.raises(
        NeedsExtra, match=r"needs wanmi\[district\] \(python module a_library_that_is_not_there"
    ) as caught:
        load_plugin("needy", installed_plugins(), "district")
    assert caught.value.extra == "district"


@pytest.mark.parametrize(
    "source", ["import wanmi.not_there\n", "import wanmi_broken.more\n", "from os import nothing_such\n"]
)
def test_a_fault_of_the_plugin_is_no_missing_extra(site: Path, source: str) -> None:
    install_plugin(site, "broken", source)
    with pytest.raises(SettingsError, match="plugin broken: cannot be imported"):
        load_plugin("broken", installed_plugins())


def test_register_is_called_in_order_and_marks_what_it_adds() -> None:
    order: list[str] = []

    def make(name: str) -> Plugin:
        def register(to: Registry) -> None:
            order.append(name)
            to.page(f"/{name}", zh=name, en=name)

        return quick_plugin(name, register, version="2.0")

    registry = Registry()
    fill(registry, [make("b"), make("a"), quick_plugin("silent")])
    assert order == ["b", "a"]
    assert [item.plugin for item in registry.nav] == ["b@2.0", "a@2.0"]
    assert registry.plugins == {"b": "2.0", "a": "2.0", "silent": "0"}


def test_a_register_that_raises_stops_the_start_named() -> None:
    def register(to: Registry) -> None:
        raise ZeroDivisionError("by zero")

    with pytest.raises(SettingsError, match="plugin bad: register failed: ZeroDivisionError: by zero"):
        fill(Registry(), [quick_plugin("bad", register)])


def test_names_that_clash_name_the_plugin() -> None:
    def register(to: Registry) -> None:
        to.probe("same", lambda _: [])

    with pytest.raises(Conflict, match="second@0: 'same' is already registered"):
        fill(Registry(), [quick_plugin("first", register), quick_plugin("second", register)])


def test_answers_are_ordered_by_the_settings() -> None:
    one, two = locates("one", "1"), locates("two", "2")
    assert grid_of(caller(one, two)) == "1"
    assert grid_of(caller(two, one)) == "2"
    assert grid_of(caller(locates("none", None), two)) == "2"
    assert grid_of(caller()) is None


def test_a_plugin_that_raises_costs_its_own_answer_only() -> None:
    hooks = caller(raises("bad"), locates("good", "1"))
    with capture_logs() as logs:
        assert [grid_of(hooks), grid_of(hooks)] == ["1", "1"]
    assert [(log["plugin"], log["hook"]) for log in logs] == [("bad", "locate_point")] * 2
    (fault,) = hooks.faults()
    assert (fault.plugin, fault.count, fault.last) == ("bad", 2, "ZeroDivisionError: by zero")


def test_an_answer_of_the_wrong_type_is_no_answer() -> None:
    def locate_point() -> str:
        return "210102001002007"

    def find_duplicates() -> str:
        return "210102-E0102-20261124-0007"

    hooks = caller(quick_plugin("odd", locate_point, find_duplicates), locates("good", "1"))
    with capture_logs():
        assert grid_of(hooks) == "1"
        assert hooks.find_duplicates(NODE, NODE) == []
    assert {fault.hook for fault in hooks.faults()} == {"locate_point", "find_duplicates"}


def test_a_slow_hook_is_named_in_the_log() -> None:
    clock = ManualClock()

    def locate_point() -> None:
        clock.advance(SECOND)

    with capture_logs() as logs:
        grid_of(caller(quick_plugin("slow", locate_point), clock=clock))
    assert [(log["event"], log["plugin"], log["milliseconds"]) for log in logs] == [("hook_slow", "slow", 1000)]


def test_a_call_under_way_is_seen_from_outside() -> None:
    clock = ManualClock()
    watch = Watch(clock)
    seen: list[Call] = []

    def locate_point() -> None:
        clock.advance(6 * SECOND)
        seen.extend(watch.overdue())

    HookCaller([quick_plugin("slow", locate_point)], watch, clock, 5.0).locate_point(NODE, 0, 0, "WGS84")
    assert [(call.plugin, call.what, call.bound) for call in seen] == [("slow", "locate_point", 5.0)]
    assert watch.overdue() == [], "it returned"


def test_hooks_that_do_not_fit_their_spec_are_refused() -> None:
    def locate_point(altitude: int) -> None: ...

    def locate_pint() -> None: ...

    for hook in (locate_point, locate_pint):
        with pytest.raises(SettingsError, match="plugin odd: "):
            caller(quick_plugin("odd", hook))


@pytest.mark.parametrize("option", ["tryfirst", "trylast", "wrapper", "hookwrapper"])
def test_what_would_change_the_order_is_refused(option: str) -> None:
    def locate_point() -> Any:
        yield

    plugin = quick_plugin("pushy", locate_point)
    hookimpl(plugin.module.locate_point, **{option: True})
    with pytest.raises(SettingsError, match="the order of the setting `plugins` decides"):
        caller(plugin)
