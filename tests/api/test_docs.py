"""docs/api.md is a script: its shell blocks, exactly as they stand, against a real node process."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import openpyxl
import pytest

from support.live import ROOT, environment
from wanmi.web.api_events import MAX_BACKLOG
from wanmi.web.events import MAX_QUEUE

PAGE = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```$", PAGE, flags=re.MULTILINE | re.DOTALL)


@pytest.mark.processes
def test_a_case_goes_from_report_to_close(tmp_path: Path) -> None:
    assert {language for language, _ in BLOCKS} == {"sh"}
    blocks = "\n".join(block for _, block in BLOCKS)
    command = tmp_path / "bin" / "wanmi"
    command.parent.mkdir()
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m wanmi.cli "$@"\n')
    command.chmod(0o755)
    begin = "set -euo pipefail\ntrap 'kill $(jobs -p); wait' EXIT\n"
    env = environment(XDG_CACHE_HOME=str(tmp_path / "cache"))
    env["PATH"] = f"{command.parent}{os.pathsep}{env['PATH']}"
    done = subprocess.run(
        ["bash", "-c", begin + blocks], cwd=tmp_path, env=env, capture_output=True, text=True, timeout=60,
        check=False,
    )  # fmt: skip
    log = tmp_path / "log.txt"
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}\n{log.read_text() if log.exists() else ''}"
    case = re.search(r"^case (\S+)$", done.stdout, re.MULTILINE)
    assert case is not None
    told = done.stdout.splitlines()
    states = [line for line in told if re.fullmatch("[a-z_]+", line)]
    assert states == [
        "pending_file", "pending_dispatch", "pending_handle", "handling", "handled", "pending_check", "checking",
        "check_passed", "closed",
    ]  # fmt: skip
    assert "cannot go from pending_file to" in done.stdout or "not for the post operator" in done.stdout
    assert "not known at this node" in done.stdout
    assert told[-2] == f"['{case[1]}']"
    assert told[-1] == "9"
    assert any("due" in line or "deadline" in line for line in told), done.stdout
    book = openpyxl.load_workbook(tmp_path / "cases.xlsx")
    assert book.active is not None
    assert book.active["A2"].value == case[1]


def test_every_number_is_told() -> None:
    assert f"more than {MAX_BACKLOG:,} entries" in PAGE.replace("\n", " ")
    assert f"more than {MAX_QUEUE:,} hints" in PAGE.replace("\n", " ")
