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
from wanmi_demo.street_scene import DemoWall, open_wall, set_scene

EDGE = EDGES[0]
OUTAGE_AFTER, OUTAGE_FOR = 20, 60
"""Seconds until the second UPS loses its mains, and for how long: three readings of ten seconds see it."""
PANIC_AFTER = 45
"""Seconds until the vehicle's panic button is pressed."""
STREET_BOX, PROJECTOR = "UPS 路口 street box", "大屏 wall"
VEHICLE = "13900000001"
"""The number of the demo's vehicle."""
TOKEN_FILE = "technician.token"  # noqa: S105 - a file's name


@dataclass
class Street:
    """The emulated devices, and what they are called at the edge."""

    city: DemoCity
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)
    devices: dict[str, str] = field(default_factory=dict)
    wall: DemoWall | None = None

    @property
    def token_file(self) -> Path:
        """Where the technician's token is."""
        return self.city.root / TOKEN_FILE

    @property
    def screen_command(self) -> str:
        """The one command that opens the terminal UI."""
        url = self.city.nodes[EDGE].facts().get("web", "")
        return f"wanmi tui --url {url} --token-file {self.token_file}"

    def start(self, folder: Path, kind: str, *arguments: str) -> None:
        """An emulated device as a process of its own."""
        self.run(folder, kind, "emulate", kind, *arguments)

    def run(self, folder: Path, kind: str, *arguments: str) -> None:
        """A ``wanmi`` command as a process; what it says goes to a file."""
        log = folder / f"{len(self.processes)}-{kind}.log"
        with log.open("ab") as out:
            process = subprocess.Popen(
                [*WANMI, *arguments], stdin=subprocess.DEVNULL, stdout=out, stderr=out, env=environment(),
                start_new_session=True,
            )  # fmt: skip
        self.processes.append(process)

    def set(self, driver: str, name: str, at: tuple[float, float] | None = None, **settings: str) -> None:
        """Set a device at the edge; ``at``: where it stands, degrees."""
        lon, lat = (round(one * 1e7) for one in at) if at is not None else (None, None)
        wanted = {"driver": driver, "name": name, "settings": settings, "lon_e7": lon, "lat_e7": lat}
        self.devices[name] = str(self.city.action(EDGE, "device.add", **wanted)["id"])

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


def open_street(city: DemoCity, *, everything: bool = True) -> Street:
    """Start the devices, set them at the edge with their scene, make the technician's token.

    Not ``everything``: only what the scene needs, a UPS whose mains soon fail, a projector and a wall.
    """
    street = Street(city)
    folder = city.root / "devices"
    folder.mkdir(exist_ok=True)
    lon, lat = middle_of(city, EDGE[:6])
    display, gateway, *ports = free_ports(4)
    after, lasts, warms = (OUTAGE_AFTER, OUTAGE_FOR, "20") if everything else (1, 3600, "2")
    outage = ("--fails-after", str(after), "--fails-for", str(lasts))
    try:
        _ups(street, folder, STREET_BOX, ports[1], *outage, at=(lon, lat))
        street.start(folder, "display", "--port", str(display), "--warms", warms)
        street.set("pjlink", PROJECTOR, host="127.0.0.1", port=str(display))
        street.wall = open_wall(city, EDGE, folder)
        displays = [street.devices[PROJECTOR]]
        if street.wall is not None:
            street.run(folder, "wall", "wall", "run", str(street.wall.settings))
            street.set("wall-mqtt", "墙后电脑 wall PC", wall=street.wall.name)
            displays.append(street.devices["墙后电脑 wall PC"])
        set_scene(city, EDGE, street.devices[STREET_BOX], displays)
        if everything:
            _ups(street, folder, "UPS 机房 server room", ports[0])
            _moving(street, folder, gateway, f"{lon:.6f},{lat:.6f}")
        _make_token(street)
    except BaseException:
        street.end()
        raise
    return street


def _moving(street: Street, folder: Path, gateway: int, at: str) -> None:
    """A receiver that rides in a car, and a vehicle whose driver presses the panic button once."""
    port = folder / "receiver"
    street.start(folder, "gnss", str(port), "--at", at, "--radius", "80")
    street.set("gnss-serial", "巡查车 patrol car", path=str(port), vehicle="辽A·12345")
    street.set("jt808", "车载平台 vehicles", host="127.0.0.1", port=str(gateway), vehicles=VEHICLE)
    street.start(folder, "vehicle", str(gateway), "--phone", VEHICLE, "--at", at, "--panics-after", str(PANIC_AFTER))


def _ups(
    street: Street, folder: Path, name: str, port: int, *outage: str, at: tuple[float, float] | None = None
) -> None:
    street.start(folder, "ups", "--port", str(port), "--name", name, *outage)
    street.set("ups-snmp", name, at=at, address="127.0.0.1", port=str(port), community="public")


def _make_token(street: Street) -> None:
    scopes = ["devices:read", "devices:write", "alarms:write", "nodes:read", "journal:read"]
    made = street.city.action(EDGE, "token.add", name="technician's screen", scopes=scopes)
    street.token_file.touch(mode=0o600)
    street.token_file.write_text(f"{made['secret']}\n", encoding="utf-8")
