"""Real SNMP agents for tests: snmpsim with recorded walks, Debian's snmpd, and a small one of our own that misbehaves."""

from __future__ import annotations

import asyncio
import bz2
import os
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from importlib.resources import files
from pathlib import Path
from typing import Any

from wanmi.clock import ManualClock
from wanmi.devices import Place
from wanmi_hardware.snmp.ber import Message, Pdu, decode, encode
from wanmi_hardware.snmp.values import Oid, Var, oid_of

RECORDED = Path(__file__).parents[1] / "hardware" / "snmp" / "recorded"
USER, AUTH_PASSWORD, PRIVACY_PASSWORD = "wanmi", "auth-pass-1", "priv-pass-1"

UPS = (1, 3, 6, 1, 2, 1, 33, 1)
INPUT, OUTPUT = (*UPS, 3, 3, 1), (*UPS, 4, 4, 1)
PLAIN: dict[Oid, Var] = {
    (*UPS, 2, 1, 0): Var("integer", 2),
    (*UPS, 2, 2, 0): Var("integer", 0),
    (*UPS, 2, 3, 0): Var("integer", 40),
    (*UPS, 2, 4, 0): Var("integer", 97),
    (*UPS, 3, 2, 0): Var("integer", 1),
    (*INPUT, 2, 1): Var("integer", 500),
    (*INPUT, 3, 1): Var("integer", 230),
    (*UPS, 4, 1, 0): Var("integer", 3),
    (*UPS, 4, 2, 0): Var("integer", 500),
    (*UPS, 4, 3, 0): Var("integer", 1),
    (*OUTPUT, 2, 1): Var("integer", 230),
    (*OUTPUT, 5, 1): Var("integer", 41),
    (*UPS, 6, 1, 0): Var("integer", 0),
}
"""A UPS-MIB agent that does all right."""


def free_port() -> int:
    """A UDP port that nobody has."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as opened:
        opened.bind(("127.0.0.1", 0))
        return int(opened.getsockname()[1])


def place(tmp: Path = Path("/nowhere"), poke: Callable[[], None] = lambda: None) -> Place:
    """Where a driver works in a test."""
    made: dict[str, object] = {}

    def shared(key: str, make: Callable[[], object]) -> object:
        if key not in made:
            made[key] = make()
        return made[key]

    return Place(ManualClock(0), tmp, shared, poke)


def recordings() -> dict[str, Path]:
    """Every recording of a UPS or what is near one, by name; ours before the installed ones."""
    installed = Path(str(files("snmpsim_data"))) / "data"
    found = [*(installed / "UPS").glob("*.snmprec*"), installed / "network/appliance/tripplite-poweralert.snmprec"]
    named = {path.name.split(".snmprec")[0]: path for path in (*found, *RECORDED.glob("*.snmprec*"))}
    named.pop("juniper-ac")  # a controller of radio access points, 1.8 million objects: filed under UPS by mistake
    return named


def variables(path: Path) -> dict[Oid, Var]:
    """The objects of a recording, read without snmpsim."""
    types = {
        "2": "integer", "4": "octets", "5": "null", "6": "oid", "64": "address", "65": "counter", "66": "gauge",
        "67": "ticks", "68": "opaque", "70": "counter64",
    }  # fmt: skip
    found: dict[Oid, Var] = {}
    text = bz2.decompress(path.read_bytes()) if path.suffix == ".bz2" else path.read_bytes()
    for line in text.decode("latin-1").splitlines():
        name, tag, value = (*line.split("|", 2), "", "")[:3]
        kind: Any = types.get(tag.rstrip("xe:").split(":")[0])
        if kind in ("integer", "counter", "gauge", "ticks", "counter64"):
            found[oid_of(name)] = Var(kind, int(value))
        elif kind == "oid":
            found[oid_of(name)] = Var(kind, oid_of(value))
        elif kind:
            raw = bytes.fromhex(value) if tag.endswith("x") else value.encode("latin-1")
            found[oid_of(name)] = Var(kind, raw)
    return found


def as_snmprec(found: Mapping[Oid, Var]) -> str:
    """Objects as a file that snmpsim reads."""
    tags = {
        "integer": "2",
        "octets": "4x",
        "oid": "6",
        "counter": "65",
        "gauge": "66",
        "ticks": "67",
        "counter64": "70",
    }
    lines = []
    for oid in sorted(found):
        var = found[oid]
        value = var.value.hex() if isinstance(var.value, bytes) else var.text()
        lines.append(f"{'.'.join(map(str, oid))}|{tags[var.type]}|{value}\n")
    return "".join(lines)


SNMPD_USERS = """
createUser wanmi SHA auth-pass-1 AES priv-pass-1
createUser strong SHA-256 auth-pass-2 AES priv-pass-2
createUser signs SHA auth-pass-3
rouser wanmi authpriv
rouser strong authpriv
rouser signs authnopriv
"""


@contextmanager
def snmpd(found: Mapping[Oid, Var], work: Path, port: int = 0, users: str = SNMPD_USERS) -> Iterator[int]:
    """Debian's snmpd, which knows nothing of ours: serves objects by ``override``, community public, three v3 users."""
    port = port or free_port()
    types = {"integer": "integer", "octets": "octet_str", "oid": "object_id", "gauge": "uinteger"}
    lines = []
    for oid, var in sorted(found.items()):
        value = f'"{var.text()}"' if var.type == "octets" else var.text()
        lines.append(f"override -rw {'.'.join(map(str, oid))} {types[var.type]} {value}\n")
    config = work / "snmpd.conf"
    config.write_text("rocommunity public\nrwcommunity private\n" + users + "".join(lines))
    command = [
        "/usr/sbin/snmpd",
        "-f",
        "-Lf",
        str(work / "snmpd.log"),
        "-C",
        "-c",
        str(config),
        f"udp:127.0.0.1:{port}",
    ]
    process = subprocess.Popen(command, env={**os.environ, "SNMP_PERSISTENT_DIR": str(work / "persistent"), "MIBS": ""})
    try:
        _wait_for(port, process, work / "snmpd.log")
        yield port
    finally:
        process.terminate()
        process.wait(10)


