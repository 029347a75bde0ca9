"""Changed settings and switched plugins are entries at the next start; values never are."""

from __future__ import annotations

from pathlib import Path

import pytest

from wanmi.node import Node
from wanmi.node.recorded import record_settings, recorded_now
from wanmi.registry import Stored
from wanmi.testing import running, small_node


def told(entries: list[Stored]) -> list[tuple[str, dict[str, object]]]:
    return [(one.entry.kind, {**one.entry.body, "digest": "-"}) for one in entries if one.entry is not None]


def rewrite(node: Node, old: str, new: str) -> None:
    path = node.dir / "node.toml"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def test_the_first_start_is_one_entry_and_the_next_none(tmp_path: Path) -> None:
    with small_node(tmp_path / "node", plugins=["console"]) as node:
        first = record_settings(node, "host:li")
        assert [kind for kind, _ in told(first)] == ["settings.changed"]
        assert told(first)[0][1]["section"] == "*"
        assert {"web", "identity", "console", "plugins"} <= set(told(first)[0][1]["keys"])  # type: ignore[call-overload]
        assert record_settings(node, "host:li") == []
    with Node.open(tmp_path / "node") as again:
        assert record_settings(again, "host:li") == []


def test_a_changed_key_is_named_and_its_value_is_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with small_node(tmp_path / "node", plugins=["console"]) as node:
        record_settings(node, "host:li")
    monkeypatch.setenv("WANMI_CONSOLE__PAGE_SIZE", "77")
    monkeypatch.setenv("WANMI_LOG__LEVEL", "debug")
    with Node.open(tmp_path / "node") as node:
        stored = record_settings(node, "host:li")
        assert told(stored) == [
            ("settings.changed", {"section": "console", "keys": ["page_size"], "digest": "-"}),
            ("settings.changed", {"section": "log", "keys": ["level"], "digest": "-"}),
        ]
        assert {one.entry.subject for one in stored if one.entry} == {f"settings:{node.code}"}
        assert all(b"77" not in (one.raw or b"").split(b'"salt"')[0].split(b'"keys"')[-1] for one in stored)
        assert stored[0].audience == (node.code,)
        assert {one.entry.actor for one in stored if one.entry} == {"host:li"}


def test_a_switched_plugin_is_an_entry(tmp_path: Path) -> None:
    with small_node(tmp_path / "node", plugins=["console"]) as node:
        record_settings(node, "host:li")
        rewrite(node, '"console"', '"console", "gis"')
    with Node.open(tmp_path / "node") as node:
        stored = told(record_settings(node, "host:li"))
        assert ("plugin.switched", {"plugin": "gis", "on": True, "version": "0.1.0", "digest": "-"}) in stored
        assert any(body.get("section") == "plugins" for _, body in stored)
        rewrite(node, '"console", "gis"', '"console"')
    with Node.open(tmp_path / "node") as node:
        assert ("plugin.switched", {"plugin": "gis", "on": False, "version": "", "digest": "-"}) in told(
            record_settings(node, "host:li")
        )


def test_digests_are_the_nodes_own(tmp_path: Path) -> None:
    with small_node(tmp_path / "a", plugins=["console"]) as one, small_node(tmp_path / "b", plugins=["console"]) as two:
        a, b = recorded_now(one), recorded_now(two)
        settings = [name for name in a if not name.startswith("plugin:")]
        assert all(a[name] != b[name] for name in settings), "a short value cannot be guessed from its digest"


def test_a_node_that_runs_records_by_itself(tmp_path: Path) -> None:
    with small_node(tmp_path / "node", plugins=["console"]) as node:
        with running(node, web=False):
            pass
        kinds = [one.entry.kind for one in node.journal.read(node.code, 0) if one.entry]
        assert kinds.count("settings.changed") == 1
