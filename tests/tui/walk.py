"""The ways to every screen."""

from __future__ import annotations

import asyncio
from typing import Any

from wanmi_tui.app import WanmiApp

SCREENS: dict[str, tuple[str, ...]] = {
    "nodes": ("1",),
    "alarms": ("2",),
    "power": ("3", "down", "down"),
    "gnss": ("4",),
    "terminals": ("5",),
    "several_approve": ("5", "a", "enter", "enter"),
    "several_revoke": ("5", "down", "x", "l", "o", "s", "t", "enter"),
    "vehicles": ("6",),
    "displays": ("7",),
    "network": ("8",),
    "spool": ("9", "down", "down"),
    "journal": ("0",),
    "device": ("3", "enter", "down", "down", "down", "down", "down"),
    "record": ("9", "down", "down", "enter"),
    "help": ("question_mark",),
    "acknowledge": ("2", "a"),
    "silence": ("2", "s"),
    "find": ("3", "slash", "g", "a", "t", "e"),
    "palette": ("ctrl+p",),
    "several": ("3",),
    "several_nodes": ("1",),
    "light": ("2", "f3"),
}


async def settle(app: WanmiApp) -> None:
    """Until what is wanted was read, and drawn."""
    for _ in range(300):
        watched = [watch for watch in app.watches if watch._wanted]
        if len(watched) == len(app.watches) and all(
            watch.state.answered(topic).due > 0 for watch in watched for topic in watch._wanted
        ):
            break
        await asyncio.sleep(0.01)
    else:
        raise AssertionError("the scene was not read")
    await asyncio.sleep(0.03)
    app.draw()
    await asyncio.sleep(0.02)


async def go(app: WanmiApp, pilot: Any, keys: tuple[str, ...]) -> None:
    """Press the keys, waiting for the answers after each."""
    await settle(app)
    for key in keys:
        await pilot.press(key)
        await settle(app)
    await pilot.pause()
