"""Lines between a parent and its children, made of one relay process each."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Protocol

from lab.weather import Weather
from wanmi_demo.ports import free_ports

TESTS = Path(__file__).parent.parent
LISTEN_PORT = 7400


class LabError(AssertionError):
    """This machine lacks what the lab needs; the text says what."""


@dataclass(frozen=True)
class Ends:
    """Where a line leads: what its child dials, and what a command at the child's end is prefixed with."""

    host: str
    port: int
    at_child: tuple[str, ...] = ()


class Lines(Protocol):
    """All lines of one parent."""

    listen: str
    """Where the parent listens."""
    at_parent: tuple[str, ...]
    """What the parent's command is prefixed with."""

    def add(self, name: str) -> Ends:
        """A line for one more child."""
        ...

    def become(self, name: str, weather: Weather) -> None:
        """Change a line's weather."""
        ...

    def close(self) -> None:
        """Take everything away."""
        ...


@dataclass
class _Relays:
    _relays: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def become(self, name: str, weather: Weather) -> None:
        pipe = self._relays[name].stdin
        assert pipe is not None
        pipe.write(json.dumps(asdict(weather)).encode() + b"\n")
        pipe.flush()

    def close(self) -> None:
        for relay in self._relays.values():
            relay.kill()
            relay.communicate()

    def start(self, name: str, module: str, *arguments: object) -> None:
        """Start a relay and wait until it is ready; LabError with what it says if it does not start."""
        relay = subprocess.Popen(
            [sys.executable, "-m", module, *map(str, arguments)],
            cwd=TESTS,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        assert relay.stdout is not None
        if relay.stdout.readline() != b"ready\n":
            raise LabError(f"the relay of line {name} does not start: {relay.communicate()[1].decode()[-300:]}")
        self._relays[name] = relay


class StreamLines(_Relays):
    """On loopback: works everywhere, but has no packets (see ``lab.stream_relay``)."""

    at_parent: tuple[str, ...] = ()

    def __init__(self) -> None:
        super().__init__()
        self._target = free_ports(1)[0]
        self.listen = f"tcp://127.0.0.1:{self._target}"

    def add(self, name: str) -> Ends:
        port = free_ports(1)[0]
        self.start(name, "lab.stream_relay", port, self._target, len(self._relays))
        return Ends("127.0.0.1", port)


class TunLines(_Relays):
    """Each node in a network namespace of its own; needs root, ``ip`` and /dev/net/tun."""

    listen = f"tcp://0.0.0.0:{LISTEN_PORT}"

    def __init__(self) -> None:
        super().__init__()
        self._namespaces: list[str] = []
        self._parent = self._namespace("p")
        self.at_parent = _prefix(self._parent)

    def add(self, name: str) -> Ends:
        number = len(self._relays) + 1
        child, parent_if, child_if = self._namespace(f"c{number}"), f"line{number}", "line"
        self.start(name, "lab.tun_relay", self._parent, parent_if, child, child_if, number)
        _up(self._parent, parent_if, f"10.99.{number}.1/30")
        _up(child, child_if, f"10.99.{number}.2/30")
        return Ends(f"10.99.{number}.1", LISTEN_PORT, _prefix(child))

    def use(self, congestion: str) -> None:
        """Congestion control of every line, by its route: a namespace's sysctl does not take every one that is there."""
        for number in range(1, len(self._relays) + 1):
            for namespace, name in ((self._parent, f"line{number}"), (self._namespaces[number], "line")):
                _ip("-n", namespace, "route", "replace", f"10.99.{number}.0/30", "dev", name, "congctl", congestion)

    def close(self) -> None:
        super().close()
        for namespace in self._namespaces:
            subprocess.run(["ip", "netns", "del", namespace], capture_output=True, check=False)

    def _namespace(self, what: str) -> str:
        name = f"wm{os.getpid()}{what}"
        if not Path("/dev/net/tun").exists():
            raise LabError(
                "network namespaces are joined by TUNs: /dev/net/tun is missing (docker: --device /dev/net/tun)"
            )
        _ip("netns", "add", name)
        self._namespaces.append(name)
        _ip("-n", name, "link", "set", "lo", "up")
        return name


def _prefix(namespace: str) -> tuple[str, ...]:
    return ("ip", "netns", "exec", namespace)


def _up(namespace: str, name: str, address: str) -> None:
    _ip("-n", namespace, "addr", "add", address, "dev", name)
    _ip("-n", namespace, "link", "set", name, "up")


def _ip(*arguments: str) -> None:
    try:
        done = subprocess.run(["ip", *arguments], capture_output=True, text=True, check=False)
    except FileNotFoundError as error:
        raise LabError("the lab needs `ip` of the Debian package iproute2") from error
    if done.returncode:
        raise LabError(f"ip {' '.join(arguments)}: {done.stderr.strip()} (root with NET_ADMIN and SYS_ADMIN is needed)")
