"""Terminals on the screens: admitted, turned away, given a new key and revoked at a real district."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from edge.asking_town import Town, town_of
from tui.edge_node import screen_text, tui, until
from wanmi.clock import SystemClock
from wanmi.identity import add_token
from wanmi.node import Node
from wanmi.testing import running
from wanmi_tui.app import WanmiApp

SCOPES = ("nodes:read", "devices:read", "devices:write", "journal:read", "cases:read")


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    with town_of(tmp_path, SystemClock()) as made:
        yield made
        made.edge.close()


def token(node: Node) -> str:
    return add_token(node, name="technician", scopes=SCOPES).secret


def bodies(town: Town, kind: str) -> list[dict[str, Any]]:
    found = [one.entry for one in town.district.journal.read("210102", 0) if one.entry]
    return [dict(one.body) for one in found if one.kind == kind]


async def sees(app: WanmiApp, text: str) -> None:
    await until(lambda: text in screen_text(app))


async def press(app: WanmiApp, pilot: Any, *keys: str) -> None:
    await pilot.press(*keys)
    app.draw()
    await pilot.pause()


async def stays(app: WanmiApp, pilot: Any, town: Town, kind: str) -> None:
    """Nothing of the kind was written, and the table has the keys again."""
    await pilot.pause()
    assert bodies(town, kind) == []
    assert len(app.screen_stack) == 2


def test_an_asking_terminal_is_admitted_only_when_its_fingerprint_was_compared(town: Town) -> None:
    asking = town.asks("T")

    async def play(url: str) -> None:
        app = tui((url, token(town.district)))
        async with app.run_test(size=(80, 24), notifications=True) as pilot:
            await press(app, pilot, "5")
            await sees(app, asking.fingerprint)
            await press(app, pilot, "a", "enter", *"p-7", "enter")
            await sees(app, "this very fingerprint")
            assert asking.fingerprint in screen_text(app)
            await press(app, pilot, "enter")
            await stays(app, pilot, town, "terminal.admitted")
            await press(app, pilot, "a", *"T210102-0042", "enter", *"p-7", "enter", "down", "enter")
            await sees(app, "done: Admit a terminal: phone 9 — T210102-0042")
            await until(lambda: "asks to join" not in screen_text(app))
            await press(app, pilot, "a")
            await sees(app, "no terminal that asks")

    with running(town.district, web=True) as places:
        asyncio.run(play(places["web"]))
    (body,) = bodies(town, "terminal.admitted")
    assert (body["terminal"], body["holder"]) == ("T210102-0042", "p-7")


def test_an_id_that_is_taken_must_be_typed_to_replace_its_key(town: Town) -> None:
    from wanmi.identity.asking import Approval, approve_ask

    approve_ask(town.district, town.asks("old").key_id, Approval("T210102-0042"))
    anew = town.asks("anew")

    async def play(url: str) -> None:
        app = tui((url, token(town.district)))
        async with app.run_test(size=(80, 24), notifications=True) as pilot:
            await press(app, pilot, "5")
            await sees(app, anew.fingerprint)
            await sees(app, "T210102-0042")
            await press(app, pilot, "a", *"T210102-0042", "enter", "enter", "down", "enter")
            await sees(app, "with another key")
            await press(app, pilot, *"T210102-0042", "enter")
            await sees(app, "done: Admit")

    with running(town.district, web=True) as places:
        asyncio.run(play(places["web"]))
    assert [body["sign_key"] for body in bodies(town, "terminal.admitted")][-1] == anew.pair.public.hex()


def test_a_denial_needs_a_reason(town: Town) -> None:
    asking = town.asks("T")

    async def play(url: str) -> None:
        app = tui((url, token(town.district)), lang="zh")
        async with app.run_test(size=(80, 24), notifications=True) as pilot:
            await press(app, pilot, "5")
            await sees(app, asking.fingerprint)
            await press(app, pilot, "d", "enter")
            await sees(app, "请写明原因")
            await stays(app, pilot, town, "terminal.denied")
            await press(app, pilot, "d", *"no", "enter")
            await sees(app, "已完成：驳回终端")
            await until(lambda: "申请准入" not in screen_text(app))

    with running(town.district, web=True) as places:
        asyncio.run(play(places["web"]))
    assert [body["reason"] for body in bodies(town, "terminal.denied")] == ["no"]


def test_a_terminal_is_given_a_new_key_and_revoked_by_its_id(town: Town) -> None:
    from wanmi.identity.asking import Approval, approve_ask

    approve_ask(town.district, town.asks("T").key_id, Approval("T210102-0042"))

    async def play(url: str) -> None:
        app = tui((url, token(town.district)))
        async with app.run_test(size=(80, 24), notifications=True) as pilot:
            await press(app, pilot, "5")
            await sees(app, "T210102-0042")
            await press(app, pilot, "o", *"old", "enter")
            await sees(app, "done: A new key for T210102-0042")
            await press(app, pilot, "x", *"lost", "enter")
            await sees(app, "not undone")
            await press(app, pilot, *"yes", "enter", "escape")
            await stays(app, pilot, town, "terminal.revoked")
            await press(app, pilot, "x", *"lost", "enter", *"T210102-0042", "enter")
            await sees(app, "done: Revoke T210102-0042")
            await sees(app, "✗ revoked")
            await press(app, pilot, "o")
            await sees(app, "no terminal that is admitted")

    with running(town.district, web=True) as places:
        asyncio.run(play(places["web"]))
    assert [body["reason"] for body in bodies(town, "terminal.rotation_ordered")] == ["old"]
    assert [body["reason"] for body in bodies(town, "terminal.revoked")] == ["lost"]


def test_from_an_edges_line_its_district_decides(town: Town) -> None:
    """Where the district is not among the nodes, the screen says whom to ask."""
    asking = town.asks("T")

    async def play(url: str) -> None:
        app = tui((url, token(town.edge)))
        async with app.run_test(size=(80, 24), notifications=True) as pilot:
            await press(app, pilot, "5")
            await sees(app, asking.fingerprint)
            await press(app, pilot, "a")
            await sees(app, "its district 210102 decides")
            assert len(app.screen_stack) == 2

    with running(town.edge, web=True) as places:
        asyncio.run(play(places["web"]))
