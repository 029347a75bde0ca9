"""SNMP v1 and v2c over a datagram socket of our own, connected: only this agent's datagrams come in, and a closed port
is told by the network.
"""

from __future__ import annotations

import asyncio
import secrets
import socket

from wanmi.errors import DeviceFault, DeviceGarbled, DeviceUnreachable
from wanmi_hardware.snmp.asker import Answer, Question
from wanmi_hardware.snmp.ber import Message, Pairs, Pdu, decode, encode
from wanmi_hardware.snmp.settings import SnmpSettings


class CommunityAsker(asyncio.DatagramProtocol):
    """Asks one agent by community. Several questions may be under way; an answer finds its own by the request number."""

    def __init__(self, settings: SnmpSettings) -> None:
        self.where = settings.where
        self.bulk = settings.version == "2c"
        self._version = 1 if self.bulk else 0
        self._settings = settings
        self._waiting: dict[int, asyncio.Future[Answer]] = {}
        self._transport: asyncio.DatagramTransport | None = None
        self._next = secrets.randbelow(1 << 30)
        self._garbled = ""

    @classmethod
    async def open(cls, settings: SnmpSettings) -> CommunityAsker:
        """An asker with its socket; DeviceUnreachable when the name or the route is not known."""
        loop = asyncio.get_running_loop()
        try:
            _, asker = await loop.create_datagram_endpoint(
                lambda: cls(settings), remote_addr=(settings.address, settings.port)
            )
        except socket.gaierror as error:
            raise DeviceUnreachable(
                f"{settings.where}: no such host ({error.strerror}); look at the address and the name server"
            ) from None
        except OSError as error:
            raise DeviceUnreachable(f"{settings.where}: no way there ({error.strerror or error})") from None
        return asker

    def connection_made(self, transport: asyncio.DatagramTransport) -> None:  # type: ignore[override]
        """asyncio: the socket is there."""
        self._transport = transport

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """asyncio: the agent said something. What is no answer to a question is left alone, the reason kept."""
        try:
            message = decode(data)
        except DeviceGarbled as error:
            self._garbled = str(error)
            return
        pdu = message.pdu
        if isinstance(pdu, Pdu) and pdu.type == "response":
            future = self._waiting.get(pdu.request)
            if future is not None and not future.done():
                future.set_result(Answer(pdu.status, pdu.index, pdu.vars))

    def error_received(self, exc: Exception) -> None:
        """asyncio: the network says that nobody is there."""
        reason = (exc.strerror if isinstance(exc, OSError) else "") or str(exc)
        told = DeviceUnreachable(
            f"{self.where}: {reason}; the host is there and nothing listens on this UDP port: "
            "is SNMP switched on, and is the port right?"
            if isinstance(exc, ConnectionRefusedError)
            else f"{self.where}: {reason}"
        )
        for future in self._waiting.values():
            if not future.done():
                future.set_exception(told)

    async def ask(self, question: Question, pairs: Pairs, repeat: int = 0) -> Answer:
        """The agent's answer; sent ``tries`` times under one number, so that a late answer counts."""
        number = self._next = (self._next + 1) & 0x7FFFFFFF
        status, index = (0, repeat) if question == "bulk" else (0, 0)
        message = Message(self._version, self._community(question), Pdu(question, number, status, index, pairs))
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting[number], self._garbled = future, ""
        try:
            return await self._sent(encode(message), future)
        finally:
            del self._waiting[number]

    def close(self) -> None:
        """Close the socket."""
        if self._transport is not None:
            self._transport.close()

    async def _sent(self, data: bytes, future: asyncio.Future[Answer]) -> Answer:
        transport = self._transport
        if transport is None or transport.is_closing():
            raise DeviceUnreachable(f"{self.where}: the socket is closed")
        for _ in range(self._settings.tries):
            transport.sendto(data)
            done, _ = await asyncio.wait((future,), timeout=self._settings.timeout)
            if done:
                return future.result()
        raise self._silence()

    def _community(self, question: Question) -> bytes:
        settings = self._settings
        secret = settings.write_community if question == "set" and settings.write_community else settings.community
        return secret.get_secret_value().encode()

    def _silence(self) -> DeviceFault:
        if self._garbled:
            return DeviceGarbled(f"{self.where}: {self._garbled}")
        version = self._settings.version
        return DeviceUnreachable(
            f"{self.where}: no answer in {self._settings.tries} × {self._settings.timeout:g} s. Either nothing is there "
            f"(address, cable, power, firewall for UDP {self._settings.port}), or the agent keeps silent because the "
            f"community is wrong, it does not speak version {version}, or it does not allow this node's address"
        )
