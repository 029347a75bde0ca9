"""Field terminals of the demo: each a ``wanmi terminal run`` process that walks a recorded track."""

from __future__ import annotations

import json
import signal
import subprocess
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from wanmi_demo.city import DISTRICTS, EDGES, DemoCity, middle_of
from wanmi_demo.day_plan import LOOK_CLOSELY
from wanmi_demo.processes import WANMI, environment, run_wanmi

CATEGORIES = "E0102,E0103,E0104,E0107,E0501,E0505,C0101,C0103,C0201,C0301"
TWICE_EVERY = 10
OTHER_EVERY = 7
PHOTO_EVERY = 15
PHOTO_BYTES = 60_000
SPEED = 20.0
"""Metres a second of a collector on the way to a task: fast, but nobody doubts that he was there."""
SPREAD = 0.004
"""How far from a district's middle the walks begin, in degrees: about 400 m."""


@dataclass
class Walker:
    """One terminal: what it put on disk so far and, at its end, its own summary."""

    terminal: str
    dir: Path
    district: str
    made: list[str] = field(default_factory=list)
    summary: dict[str, Any] = field(default_factory=dict)
    process: subprocess.Popen[str] | None = None
    _reader: threading.Thread | None = None

    def start(self, arguments: Sequence[str]) -> None:
        """Start walking; its lines are read in a thread."""
        log = (self.dir / "terminal.log").open("ab")
        self.process = subprocess.Popen(
            [*WANMI, "terminal", "run", str(self.dir), *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            env=environment(),
            start_new_session=True,
        )
        log.close()
        self._reader = threading.Thread(target=self._read, name=f"read-{self.terminal}", daemon=True)
        self._reader.start()

    @property
    def walking(self) -> bool:
        """Whether its process runs."""
        return self.process is not None and self.process.poll() is None

    def dismiss(self) -> None:
        """Off duty: one that stays for tasks sends what it still has, and ends."""
        if self.process is not None and self.walking:
            self.process.send_signal(signal.SIGTERM)

    def end(self, seconds: float) -> None:
        """Wait for its end; interrupt it when it takes longer."""
        if self.process is None:
            return
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.send_signal(signal.SIGTERM)
            self._last_wait(self.process)
        if self._reader is not None:
            self._reader.join(10)

    def _last_wait(self, process: subprocess.Popen[str]) -> None:
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def _read(self) -> None:
        if self.process is None or self.process.stdout is None:
            return
        for line in self.process.stdout:
            try:
                said = json.loads(line)
            except json.JSONDecodeError:
                continue
            if "on_disk" in said:
                self.made.append(said["on_disk"])
            else:
                self.summary = said


def make_walkers(city: DemoCity, root: Path, count: int) -> list[Walker]:
    """Terminals of both districts in turn, each admitted at home and as a guest at the other district."""
    walkers = []
    for n in range(count):
        district = DISTRICTS[n % len(DISTRICTS)]
        walker = Walker(f"T{district}-{n // len(DISTRICTS) + 1:04d}", root / f"terminal-{n + 1}", district)
        keys = [argument for code in DISTRICTS for argument in ("--district-key", sign_key(city, code))]
        card = run_wanmi("terminal", "init", str(walker.dir), "--id", walker.terminal, *keys).strip()
        for code in DISTRICTS:
            city.action(code, "terminal.admit", card=card, holder=f"P{district}-{n + 1:04d}")
        walkers.append(walker)
    _tell_small_brokers(city, walkers)
    return walkers


def _tell_small_brokers(city: DemoCity, walkers: Sequence[Walker]) -> None:
    """Where mosquitto is not installed the edges run iotcore on loopback, which knows only plain passwords."""
    users = {walker.terminal: (walker.dir / "broker.password").read_text(encoding="utf-8") for walker in walkers}
    for edge in EDGES:
        if city.broker_kind(edge) == "iotcore":
            file = city.dir(edge) / "broker" / "local_users.json"
            file.touch(mode=0o600)
            file.write_text(json.dumps(users), encoding="utf-8")


def sign_key(city: DemoCity, code: str) -> str:
    """A node's public signing key, hex."""
    for node in city.action(code, "node.list")["nodes"]:
        if node["code"] == code:
            return str(node["sign_key"])
    raise LookupError(f"node {code} does not know itself")


def walk_arguments(
    city: DemoCity, walker: Walker, n: int, seed: int, *, reports: int, rate: float, stay: bool = False
) -> list[str]:
    """Options of one terminal's walk; the first of each district sends its seventh reports by the other edge only.

    ``stay``: it answers tasks, also after its last report, and sends everything by its own edge (as well).
    """
    own = EDGES[DISTRICTS.index(walker.district)]
    other = next(edge for edge in EDGES if edge != own)
    lon, lat = middle_of(city, walker.district)
    shift = ((seed * 7919 + n * 104_729) % 1000 - 500) / 500 * SPREAD
    start = f"{lon + shift:.7f},{lat - shift:.7f}"
    track = Path(__file__).parent / "samples" / "walk.gpx"
    return [
        "--gpx", str(track), "--shift-to", start, "--seed", str(seed * 1000 + n), "--datum", ("WGS84", "GCJ02")[n % 2],
        "--category", CATEGORIES, "--reports", str(reports), "--rate", f"{rate:.3f}",
        "--photo-size", str(PHOTO_BYTES), "--photo-every", str(PHOTO_EVERY),
        "--broker", city.broker(own), "--twice-every", str(TWICE_EVERY),
        "--other-broker", city.broker(other), "--other-every", str(OTHER_EVERY),
        *(("--other-only",) if n // 2 % 2 == 0 and not stay else ()),
        *(("--answer-tasks", "yes", "--answer-no-to", LOOK_CLOSELY, "--speed", str(SPEED), "--stay") if stay else ()),
        "--wait", "240", "--json", "--events",
    ]  # fmt: skip
