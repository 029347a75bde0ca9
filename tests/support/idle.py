"""What an edge process holds and takes: ``wanmi run`` with the preset of its role, as it is installed."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from support.live import LiveNode, wanmi

KIB = 1024
FLOOR = "import fastapi, uvicorn, sqlalchemy.orm, sys; sys.stdin.read(1)"
"""A bare Python with the libraries that an edge stands on."""


@dataclass(frozen=True)
class Held:
    """Memory of a process, MiB: resident, and its share of it where pages are shared."""

    rss: float
    pss: float


def held(pid: int) -> Held:
    """What the process holds now."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines()[1:]
    kib = {name: int(value.split()[0]) for name, value in (line.split(":") for line in lines)}
    return Held(kib["Rss"] / KIB, kib["Pss"] / KIB)


def make_edge(dir: Path) -> Path:
    """An edge's directory as ``wanmi init`` makes it, with a parent that never answers."""
    district = wanmi(
        "init", dir / "district", "--role", "district", "--code", "210102", "--listen", "tcp://127.0.0.1:9"
    )
    card = next(word for word in district.stdout.split() if word.startswith("tcp://"))
    told = ("--role", "edge", "--code", "21010201", "--web", "127.0.0.1:0", "--parent", card)
    made = wanmi("init", dir / "edge", *told)
    assert made.returncode == 0, made.stderr
    return dir / "edge"


@contextmanager
def edge_process(dir: Path) -> Iterator[int]:
    """The process id of a running edge, once it is ready."""
    with LiveNode(dir, environ()) as node:
        node.facts()
        assert node.process is not None
        yield node.process.pid
        node.end(signal.SIGTERM)  # else its run.json stays, and the next is taken to be ready at once


def environ() -> dict[str, str]:
    """The environment without settings for nodes, and where this Python is first on the path."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("WANMI_")}
    return {**kept, "PATH": os.pathsep.join([str(Path(sys.executable).parent), kept.get("PATH", "")])}
