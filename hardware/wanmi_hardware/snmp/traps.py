"""Traps and informs: one socket a port, bound by us, given to the device that sent them. A trap is a hint: it is told as
an event and makes the device be asked at once; what is believed is what the device then says.
"""

from __future__ import annotations

import asyncio
import socket
from collections import deque
from collections.abc import Callable
from typing import Any

import structlog

from wanmi.devices import Event
from wanmi.errors import DeviceGarbled
from wanmi_hardware.snmp.ber import Message, Pairs, Pdu, TrapV1, decode, encode, version_of
from wanmi_hardware.snmp.settings import SnmpSettings
from wanmi_hardware.snmp.usm import Engine, engine_id, var_of
from wanmi_hardware.snmp.values import Oid, Var, oid_text

_BY_FORCE = 33
"""SO_RCVBUFFORCE of Linux, which Python does not name: beyond net.core.rmem_max, with CAP_NET_ADMIN."""
ROOM = 4 * 1024 * 1024
"""Bytes of receive buffer asked for: a burst waits in the kernel and is not lost."""
AT_ONCE = 64
"""Datagrams taken before others get their turn."""
KEPT = 200
"""Events kept for a device that is not asked; the oldest go first."""

_TRAP_OID: Oid = (1, 3, 6, 1, 6, 3, 1, 1, 4, 1, 0)
_TRAP_ADDRESS: Oid = (1, 3, 6, 1, 6, 3, 18, 1, 3, 0)
_UPTIME: Oid = (1, 3, 6, 1, 2, 1, 1, 3, 0)

NAMES: dict[Oid, str] = {
    (1, 3, 6, 1, 6, 3, 1, 1, 5, 1): "cold_start",
    (1, 3, 6, 1, 6, 3, 1, 1, 5, 2): "warm_start",
    (1, 3, 6, 1, 6, 3, 1, 1, 5, 3): "link_down",
    (1, 3, 6, 1, 6, 3, 1, 1, 5, 4): "link_up",
    (1, 3, 6, 1, 6, 3, 1, 1, 5, 5): "authentication_failure",
    (1, 3, 6, 1, 2, 1, 33, 2, 1): "on_battery",
    (1, 3, 6, 1, 2, 1, 33, 2, 2): "test_completed",
    (1, 3, 6, 1, 2, 1, 33, 2, 3): "alarm_added",
    (1, 3, 6, 1, 2, 1, 33, 2, 4): "alarm_removed",
    (1, 3, 6, 1, 4, 1, 318, 0, 5): "on_battery",
    (1, 3, 6, 1, 4, 1, 318, 0, 7): "low_battery",
    (1, 3, 6, 1, 4, 1, 318, 0, 9): "power_restored",
}
"""Traps by OID (RFC 3418, RFC 1628, PowerNet); any other is ``other``."""


class Mailbox:
    """What came for one device and was not fetched yet."""

    def __init__(self, settings: SnmpSettings, poke: Callable[[], None]) -> None:
        self.settings = settings
        self.addresses: frozenset[str] = frozenset()
        self.engine_id: bytes | None = None
        self._poke = poke
        self._events: deque[Event] = deque(maxlen=KEPT)
        self._lost = 0

    def put(self, event: Event) -> None:
        """An event came: keep it, have the device asked."""
        self._lost += len(self._events) == KEPT
        self._events.append(event)
        self._poke()

    def take(self) -> tuple[Event, ...]:
        """Everything that came; how many were dropped is told as an event of its own."""
        lost, self._lost = self._lost, 0
        events = (*self._events, *((Event("trap.dropped", {"count": str(lost)}),) if lost else ()))
        self._events.clear()
        return events


