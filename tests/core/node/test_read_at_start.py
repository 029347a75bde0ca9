"""What a node needs of its package is read at its start: data changed under a running node wait for the next one."""

from __future__ import annotations

from pathlib import Path

import pytest

from wanmi.calendar import shipped_calendar
from wanmi.cases import StepTable
from wanmi.cases import table as tables
from wanmi.codes import Profile, profile, resources
from wanmi.profiles import ProfileStore
from wanmi.testing import running, small_node

_CACHED = (tables._load, profile._load, shipped_calendar)


def test_changed_package_data_do_not_disturb_a_running_node(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for cached in _CACHED:
        cached.cache_clear()
    with small_node(tmp_path / "node") as node, running(node):
        monkeypatch.setattr(resources, "folder_named", lambda name: tmp_path / "gone" / name)
        for module in (tables, profile):
            monkeypatch.setattr(module, "folder_named", lambda name: tmp_path / "gone" / name)
        store = ProfileStore(node)
        active = store.active()
        assert store.steps(active).step("accept").posts
        assert StepTable.load().states
        assert Profile.load("gbt-47678").catalogue
        assert shipped_calendar().digest
