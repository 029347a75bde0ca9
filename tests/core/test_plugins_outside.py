"""A plugin from a separate directory: built, installed, and used by a node in a process of its own."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from support.live import ROOT, LiveNode, environment, until, wanmi

SOURCE = ROOT / "tests" / "plugin_outside"
CASE = "210102-E0102-20261124-0007"
pytestmark = pytest.mark.processes


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that pip installed the plugin into."""
    target = tmp_path_factory.mktemp("installed")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input", "install", "--quiet"]
    done = subprocess.run(
        [*pip, "--no-deps", "--no-build-isolation", "--no-index", "--target", str(target), str(SOURCE)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return target


def test_its_own_tests_pass_where_it_is_installed(installed: Path) -> None:
    pytest_ = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", "/dev/null"]
    done = subprocess.run(
        [*pytest_, "--rootdir", str(SOURCE), str(SOURCE / "test_notes.py")],
        env=environment(installed),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert "2 passed" in done.stdout


def test_a_node_uses_it(installed: Path, tmp_path: Path) -> None:
    env, dir = environment(installed, XDG_CACHE_HOME=str(tmp_path / "cache")), tmp_path / "node"
    made = wanmi("init", dir, "--role", "district", "--code", "210102", "--plugins", "notes", env=env)
    assert made.returncode == 0, made.stderr
    with (dir / "node.toml").open("a", encoding="utf-8") as file:
        file.write('\n[notes]\nflag = "?"\n')
    assert "Notes on cases." in wanmi("--help", env=env).stdout
    assert wanmi("notes", "take", dir, CASE, "not live", env=env).stdout.startswith("note:")
    token = wanmi("token", "add", dir, "test", "--scope", "read", env=env).stdout.strip()
    with LiveNode(dir, env) as live:
        url = f"{live.facts()['web']}/api/v1/notes"
        subject = wanmi("notes", "take", dir, CASE, "? live", env=env).stdout.strip()
        flagged = until(lambda: {note["subject"]: note for note in get(url, token)}[subject]["flagged"])
        assert flagged == 1, "its reactor ran"
        assert {note["text"] for note in get(url, token)} == {"not live", "? live"}
        with pytest.raises(urllib.error.HTTPError, match="401"):
            get(url, "")
        assert live.end(signal.SIGTERM) == 0
    assert wanmi("replay", dir, "--check", env=env).stdout == "5 entries replayed, 0 rows differ\n"
    shown = [json.loads(line) for line in wanmi("journal", "show", dir, "--kind", "note.flagged").stdout.splitlines()]
    assert [entry["by"] for entry in shown] == ["notes@0.3.0"]


def test_its_entries_stay_where_it_is_not_installed(installed: Path, tmp_path: Path) -> None:
    """A node without the plugin still holds, shows and proves what it wrote."""
    env, dir = environment(installed), tmp_path / "node"
    wanmi("init", dir, "--role", "district", "--code", "210102", "--plugins", "notes", env=env)
    wanmi("notes", "take", dir, CASE, "hello", env=env)
    refused = wanmi("status", dir)
    assert (refused.returncode, "'notes' is not installed" in refused.stderr) == (1, True)
    without = environment(WANMI_PLUGINS=",")
    assert json.loads(wanmi("status", dir, "--json", env=without).stdout)["cursors"] == {"210102": 2}
    assert wanmi("journal", "verify", dir).returncode == 0


def get(url: str, token: str) -> list[dict[str, object]]:
    """What the route answers to the bearer of a token."""
    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {token}"} if token else {})
    with urllib.request.urlopen(request) as answer:
        return list(json.load(answer))
