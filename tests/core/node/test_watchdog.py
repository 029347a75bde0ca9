"""The watchdog: names the plugin that does not return, forgives time in which the process itself was stopped."""

from __future__ import annotations

import sys
import threading
from pathlib import Path
from types import ModuleType

import pytest

from wanmi.clock import SECOND, ManualClock
from wanmi.errors import NotFound, SettingsError
from wanmi.node.watchdog import Heart, Watchdog, plugin_in
from wanmi.plugins import Off, Watch, read_off, record_off, remove_off


class Scene:
    """A watchdog that is looked through by hand."""

    def __init__(self, dir: Path, bound: float = 5.0) -> None:
        self.clock = ManualClock()
        self.watch = Watch(self.clock)
        self.heart = Heart(self.clock, bound)
        self.dog = Watchdog(dir, self.watch, self.heart, self.clock, {"wanmi_bad": "bad"}, lambda _: None)

    def pass_(self, seconds: float, *, beating: bool = True) -> Off | None:
        """Time passes in the watchdog's steps; the first thing it finds."""
        for _ in range(int(seconds / 0.5)):
            self.clock.advance(SECOND // 2)
            if beating:
                self.heart.beat()
            off = self.dog.look()
            if off is not None:
                return off
        return None


def test_a_call_that_does_not_return_is_named(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    with scene.watch.calling("slow@1.2", "locate_point", 3.0), scene.watch.calling("other@1", "x", 60.0):
        assert scene.pass_(3) is None
        off = scene.pass_(1)
        assert off is not None
        assert (off.plugin, off.reason) == ("slow", "locate_point did not return within 3 s")
    assert scene.pass_(10) is None, "both returned"


def test_a_process_that_was_stopped_is_forgiven(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    with scene.watch.calling("slow@1", "locate_point", 3.0):
        scene.pass_(2)
        scene.clock.advance(100 * SECOND)
        assert scene.dog.look() is None
        assert scene.pass_(3) is None, "it gets its whole time again"
        assert scene.pass_(1) is not None


def test_a_stuck_loop_is_laid_to_the_plugin_in_its_frames(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    module = ModuleType("wanmi_bad")
    stop, inside = threading.Event(), threading.Event()
    exec("def hang(stop, inside):\n    inside.set()\n    stop.wait()\n", module.__dict__)
    thread = threading.Thread(target=module.hang, args=(stop, inside))
    thread.start()
    inside.wait()
    scene.heart.thread = thread.ident or 0
    off = scene.pass_(6, beating=False)
    stop.set()
    thread.join()
    assert off is not None
    assert (off.plugin, off.reason) == ("bad", "it kept the event loop from running for 5 s")


def test_a_stuck_loop_of_nobody_is_only_told(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    assert scene.pass_(20, beating=False) is None


def test_frames_are_searched_from_the_inside() -> None:
    assert plugin_in(sys._getframe(), {__name__: "me"}) == "me"
    assert plugin_in(sys._getframe(), {"nothing": "x"}) is None
    assert plugin_in(None, {}) is None


def test_plugins_that_are_off_are_written_down(tmp_path: Path) -> None:
    assert read_off(tmp_path) == {}
    first, second = Off("gis", "2026-11-24T08:00:00.000000Z", 'say "no"\n'), Off("a-b.c", "t", "r")
    record_off(tmp_path, first)
    record_off(tmp_path, second)
    assert read_off(tmp_path) == {"gis": first, "a-b.c": second}
    remove_off(tmp_path, "gis")
    assert read_off(tmp_path) == {"a-b.c": second}
    with pytest.raises(NotFound, match="gis is not off"):
        remove_off(tmp_path, "gis")


@pytest.mark.parametrize("text", ["[gis", 'gis = "x"'])
def test_a_damaged_file_says_what_to_do(tmp_path: Path, text: str) -> None:
    (tmp_path / "plugins-off.toml").write_text(text)
    with pytest.raises(SettingsError, match=r"plugins-off\.toml"):
        read_off(tmp_path)