def snmptrap(port: int, *options: str) -> None:
    """Debian's snmptrap to a port of this machine; an inform waits for its answer, and fails without."""
    *how, trap = options
    command = ["snmptrap", *how, f"127.0.0.1:{port}", *trap.split()]
    subprocess.run(command, check=True, timeout=20, env={**os.environ, "MIBS": ""}, capture_output=True)


@contextmanager
def snmpsim(data: Path, work: Path) -> Iterator[int]:
    """snmpsim over a folder of recordings (community = file name), on a port of its own; v3 user wanmi."""
    port = free_port()
    command = [
        str(Path(sys.executable).parent / "snmpsim-command-responder"),
        f"--cache-dir={work / 'cache'}",
        "--logging-method=file:" + str(work / "snmpsim.log"),
        "--v3-engine-id=auto",
        f"--data-dir={data}",
        f"--agent-udpv4-endpoint=127.0.0.1:{port}",
        f"--v3-user={USER}",
        f"--v3-auth-key={AUTH_PASSWORD}",
        "--v3-auth-proto=SHA",
        f"--v3-priv-key={PRIVACY_PASSWORD}",
        "--v3-priv-proto=AES",
    ]
    environment = {**os.environ, "SNMPSIM_ALLOW_ROOT": "true"}
    with (work / "snmpsim.out").open("wb") as out:
        process = subprocess.Popen(command, stdout=out, stderr=out, env=environment)
        try:
            _wait_for(port, process, work / "snmpsim.out")
            yield port
        finally:
            process.terminate()
            process.wait(10)


def _wait_for(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    """Until the agent answers anybody: engine discovery needs no community."""
    from wanmi_hardware.snmp.probe import discovery

    until = time.monotonic() + 60
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as opened:
        opened.settimeout(0.2)
        opened.connect(("127.0.0.1", port))
        while time.monotonic() < until and process.poll() is None:
            try:
                opened.send(discovery())
                opened.recv(4096)
                return
            except OSError:
                time.sleep(0.05)
    raise AssertionError(f"the agent does not answer: {log.read_text()[-2000:]}")


class OwnAgent(asyncio.DatagramProtocol):
    """An agent of a few lines: objects that a test changes, and faults on order.

    ``silent``: answers nothing; ``dies_after``: so many answers, then none; ``slow``: seconds before each answer.
    """

    def __init__(self, objects: dict[Oid, Var]) -> None:
        self.objects = objects
        self.silent = False
        self.dies_after: int | None = None
        self.slow = 0.0
        self.most = 1_000
        self.answers = 0
        self.asked: list[Pdu] = []
        self.written: list[tuple[Oid, Var]] = []
        self.garbage: bytes | None = None
        self._transport: Any = None

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def datagram_received(self, data: bytes, addr: Any) -> None:
        message = decode(data)
        assert isinstance(message.pdu, Pdu)
        self.asked.append(message.pdu)
        if self.silent or (self.dies_after is not None and self.answers >= self.dies_after):
            return
        self.answers += 1
        answer = self.garbage or encode(
            Message(message.version, message.community, self.answer(message.pdu, message.version))
        )
        asyncio.get_running_loop().call_later(self.slow, self._transport.sendto, answer, addr)

    def answer(self, pdu: Pdu, version: int) -> Pdu:
        if len(pdu.vars) > self.most:
            return Pdu("response", pdu.request, 1, 0, pdu.vars)
        if pdu.type == "set":
            self.written += pdu.vars
            self.objects.update(pdu.vars)
            return Pdu("response", pdu.request, 0, 0, pdu.vars)
        if pdu.type == "get":
            missing = [n for n, (oid, _) in enumerate(pdu.vars, 1) if oid not in self.objects]
            if version == 0 and missing:
                return Pdu("response", pdu.request, 2, missing[0], pdu.vars)
            pairs = tuple((oid, self.objects.get(oid, Var("no_instance"))) for oid, _ in pdu.vars)
            return Pdu("response", pdu.request, 0, 0, pairs)
        after = sorted(oid for oid in self.objects if oid > pdu.vars[0][0])
        after = after[: pdu.index if pdu.type == "bulk" else 1]
        if not after and version == 0:
            return Pdu("response", pdu.request, 2, 1, pdu.vars)
        pairs = tuple((oid, self.objects[oid]) for oid in after) or ((pdu.vars[0][0], Var("end")),)
        return Pdu("response", pdu.request, 0, 0, pairs)


@asynccontextmanager
async def own_agent(objects: dict[Oid, Var]) -> AsyncIterator[tuple[OwnAgent, int]]:
    """Our own agent on a port of its own."""
    loop = asyncio.get_running_loop()
    transport, agent = await loop.create_datagram_endpoint(lambda: OwnAgent(objects), local_addr=("127.0.0.1", 0))
    try:
        yield agent, transport.get_extra_info("sockname")[1]
    finally:
        transport.close()
