"""PJLink class 2 over UDP: looking for displays when a technician asks, and hearing what they say by themselves."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable

from wanmi.devices import Event, Found, Identity, Place
from wanmi.errors import BadInput, DeviceGarbled, DeviceUnreachable
from wanmi_hardware.pjlink import codec

LISTEN_SECONDS = 3.0
"""How long answers to a search are waited for."""
_NOTICES = {"LKUP": "display.came_up", "ERST": "display.errors", "POWR": "display.power", "INPT": "display.input"}
_READ: dict[str, Callable[[str], object]] = {
    "LKUP": codec.read_address,
    "ERST": codec.read_errors,
    "POWR": codec.read_power,
    "INPT": codec.read_input,
}


def read_notice(raw: bytes) -> Event:
    """A display's own word: LKUP (it came up), ERST, POWR, INPT. DeviceGarbled for anything else."""
    line = codec.read_line(raw)
    if not line.is_answer or line.body not in _NOTICES or line.error:
        raise DeviceGarbled(f"PJLink: {line.body} is no status notification")
    value = _READ[line.body](line.text)
    said = " ".join(value) if isinstance(value, tuple) else str(value)
    return Event(_NOTICES[line.body], {"value": said, "raw": line.text})


class Notices:
    """The socket on which displays speak by themselves; open while somebody listens. For one event loop."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._ears: dict[str, list[Callable[[Event], None]]] = {}
        self._socket: socket.socket | None = None
        self.refused = 0

    def listen(self, address: str, ear: Callable[[Event], None]) -> None:
        """Tell ``ear`` what comes from ``address``; DeviceUnreachable when the port is taken."""
        if self._socket is None:
            self._open()
        self._ears.setdefault(address, []).append(ear)

    def leave(self, address: str, ear: Callable[[Event], None]) -> None:
        """No longer; the last one closes the socket."""
        ears = self._ears.get(address, [])
        if ear in ears:
            ears.remove(ear)
        if not ears:
            self._ears.pop(address, None)
        if not self._ears and self._socket is not None:
            asyncio.get_running_loop().remove_reader(self._socket)
            self._socket.close()
            self._socket = None

    def _open(self) -> None:
        made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        made.setblocking(False)
        try:
            made.bind(("", self._port))
        except OSError as error:
            made.close()
            raise DeviceUnreachable(
                f"UDP {self._port} for notifications: {error.strerror}; set notices=false"
            ) from error
        self._socket = made
        asyncio.get_running_loop().add_reader(made, self._read)

    def _read(self) -> None:
        if self._socket is None:
            return
        try:
            raw, (address, _) = self._socket.recvfrom(2048)
            event = read_notice(raw)
        except (OSError, DeviceGarbled):
            self.refused += 1
            return
        for ear in self._ears.get(address, []):
            ear(event)


async def discover(_place: Place, where: str) -> AsyncIterator[Found]:
    """Ask a broadcast address once (SRCH) and listen: only class 2 displays answer. ``where``: 10.1.2.255[:port]."""
    host, port = _target(where)
    made = _search_socket(port)
    loop = asyncio.get_running_loop()
    try:
        await loop.sock_sendto(made, codec.ask(2, "SRCH", "").replace(b" ", b""), (host, port))
        until, seen = loop.time() + LISTEN_SECONDS, set[str]()
        while (left := until - loop.time()) > 0:
            try:
                raw, sender = await asyncio.wait_for(loop.sock_recvfrom(made, 2048), left)
            except TimeoutError:
                return
            mac = _acknowledged(raw)
            if mac and mac not in seen:
                seen.add(mac)
                yield _found(sender[0], mac)
    except OSError as error:
        raise DeviceUnreachable(f"{host}:{port}: {error.strerror}; give this network's broadcast address") from error
    finally:
        made.close()


def _target(where: str) -> tuple[str, int]:
    host, _, port = (where or "255.255.255.255").partition(":")
    if port and not port.isdigit():
        raise BadInput(f"{where!r}: give a broadcast address like 10.1.2.255")
    return host, int(port or codec.PORT)


def _search_socket(port: int) -> socket.socket:
    """Bound to the protocol's port where that is free: some displays answer only to it."""
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    made.setblocking(False)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
    try:
        made.bind(("", codec.PORT if port == codec.PORT else 0))
    except OSError:
        made.bind(("", 0))
    return made


def _acknowledged(raw: bytes) -> str:
    try:
        line = codec.read_line(raw)
        return codec.read_address(line.text) if line.body == "ACKN" and line.is_answer else ""
    except DeviceGarbled:
        return ""


def _found(address: str, mac: str) -> Found:
    return Found("pjlink", f"display {address}", {"host": address}, Identity(), f"answered the search as {mac}")
