"""Real node processes and plugins that are really installed (a folder on the path with its entry point)."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self, TypeVar

T = TypeVar("T")
ROOT = Path(__file__).resolve().parents[2]
SHELVES = ("core", "edge", "federation", "plugins")


def until(look: Callable[[], T], seconds: float = 20.0) -> T:
    """The first true answer of ``look``; fails after ``seconds``."""
    end = time.monotonic() + seconds
    while True:
        found = look()
        if found:
            return found
        assert time.monotonic() < end, f"nothing after {seconds} s"
        time.sleep(0.02)


def install_plugin(folder: Path, name: str, source: str) -> Path:
    """Make ``folder`` a place with an installed plugin of one module; put it on the path to have it found."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"wanmi_{name}.py").write_text(source, encoding="utf-8")
    info = folder / f"wanmi_{name}-1.2.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: wanmi-{name}\nVersion: 1.2\n", encoding="utf-8")
    (info / "entry_points.txt").write_text(f"[wanmi.plugins]\n{name} = wanmi_{name}\n", encoding="utf-8")
    return folder


def environment(*paths: Path, **more: str) -> dict[str, str]:
    """The environment of a node process: the shelves and ``paths`` on its path."""
    path = os.pathsep.join([*map(str, paths), *(str(ROOT / shelf) for shelf in SHELVES)])
    kept = {key: value for key, value in os.environ.items() if not key.startswith("WANMI_")}
    return {**kept, "PYTHONPATH": path, **more}


def wanmi(
    *arguments: object, env: Mapping[str, str] | None = None, stdin: str = ""
) -> subprocess.CompletedProcess[str]:
    """Run ``wanmi …`` to its end."""
    return subprocess.run(
        [sys.executable, "-m", "wanmi.cli", *map(str, arguments)],
        env=dict(env or environment()),
        input=stdin,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@dataclass
class LiveNode:
    """``wanmi run DIR`` in a process of its own."""

    dir: Path
    env: Mapping[str, str] = field(default_factory=environment)
    process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        log = (self.dir / "stderr.txt").open("ab")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "wanmi.cli", "run", str(self.dir)], env=dict(self.env), stdout=log, stderr=log
        )
        return self

    def __exit__(self, *_: object) -> None:
        assert self.process is not None
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()

    def facts(self) -> dict[str, Any]:
        """run.json once the node is ready; fails with its log when it ends instead."""
        assert self.process is not None

        def look() -> dict[str, Any] | None:
            assert self.process is not None
            assert self.process.poll() is None, self.log()
            try:
                return dict(json.loads((self.dir / "run.json").read_text(encoding="utf-8")))
            except FileNotFoundError:
                return None

        found = until(look)
        assert found is not None
        return found

    def log(self) -> str:
        """What the process said so far."""
        return (self.dir / "stderr.txt").read_text(encoding="utf-8")

    def end(self, signal: int, seconds: float = 10.0) -> int:
        """Send a signal; the exit code."""
        assert self.process is not None
        self.process.send_signal(signal)
        return self.process.wait(seconds)