class TrapReceiver:
    """The socket of one port and the devices that are listened for. ``problem`` says why there is no socket."""

    def __init__(self, port: int, host: str = "0.0.0.0", engine: Callable[[], Engine] = Engine) -> None:  # noqa: S104
        self._place = (host, port)
        self._make_engine = engine
        self._boxes: list[Mailbox] = []
        self._socket: socket.socket | None = None
        self._v3: _V3Receiver | None = None
        self.problem = ""
        self.received = self.garbled = self.strangers = 0

    async def watch(self, box: Mailbox) -> None:
        """Listen for a device from now on; opens the socket where that did not work before."""
        await self._name(box)
        self._boxes.append(box)
        self._open()
        if box.settings.version == "3" and self._socket is not None:
            if self._v3 is None:
                self._v3 = _V3Receiver(self._make_engine(), self._socket, self._arrived)
            await self._v3.expect(box)

    def forget(self, box: Mailbox) -> None:
        """The device's session ended."""
        if box in self._boxes:
            self._boxes.remove(box)

    @property
    def port(self) -> int:
        """The port that is bound, 0 for none."""
        return int(self._socket.getsockname()[1]) if self._socket else 0

    def close(self) -> None:
        """Close the socket."""
        if self._socket is not None:
            asyncio.get_running_loop().remove_reader(self._socket)
            self._socket.close()
            self._socket = None

    async def _name(self, box: Mailbox) -> None:
        settings = box.settings
        try:
            found = await asyncio.get_running_loop().getaddrinfo(settings.address, 0, type=socket.SOCK_DGRAM)
        except socket.gaierror:
            return
        box.addresses = frozenset(str(place[0]) for *_, place in found)

    def _open(self) -> None:
        if self._socket is not None:
            return
        opened = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        opened.setblocking(False)
        try:
            opened.bind(self._place)
        except OSError as error:
            opened.close()
            self.problem = (
                f"UDP port {self._place[1]} for traps cannot be had ({error.strerror}): another program (snmptrapd?) "
                "has it, or ports under 1024 need CAP_NET_BIND_SERVICE. The device is polled all the same"
            )
            structlog.get_logger("wanmi.devices").warning("trap_port_taken", port=self._place[1], reason=error.strerror)
            return
        _make_room(opened)
        self.problem = ""
        self._socket = opened
        asyncio.get_running_loop().add_reader(opened, self._readable)

    def _readable(self) -> None:
        for _ in range(AT_ONCE):
            if self._socket is None:
                return
            try:
                data, sender = self._socket.recvfrom(65_535)
            except (BlockingIOError, ConnectionError):
                return
            self.received += 1
            self._take(data, sender)

    def _take(self, data: bytes, sender: tuple[str, int]) -> None:
        if version_of(data) == 3:
            if self._v3 is not None:
                self._v3.take(data, sender)
            return
        try:
            message = decode(data)
        except DeviceGarbled:
            self.garbled += 1
            return
        pdu = message.pdu
        if isinstance(pdu, TrapV1):
            self._arrived(sender[0], None, pdu.oid(), pdu.vars, _address(Var("address", pdu.address)))
        elif pdu.type in ("trap2", "inform"):
            if pdu.type == "inform":
                self._confirm(message, pdu, sender)
            self._arrived(sender[0], None, *_told(pdu.vars))
        else:
            self.garbled += 1

    def _confirm(self, message: Message, pdu: Pdu, sender: tuple[str, int]) -> None:
        """An inform is answered with its own variables (RFC 3416, 4.2.7), or it is sent again."""
        answer = Message(message.version, message.community, Pdu("response", pdu.request, 0, 0, pdu.vars))
        if self._socket is not None:
            try:
                self._socket.sendto(encode(answer), sender)
            except OSError as error:
                structlog.get_logger("wanmi.devices").warning(
                    "inform_not_answered", to=sender[0], reason=error.strerror
                )

    def _arrived(self, sender: str, engine_id: bytes | None, oid: Oid, pairs: Pairs, told: str) -> None:
        boxes = [box for box in self._boxes if engine_id is not None and box.engine_id == engine_id]
        boxes = boxes or [box for box in self._boxes if sender in box.addresses]
        boxes = boxes or [box for box in self._boxes if told and told in box.addresses]
        self.strangers += not boxes
        for box in boxes:
            box.put(event_of(sender, oid, pairs))


