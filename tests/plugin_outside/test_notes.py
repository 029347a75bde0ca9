"""The plugin's own tests: real small nodes, no network, time that stands still."""

from __future__ import annotations

from pathlib import Path

from wanmi.hookspecs import ReportFacts
from wanmi.node import run_action
from wanmi.testing import carry, react, replay_differences, small_city, small_node

CASE = "210102-E0102-20261124-0007"


def test_a_note_with_a_flag_is_flagged_once(tmp_path: Path) -> None:
    with small_node(tmp_path / "node", plugins=["notes"]) as node:
        for text in ("! like 0102 of last week", "just so"):
            list(run_action(node, "notes.take", {"case": CASE, "text": text}))
        assert react(node) == 1
        assert react(node) == 0
        assert node.hooks.find_duplicates(node, ReportFacts("event", "0102", 0, 0, 0)) == [CASE]
        assert node.hooks.find_duplicates(node, ReportFacts("event", "0103", 0, 0, 0)) == []
        assert replay_differences(node) == []


def test_the_city_sees_the_districts_notes(tmp_path: Path) -> None:
    with small_city(tmp_path, city=["notes"], district=["notes"]) as town:
        list(run_action(town.district, "notes.take", {"case": CASE, "text": "! 0102"}))
        react(town.district)
        carry(town.district, town.city)
        assert react(town.city) == 0, "a reactor answers for its own node"
        assert town.city.hooks.find_duplicates(town.city, ReportFacts("event", "0102", 0, 0, 0)) == [CASE]
