"""Every hook by its name, asked through a real node of a plugin that answers it.

A hook without a test here, or without a word in the guide, fails the suite.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from starlette.requests import Request

from wanmi.coords import Datum, Point
from wanmi.hookspecs import Actor, Located, ReportFacts, Specs
from wanmi.registry import NodeContext, Registry
from wanmi.testing import quick_plugin, small_node

HOOKS = [name for name, spec in vars(Specs).items() if hasattr(spec, "wanmi_spec")]
GUIDE = Path(__file__).resolve().parents[2] / "docs" / "plugins.md"


def ask_register(dir: Path) -> None:
    def register(to: Registry) -> None:
        to.page("/notes", zh="便笺", en="Notes")

    with small_node(dir, plugins=[quick_plugin("notes", register, version="3")]) as node:
        (item,) = [item for item in node.registry.nav if item.path == "/notes"]
        assert (item.zh, item.plugin) == ("便笺", "notes@3")


def ask_locate_point(dir: Path) -> None:
    asked: list[tuple[Any, ...]] = []

    def locate_point(node: NodeContext, lon_e7: int, lat_e7: int, datum: Datum) -> Located | None:
        asked.append((node.code, lon_e7, lat_e7, datum))
        return Located("210102001002007", "v1") if datum == "GCJ02" else None

    with small_node(dir, plugins=[quick_plugin("map", locate_point)]) as node:
        assert node.hooks.locate_point(node, 1234, 567, "GCJ02") == Located("210102001002007", "v1")
        assert node.hooks.locate_point(node, 1234, 567, "WGS84") is None
    assert asked == [("210102", 1234, 567, "GCJ02"), ("210102", 1234, 567, "WGS84")]


def ask_find_duplicates(dir: Path) -> None:
    facts = ReportFacts("event", "0102", 1234, 567, 1)

    def make(name: str, answer: Sequence[str]) -> Any:
        def find_duplicates(node: NodeContext, facts: ReportFacts) -> Sequence[str]:
            return [f"{facts.category}-{one}" for one in answer]

        return quick_plugin(name, find_duplicates)

    with small_node(dir, plugins=[make("one", "ab"), make("two", ()), make("three", "bc")]) as node:
        assert node.hooks.find_duplicates(node, facts) == ["0102-a", "0102-b", "0102-c"]


def ask_point_in_area(dir: Path) -> None:
    def point_in_area(code: str) -> Point | None:
        return Point(1_234_000_000, 417_000_000) if code == "210102001002" else None

    with small_node(dir, plugins=[quick_plugin("areas", point_in_area)]) as node:
        assert node.hooks.point_in_area(node, "210102001002") == Point(1_234_000_000, 417_000_000)
        assert node.hooks.point_in_area(node, "210102001003") is None


def ask_blobs_of_person(dir: Path) -> None:
    def make(name: str, blobs: Sequence[str]) -> Any:
        def blobs_of_person(number: str) -> Sequence[str]:
            return [f"{number}-{blob}" for blob in blobs]

        return quick_plugin(name, blobs_of_person)

    with small_node(dir, plugins=[make("calls", "ab"), make("letters", "b")]) as node:
        assert sorted(set(node.hooks.blobs_of_person(node, "024"))) == ["024-a", "024-b"]


def ask_actor_from_request(dir: Path) -> None:
    def actor_from_request(request: Request) -> Actor | None:
        name = request.headers.get("x-badge")
        return Actor(f"badge:{name}", "operator") if name else None

    def request(*headers: tuple[bytes, bytes]) -> Request:
        return Request({"type": "http", "headers": list(headers)})

    with small_node(dir, plugins=[quick_plugin("badges", actor_from_request)]) as node:
        known = node.hooks.actor_from_request(node, request((b"x-badge", b"7")))
        assert known == Actor("badge:7", "operator")
        assert node.hooks.actor_from_request(node, request()) is None


ASKED: dict[str, Callable[[Path], None]] = {
    "register": ask_register,
    "locate_point": ask_locate_point,
    "find_duplicates": ask_find_duplicates,
    "point_in_area": ask_point_in_area,
    "blobs_of_person": ask_blobs_of_person,
    "actor_from_request": ask_actor_from_request,
}


@pytest.mark.parametrize("hook", HOOKS)
def test_the_hook_is_answered_by_a_plugin(hook: str, tmp_path: Path) -> None:
    assert hook in ASKED, f"hook {hook} has no test here: add ask_{hook}"
    ASKED[hook](tmp_path / "node")


@pytest.mark.parametrize("hook", HOOKS)
def test_the_hook_is_in_the_guide(hook: str) -> None:
    assert f"`{hook}`" in GUIDE.read_text(encoding="utf-8")


def test_nothing_is_tested_that_is_no_hook() -> None:
    assert set(ASKED) == set(HOOKS)
