"""The screens against a real edge: what a technician sees and does, and what they see while the node is away."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tui.edge_node import EdgeBench, screen_text, tui, until
from wanmi_tui.app import WanmiApp
from wanmi_tui.board import Board
from wanmi_tui.widgets import LineTable


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[EdgeBench]:
    made = EdgeBench(tmp_path / "edge")
    yield made
    made.close()


async def sees(app: WanmiApp, text: str) -> None:
    await until(lambda: text in screen_text(app))


async def press(app: WanmiApp, pilot: Any, *keys: str) -> None:
    await pilot.press(*keys)
    app.draw()
    await pilot.pause()


def test_an_alarm_is_seen_acknowledged_and_silenced(bench: EdgeBench) -> None:
    peer = bench.peers.start()
    peer.says = "91 battery"
    bench.add("North gate UPS", peer)

    async def play(url: str) -> None:
        app = tui((url, bench.token))
        async with app.run_test(size=(80, 24), notifications=True) as pilot:
            await press(app, pilot, "2")
            await sees(app, "load is high")
            await press(app, pilot, "a")
            await press(app, pilot, *"seen", "enter")
            await sees(app, "done: Acknowledge: North gate UPS load is high")
            await until(lambda: "✓ " in screen_text(app).splitlines()[3])
            await press(app, pilot, "s")
            await sees(app, "15 min")
            await press(app, pilot, "down", "enter")
            await press(app, pilot, *"quiet", "enter")
            await sees(app, "quiet till")

    with bench.running() as url:
        asyncio.run(play(url))
    kinds = [one.entry.kind for one in bench.node.journal.read(bench.code, 0) if one.entry is not None]
    assert kinds.count("alarm.acknowledged") == kinds.count("alarm.silenced") == 1


def test_a_device_is_opened_told_something_and_its_trend_is_drawn(bench: EdgeBench) -> None:
    peer = bench.peers.start()
    bench.add("机房电源", peer)

    async def play(url: str) -> None:
        app = tui((url, bench.token), lang="zh")
        async with app.run_test(size=(80, 24), notifications=True) as pilot:
            await press(app, pilot, "3")
            await sees(app, "● 市电")
            await press(app, pilot, "enter")
            await sees(app, "原始值")
            peer.says = "70 mains"
            await sees(app, "70 %")
            await sees(app, "█")
            await press(app, pilot, "c")
            await sees(app, "调光 (dim)")
            await press(app, pilot, "enter")
            await press(app, pilot, *"40", "enter")
            await press(app, pilot, *"no", "enter")
            assert not any(one.startswith("dim") for one in peer.told), "a risky command needs its name"
            await press(app, pilot, "backspace", "backspace", *"dim", "enter")
            await sees(app, "did dim 40")

    with bench.running() as url:
        asyncio.run(play(url))


def test_a_restart_is_told_and_the_choice_is_kept(bench: EdgeBench) -> None:
    for name in ("one", "two", "three"):
        bench.add(name, bench.peers.start())

    def chosen(app: WanmiApp) -> str:
        board = app.screen
        assert isinstance(board, Board)
        line = board.query_one(LineTable).chosen
        return line.cells[0].text if line is not None else ""

    async def play() -> None:
        first = bench.running()
        url = await asyncio.to_thread(first.__enter__)
        app = tui((url, bench.token))
        async with app.run_test(size=(80, 24)) as pilot:
            await press(app, pilot, "3")
            await sees(app, "three")
            await press(app, pilot, "down")
            assert chosen(app) == "two"
            await asyncio.to_thread(first.__exit__, None, None, None)
            await sees(app, "is lost: no answer")
            assert "two" in screen_text(app), "what was known stays"
            await asyncio.to_thread(bench.reopen)
            second = bench.running()
            assert await asyncio.to_thread(second.__enter__) == url
            try:
                await until(lambda: "is lost" not in screen_text(app), 20)
                await until(lambda: screen_text(app).count("● mains") == 3)
                assert chosen(app) == "two"
            finally:
                await asyncio.to_thread(second.__exit__, None, None, None)

    asyncio.run(play())


def test_the_journal_runs_on_is_verified_and_a_false_token_is_told(bench: EdgeBench) -> None:
    async def play(url: str) -> None:
        app = tui((url, bench.token), (url.replace("127.0.0.1", "localhost"), "wanmi_wrong"))
        async with app.run_test(size=(80, 24), notifications=True) as pilot:
            await sees(app, "refuses: the token is wrong or revoked")
            await press(app, pilot, "n", "0")
            await sees(app, "node.admitted")
            await asyncio.to_thread(bench.add, "late", bench.peers.start())
            await sees(app, "device.set")
            await press(app, pilot, "v")
            await sees(app, "entries fit")

    with bench.running() as url:
        asyncio.run(play(url))


def test_nothing_is_drawn_when_nothing_changed(bench: EdgeBench) -> None:
    bench.add("one", bench.peers.start())

    async def play(url: str) -> None:
        app = tui((url, bench.token))
        async with app.run_test(size=(80, 24)) as pilot:
            await press(app, pilot, "4")
            await sees(app, "no such device")
            drawn: list[object] = []
            app.screen._compositor.render_update = _counting(app.screen._compositor.render_update, drawn)  # type: ignore[method-assign]
            app.draw()
            app.draw()
            await pilot.pause()
            assert drawn == []

    with bench.running() as url:
        asyncio.run(play(url))


def _counting(render: Any, drawn: list[object]) -> Any:
    def counted(*args: Any, **more: Any) -> Any:
        update = render(*args, **more)
        if update is not None:
            drawn.append(update)
        return update

    return counted
