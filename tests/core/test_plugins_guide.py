"""Every example of docs/plugins.md is code that a test runs: an excerpt of the plugin outside, or a command."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from support.live import ROOT, environment, install_plugin
from wanmi.settings import ROLE_PLUGINS

OUTSIDE = ROOT / "tests" / "plugin_outside"
GUIDE = (ROOT / "docs" / "plugins.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```$", GUIDE, flags=re.MULTILINE | re.DOTALL)
EXCERPTS = [block for language, block in BLOCKS if language in ("python", "toml")]
SCRIPTS = [block for language, block in BLOCKS if language == "sh"]


@pytest.mark.parametrize("block", EXCERPTS, ids=lambda block: block.partition("\n")[0])
def test_an_excerpt_is_in_the_file_that_it_names(block: str) -> None:
    first, _, code = block.partition("\n")
    source = (OUTSIDE / first.removeprefix("# ")).read_text(encoding="utf-8")
    assert code in source


def test_every_block_is_an_excerpt_or_a_script() -> None:
    assert len(EXCERPTS) + len(SCRIPTS) == len(BLOCKS)
    assert len(EXCERPTS) >= 8
    assert len(SCRIPTS) == 1


def test_the_commands_work(tmp_path: Path) -> None:
    site = install_plugin(tmp_path / "site", "unused", "")
    for info in site.glob("*.dist-info"):
        (info / "entry_points.txt").write_text("[wanmi.plugins]\nnotes = wanmi_notes\n")
    script = f'set -eu\nwanmi() {{ "{sys.executable}" -m wanmi.cli "$@"; }}\n{SCRIPTS[0]}'
    env = environment(site, OUTSIDE, XDG_CACHE_HOME=str(tmp_path / "cache"))
    done = subprocess.run(["bash", "-c", script], cwd=tmp_path, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "the same lamp" in done.stdout
    assert "2 entries replayed, 0 rows differ" in done.stdout


def test_the_table_of_roles_is_true() -> None:
    for role, plugins in ROLE_PLUGINS.items():
        assert f"| {role} | {', '.join(plugins)} |" in GUIDE
