"""Runs the benches and prints one table: each figure beside its floor, and its goal where it has one.

    python -m bench [NAME ...] [--json FILE]

A bench is a module `bench_NAME.py` here with `run() -> list[Figure]`; a Figure is a mapping with name, value, unit,
floor, floor_name and goal. Each runs in a process of its own, so that none measures another's memory. The figures are
also written as JSON, bench.json by default.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
MINUTES = 120
CHILD = "import importlib, json, sys; json.dump(importlib.import_module(sys.argv[1]).run(), open(sys.argv[2], 'w'))"

Figure = Mapping[str, Any]


def benches() -> dict[str, Path]:
    """Name to file, for every bench."""
    return {path.stem.removeprefix("bench_"): path for path in sorted(HERE.glob("bench_*.py"))}


def measure(path: Path, out: Path) -> list[dict[str, Any]]:
    """The figures of one bench; CalledProcessError when it fails."""
    place = os.pathsep.join([str(HERE), str(HERE.parent), os.environ.get("PYTHONPATH", "")])
    command = [sys.executable, "-c", CHILD, path.stem, str(out)]
    subprocess.run(command, check=True, env={**os.environ, "PYTHONPATH": place}, timeout=MINUTES * 60)
    figures: list[dict[str, Any]] = json.loads(out.read_text())
    out.unlink()
    return figures


def table(figures: Iterable[Figure]) -> str:
    """The figures as aligned lines."""
    head = ("figure", "value", "floor of this run", "ratio", "goal")
    rows = [head, *map(row, figures)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) for line in rows)


def row(figure: Figure) -> tuple[str, str, str, str, str]:
    """One line of the table."""
    value, floor, unit, goal = figure["value"], figure.get("floor"), figure["unit"], figure.get("goal")
    beside = f"{floor:,.6g} {unit} ({figure['floor_name']})" if floor else ""
    ratio = f"{value / floor:.3g}" if floor else ""
    return figure["name"], f"{value:,.6g} {unit}", beside, ratio, f"{goal:,.6g} {unit}" if goal else ""


def machine() -> dict[str, Any]:
    """What the figures were measured on."""
    return {"cores": os.cpu_count(), "python": platform.python_version(), "system": platform.platform()}


def main() -> int:
    """Run the named benches, or all."""
    parser = argparse.ArgumentParser(prog="make bench ARGS=", description="Measures, each figure beside its floor.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(benches())}; default all")
    parser.add_argument("--json", type=Path, default=Path("bench.json"), metavar="FILE", help="default bench.json")
    asked = parser.parse_args()
    unknown = sorted(set(asked.names) - set(benches()))
    if unknown:
        parser.error(f"no bench {', '.join(unknown)}; there are {', '.join(benches())}")
    figures: list[dict[str, Any]] = []
    for name in asked.names or benches():
        print(f"— {name}", flush=True)
        figures += measure(benches()[name], asked.json.with_suffix(f".{name}.part"))
    asked.json.write_text(json.dumps({"machine": machine(), "figures": figures}, ensure_ascii=False, indent=1) + "\n")
    print(table(figures))
    return 0


if __name__ == "__main__":
    sys.exit(main())
