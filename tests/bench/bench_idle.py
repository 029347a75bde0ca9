"""What an edge holds and takes that has nothing to do: a process of its own with the edge's preset, as installed.

Once with no device, once with 50 emulated UPS polled each 10 s (their agents are another process). The floor of the
memory is a bare Python process with fastapi, uvicorn and SQLAlchemy imported. The node's broker is no part of it.
"""

from __future__ import annotations

import multiprocessing
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from bench.bench_devices import UNITS, serve
from bench.load import processor_time
from support.idle import FLOOR, Held, edge_process, held, make_edge

SETTLES = 6.0
"""Seconds until what a node is made of stands; with units, until each was learned and asked once more, twice that."""
SECONDS = 20.0


def run() -> list[dict[str, Any]]:
    """The figures."""
    floor = _floor()
    with tempfile.TemporaryDirectory() as dir:
        edge = make_edge(Path(dir))
        with edge_process(edge) as pid:
            bare, bare_cpu = _watch(pid, SETTLES)
        with edge_process(edge) as pid:
            _add_units(edge, _agent())
            units, units_cpu = _watch(pid, 2 * SETTLES)
    return [
        *_figures("idle edge", bare, floor, bare_cpu, 120.0, 1.0),
        *_figures(f"edge with {UNITS} UPS at 10 s", units, floor, units_cpu, None, 5.0),
    ]


def _floor() -> Held:
    with subprocess.Popen([sys.executable, "-c", FLOOR], stdin=subprocess.PIPE) as bare:
        time.sleep(4)
        found = held(bare.pid)
        bare.kill()
    return found


def _agent() -> int:
    """The port of an agent with a recorded UPS, in a process that ends with this one."""
    mine, theirs = multiprocessing.Pipe()
    multiprocessing.get_context("spawn").Process(target=serve, args=(theirs,), daemon=True).start()
    return int(mine.recv())


def _add_units(edge: Path, port: int) -> None:
    from wanmi.cli.shared import call

    for number in range(UNITS):
        settings = {"address": "127.0.0.1", "port": str(port)}
        call(edge, "device.add", {"driver": "ups-snmp", "name": f"UPS {number}", "settings": settings})


def _watch(pid: int, settles: float) -> tuple[Held, float]:
    """Memory at the end of some seconds, and the share of a core that they took, percent."""
    time.sleep(settles)
    began, cpu = time.monotonic(), processor_time(pid)
    time.sleep(SECONDS)
    return held(pid), 100 * (processor_time(pid) - cpu) / (time.monotonic() - began)


def _figures(
    what: str, found: Held, floor: Held, cpu: float, memory_goal: float | None, cpu_goal: float
) -> list[dict[str, Any]]:
    beside = {"unit": "MiB", "floor_name": "Python with fastapi, uvicorn, SQLAlchemy"}
    return [
        {"name": f"{what}, resident", "value": found.rss, "floor": floor.rss, "goal": memory_goal, **beside},
        {"name": f"{what}, its share (PSS)", "value": found.pss, "floor": floor.pss, "goal": None, **beside},
        {"name": f"{what}, CPU", "value": round(cpu, 2), "unit": "% of a core", "goal": cpu_goal},
    ]