def event_of(sender: str, oid: Oid, pairs: Pairs) -> Event:
    """A trap as an event: its name, where it came from, and its first variables in plain words."""
    shown = [(name, var) for name, var in pairs if name not in (_TRAP_OID, _UPTIME, _TRAP_ADDRESS)]
    facts = {oid_text(name): var.text() for name, var in shown[:12]}
    # RFC 3584 puts a 0 before the specific trap of a v1 enterprise; the MIBs of v2 have none.
    plain = oid[:-2] + oid[-1:] if oid[-2:-1] == (0,) else oid
    return Event(
        f"trap.{NAMES.get(oid) or NAMES.get(plain) or 'other'}", {"trap": oid_text(oid), "from": sender, **facts}
    )


def _told(pairs: Pairs) -> tuple[Oid, Pairs, str]:
    """The trap's OID, its variables, and the address that a proxy says it came from."""
    values = dict(pairs)
    oid = values[_TRAP_OID].value if _TRAP_OID in values else ()
    proxied = _address(values[_TRAP_ADDRESS]) if _TRAP_ADDRESS in values else ""
    return (oid if isinstance(oid, tuple) else ()), pairs, proxied


def _address(var: Var) -> str:
    value = var.value
    return ".".join(map(str, value)) if isinstance(value, bytes) and len(value) == 4 and any(value) else ""


def _make_room(opened: socket.socket) -> None:
    """4 MiB of receive buffer: by force where we may, else as much as the system allows."""
    try:
        opened.setsockopt(socket.SOL_SOCKET, _BY_FORCE, ROOM)
    except OSError:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, ROOM)


_Arrived = Callable[[str, bytes | None, Oid, Pairs, str], None]


class _V3Receiver:
    """Traps and informs of version 3: pysnmp checks and decrypts them, and answers informs through our socket."""

    DOMAIN: Oid = (1, 3, 6, 1, 6, 1, 1, 162)

    def __init__(self, engine: Engine, opened: socket.socket, arrived: _Arrived) -> None:
        from pysnmp.carrier.asyncio.dgram.udp import UdpAsyncioTransport
        from pysnmp.entity import config
        from pysnmp.entity.rfc3413.ntfrcv import NotificationReceiver

        class Replies(UdpAsyncioTransport):  # type: ignore[misc]
            """Sends by the socket that is read here."""

            def send_message(self, message: bytes, address: Any) -> None:
                """pysnmp has something to say."""
                opened.sendto(message, (str(address[0]), int(address[1])))

        self._engine = engine
        self._arrived = arrived
        self._domain = (*self.DOMAIN, opened.fileno())
        config.add_transport(engine.snmp, self._domain, Replies())
        self._receiver = NotificationReceiver(engine.snmp, self._notified)
        self._expected: set[tuple[bytes, str]] = set()

    async def expect(self, box: Mailbox) -> None:
        """Know the device's user, for its own engine id (traps) and for ours (informs)."""
        box.engine_id = await engine_id(box.settings)
        for engine in (box.engine_id, bytes(self._engine.snmp.snmpEngineID)):
            if engine is not None and (engine, box.settings.user) not in self._expected:
                self._engine.add_user(box.settings, engine)
                self._expected.add((engine, box.settings.user))

    def take(self, data: bytes, sender: tuple[str, int]) -> None:
        """A datagram of version 3."""
        from pysnmp.carrier.asyncio.dgram.udp import UdpTransportAddress
        from pysnmp.error import PySnmpError

        snmp = self._engine.snmp
        try:
            snmp.message_dispatcher.receive_message(snmp, self._domain, UdpTransportAddress(sender), data)
        except PySnmpError as error:
            structlog.get_logger("wanmi.devices").warning("trap_refused", sender=sender[0], reason=str(error)[:200])

    def _notified(self, snmp: Any, state: Any, engine: Any, _context: object, pairs: Any, _given: object) -> None:
        _, address = snmp.message_dispatcher.get_transport_info(state)
        known: Pairs = tuple((tuple(oid), var_of(value)) for oid, value in pairs)
        self._arrived(str(address[0]), bytes(engine), *_told(known))
