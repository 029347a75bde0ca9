"""``wanmi route`` on a real node directory, in-process, through the ``wanmi`` command tree."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from wanmi.cli import build_app

Run = Callable[..., str]
GRID = "210102001002007"


@pytest.fixture
def wanmi(capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command; answers what it prints. Its exit code is checked, its error raised."""

    def run(*words: object, code: int = 0) -> str:
        capsys.readouterr()
        command = build_app(complete=False)
        assert (command(args=[str(word) for word in words], prog_name="wanmi", standalone_mode=False) or 0) == code
        return capsys.readouterr().out

    return run


@pytest.fixture
def district(tmp_path: Path, wanmi: Run) -> Path:
    where = tmp_path / "d"
    wanmi("init", where, "--role", "district", "--code", "210102", "--plugins", "casework")
    return where


def test_check_then_import_then_explain(wanmi: Run, district: Path) -> None:
    assert "rows would be journaled, 0 unchanged, 0 refused" in wanmi("route", "check", district, "--shipped")
    done = json.loads(wanmi("route", "import", district, "--shipped", "--json"))
    assert done["journaled"] > 50
    assert f"0 rows journaled, {done['journaled']} unchanged" in wanmi("route", "import", district, "--shipped")
    night = ("route", "explain", district, "event:0508", GRID, "--at", "2026-11-24T23:00")
    told = wanmi(*night)
    assert "规则 E-0508-N（示意） 适用：类别 event:0508，不限地点，时段 22:00-06:00" in told
    assert "× 规则 E-05：不如规则 E-0508-N 具体" in told
    assert json.loads(wanmi(*night, "--json"))["department"] == "210102-GA"
    day = json.loads(wanmi("route", "explain", district, "event:0508", GRID, "--at", "2026-11-24T12:00", "--json"))
    assert (day["department"], day["rejected"][0]["reason"]) == ("210102-ZF", "hours")
    assert "0 rows differ" in wanmi("replay", district, "--check")


def test_bad_rows_and_contests_are_printed(wanmi: Run, district: Path, tmp_path: Path) -> None:
    departments, rules = tmp_path / "departments.csv", tmp_path / "rules.csv"
    departments.write_text(
        "code,name,kind,tier,begins\nA,甲,bureau,district,2026-01-01\nB,乙,bureau,district,2026-01-01\n"
    )
    rules.write_text(
        "id,categories,department,begins\n1,event:0102,A,2026-01-01\n2,event:0102,B,2026-01-01\n3,*,C,2026-01-01\n"
    )
    told = wanmi("route", "import", district, rules, departments, code=2)
    assert "rules.csv, row 4: 3: department 'C' is not known" in told
    assert "contested: rules 1 and 2 at event:0102 @ * name different departments" in told
    told = wanmi("route", "import", district, rules, "--strict", code=1)
    assert "nothing was taken" in told
