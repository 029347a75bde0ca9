"""Processes of the demo: nodes and terminals, each the real ``wanmi`` command."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from wanmi.errors import StoreError

WANMI = (sys.executable, "-m", "wanmi.cli")
READY = 60.0
"""Seconds that a node may take to be ready."""


def environment() -> dict[str, str]:
    """Ours, with Python unbuffered; a terminal's Ctrl-C reaches only the demo, which stops the rest in order."""
    return {**os.environ, "PYTHONUNBUFFERED": "1"}


def run_wanmi(*arguments: str) -> str:
    """Run a ``wanmi`` command to its end; its standard output. StoreError with what it said if it failed."""
    done = subprocess.run([*WANMI, *arguments], capture_output=True, text=True, env=environment(), check=False)
    if done.returncode != 0:
        raise StoreError(
            f"wanmi {' '.join(arguments[:3])} …: exit code {done.returncode}: {done.stderr.strip()[-800:]}"
        )
    return done.stdout


class NodeProcess:
    """One node as a process; its standard output and error go to DIR/log/process.log.

    ``prefix`` goes before its command, ``more`` into its environment.
    """

    def __init__(
        self, dir: Path, code: str, *, prefix: Sequence[str] = (), more: Mapping[str, str] | None = None
    ) -> None:
        self.dir = dir
        self.code = code
        self._prefix = tuple(prefix)
        self._more = dict(more or {})
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def alive(self) -> bool:
        """Whether its process runs."""
        return self._process is not None and self._process.poll() is None

    def beside(self, dir: Path) -> NodeProcess:
        """A process of another directory, started as this one is."""
        return NodeProcess(dir, self.code, prefix=self._prefix, more=self._more)

    @property
    def pid(self) -> int:
        """Of the process that was started last; 0 before."""
        return self._process.pid if self._process is not None else 0

    def start(self) -> None:
        """Start it; ``wait_ready`` waits until it serves."""
        (self.dir / "run.json").unlink(missing_ok=True)
        log = self.dir / "log" / "process.log"
        with log.open("ab") as out:
            self._process = subprocess.Popen(
                [*self._prefix, *WANMI, "run", str(self.dir)],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                env={**environment(), **self._more},
                start_new_session=True,
            )

    def wait_ready(self, seconds: float = READY) -> None:
        """Wait until it says where it serves; StoreError with its last log lines when it does not."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            if self.facts():
                return
            if not self.alive:
                break
            time.sleep(0.05)
        tail = (self.dir / "log" / "process.log").read_text(encoding="utf-8", errors="replace")[-1500:]
        raise StoreError(f"node {self.code} is not ready after {seconds:.0f} s; its log ends with:\n{tail}")

    def facts(self) -> dict[str, str]:
        """What the running node announced (places, pid); empty while it is not ready."""
        try:
            facts = json.loads((self.dir / "run.json").read_text(encoding="utf-8"))
        except (FileNotFoundError, json.JSONDecodeError):
            return {}
        return {str(key): str(value) for key, value in facts.items()}

    def kill(self) -> None:
        """SIGKILL the node and whatever it started: a power cut."""
        if self._process is not None:
            _signal_group(self._process, signal.SIGKILL)
            self._process.wait()

    def stop(self, seconds: float = 15.0) -> None:
        """SIGTERM; SIGKILL when it does not end."""
        process = self._process
        if process is None:
            return
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(seconds)
        _signal_group(process, signal.SIGKILL)
        process.wait()


def _signal_group(process: subprocess.Popen[bytes], number: int) -> None:
    try:
        os.killpg(process.pid, number)
    except ProcessLookupError:
        return
