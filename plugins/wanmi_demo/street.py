"""Devices of the demo's first edge: emulated, each a process of its own, set like real ones; a token for the terminal UI."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from wanmi_demo.city import EDGES, DemoCity, middle_of
from wanmi_demo.ports import free_ports
from wanmi_demo.processes import WANMI, environment

EDGE = EDGES[0]
OUTAGE_AFTER, OUTAGE_FOR = 20, 60
"""Seconds until the second UPS loses its mains, and for how long: three readings of ten seconds see it."""
VEHICLE = "13900000001"
"""The number of the demo's vehicle."""
TOKEN_FILE = "technician.token"  # noqa: S105 - a file's name


@dataclass
class Street:
    """The emulated devices, and what they are called at the edge."""

    city: DemoCity
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)
    devices: dict[str, str] = field(default_factory=dict)

    @property
    def token_file(self) -> Path:
        """Where the technician's token is."""
        return self.city.root / TOKEN_FILE

    @property
    def screen_command(self) -> str:
        """The one command that opens the terminal UI."""
        url = self.city.nodes[EDGE].facts().get("web", "")
        return f"wanmi tui --url {url} --token-file {self.token_file}"

    def end(self) -> None:
        """Stop every emulated device."""
        for process in self.processes:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
        for process in self.processes:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(5)
        for process in self.processes:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


def open_street(city: DemoCity) -> Street:
    """Start the devices, set them at the edge, make the technician's token."""
    street = Street(city)
    folder = city.root / "devices"
    folder.mkdir(exist_ok=True)
    lon, lat = middle_of(city, EDGE[:6])
    display, gateway, *ports = free_ports(4)
    try:
        _ups(street, folder, "UPS 机房 server room", ports[0])
        _ups(
            street,
            folder,
            "UPS 路口 street box",
            ports[1],
            "--fails-after",
            str(OUTAGE_AFTER),
            "--fails-for",
            str(OUTAGE_FOR),
        )
        port = folder / "receiver"
        _start(street, folder, "gnss", str(port), "--at", f"{lon:.6f},{lat:.6f}", "--radius", "80")
        _set(street, "gnss-serial", "巡查车 patrol car", path=str(port), vehicle="辽A·12345")
        _start(street, folder, "display", "--port", str(display))
        _set(street, "pjlink", "大屏 wall", host="127.0.0.1", port=str(display))
        _set(street, "jt808", "车载平台 vehicles", host="127.0.0.1", port=str(gateway), vehicles=VEHICLE)
        _start(street, folder, "vehicle", str(gateway), "--phone", VEHICLE, "--at", f"{lon:.6f},{lat:.6f}")
        _make_token(street)
    except BaseException:
        street.end()
        raise
    return street


def _ups(street: Street, folder: Path, name: str, port: int, *outage: str) -> None:
    _start(street, folder, "ups", "--port", str(port), "--name", name, *outage)
    _set(street, "ups-snmp", name, address="127.0.0.1", port=str(port), community="public")


def _start(street: Street, folder: Path, kind: str, *arguments: str) -> None:
    log = folder / f"{len(street.processes)}-{kind}.log"
    with log.open("ab") as out:
        process = subprocess.Popen(
            [*WANMI, "emulate", kind, *arguments], stdin=subprocess.DEVNULL, stdout=out, stderr=out, env=environment(),
            start_new_session=True,
        )  # fmt: skip
    street.processes.append(process)


def _set(street: Street, driver: str, name: str, **settings: str) -> None:
    made = street.city.action(EDGE, "device.add", driver=driver, name=name, settings=settings)
    street.devices[name] = str(made["id"])


def _make_token(street: Street) -> None:
    scopes = ["devices:read", "devices:write", "alarms:write", "nodes:read", "journal:read"]
    made = street.city.action(EDGE, "token.add", name="technician's screen", scopes=scopes)
    street.token_file.touch(mode=0o600)
    street.token_file.write_text(f"{made['secret']}\n", encoding="utf-8")
