"""The Asterisk Manager Interface: a login, actions told apart by ActionID, events in their order; over asyncio streams.

Packets are lines ``Key: Value`` ended by an empty line; the server first says ``Asterisk Call Manager/…``. A key may
come several times: its values are joined by line feeds.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Mapping

from wanmi.errors import LinkError, NotAllowed

LONGEST_LINE = 64 * 1024
MOST_LINES = 1000
"""Lines of one packet."""
ANSWER_SECONDS = 10.0
BACKLOG = 10_000
"""Events that may wait to be taken; more means that nobody takes them."""

Packet = Mapping[str, str]


def encode(action: str, action_id: str, fields: Mapping[str, str]) -> bytes:
    """An action's bytes; line ends in a value would begin another line, so they are refused."""
    lines = {"Action": action, "ActionID": action_id, **fields}
    if any(mark in part for pair in lines.items() for part in pair for mark in "\r\n"):
        raise ValueError(f"action {action}: a line end in a field")
    return "".join(f"{key}: {value}\r\n" for key, value in lines.items()).encode() + b"\r\n"


class Ami:
    """One connection. ``connect`` logs in; then ``action``, ``collect`` and ``events`` until it breaks (LinkError)."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._count = 0
        self._answers: dict[str, asyncio.Future[Packet]] = {}
        self._lists: dict[str, list[Packet]] = {}
        self._events: asyncio.Queue[Packet | None] = asyncio.Queue(BACKLOG)
        self._reading: asyncio.Task[None] | None = None
        self.banner = ""
        self.broken = ""

    @classmethod
    async def connect(cls, host: str, port: int, user: str, secret: str, *, tls: ssl.SSLContext | None = None) -> Ami:
        """Connect and log in, asking for the events of calls; LinkError, or NotAllowed for a refused login."""
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                reader, writer = await asyncio.open_connection(host, port, ssl=tls, limit=LONGEST_LINE)
        except (OSError, TimeoutError) as error:
            raise LinkError(f"asterisk {host}:{port}: {str(error) or 'no answer'}") from error
        ami = cls(reader, writer)
        try:
            await ami._greet()
            answer = await ami.action("Login", Username=user, Secret=secret, Events="call,user")
            if answer.get("Response") != "Success":
                raise NotAllowed(f"asterisk {host}:{port}: login of {user}: {answer.get('Message', 'refused')}")
        except BaseException:
            await ami.close()
            raise
        return ami

    async def action(self, name: str, **fields: str) -> Packet:
        """Ask for something; its answer (``Response`` says whether it was done)."""
        action_id, future = self._ask()
        await self._send(encode(name, action_id, fields))
        try:
            # Not wait_for: in Python 3.11 it forgets that it was cancelled when the answer comes at the same moment.
            async with asyncio.timeout(ANSWER_SECONDS):
                return await future
        except TimeoutError as error:
            raise LinkError(f"asterisk: no answer to {name} within {ANSWER_SECONDS:g} s") from error
        finally:
            self._answers.pop(action_id, None)

    async def collect(self, name: str, **fields: str) -> list[Packet]:
        """Ask for a list; the events that it consists of, without the last one, which ends it."""
        action_id, future = self._ask()
        self._lists[action_id] = []
        try:
            await self._send(encode(name, action_id, fields))
            async with asyncio.timeout(ANSWER_SECONDS):
                answer = await future
            if answer.get("Response") == "Error":
                raise LinkError(f"asterisk: {name}: {answer.get('Message', 'refused')}")
            return self._lists[action_id]
        except TimeoutError as error:
            raise LinkError(f"asterisk: {name} did not end within {ANSWER_SECONDS:g} s") from error
        finally:
            self._answers.pop(action_id, None)
            self._lists.pop(action_id, None)

    async def events(self) -> AsyncIterator[Packet]:
        """The events as they come; LinkError when the connection ends."""
        while True:
            packet = await self._events.get()
            if packet is None:
                raise LinkError(f"asterisk: {self.broken}")
            yield packet

    async def close(self) -> None:
        """End the connection; who waits is told."""
        if self._reading is not None:
            self._reading.cancel()
        self._break(self.broken or "closed")
        self._writer.close()

    async def _greet(self) -> None:
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                self.banner = (await self._line()).strip()
        except TimeoutError as error:
            raise LinkError(f"asterisk: no greeting within {ANSWER_SECONDS:g} s") from error
        if not self.banner.startswith("Asterisk Call Manager"):
            raise LinkError(f"asterisk: it says {self.banner[:60]!r}; is that the manager interface?")
        self._reading = asyncio.create_task(self._read(), name="asterisk-ami")

    def _ask(self) -> tuple[str, asyncio.Future[Packet]]:
        if self.broken:
            raise LinkError(f"asterisk: {self.broken}")
        self._count += 1
        action_id = f"wanmi-{self._count}"
        future: asyncio.Future[Packet] = asyncio.get_running_loop().create_future()
        self._answers[action_id] = future
        return action_id, future

    async def _send(self, data: bytes) -> None:
        try:
            self._writer.write(data)
            await self._writer.drain()
        except OSError as error:
            raise LinkError(f"asterisk: {error}") from error

    async def _read(self) -> None:
        """Read packets until the connection breaks; then everybody who waits is told."""
        try:
            while True:
                self._sort(await self._packet())
        except (LinkError, OSError, asyncio.QueueFull) as error:
            self._break(str(error) or type(error).__name__)

    def _sort(self, packet: Packet) -> None:
        """An answer to its asker, an event of a list to the list, any other event to the queue."""
        action_id = packet.get("ActionID", "")
        future = self._answers.get(action_id)
        if "Response" in packet:
            unlisted = action_id not in self._lists or packet["Response"] == "Error"
            if future is not None and not future.done() and unlisted:
                future.set_result(packet)
        elif action_id in self._lists:
            if packet.get("EventList", "").lower() != "complete":
                self._lists[action_id].append(packet)
            elif future is not None and not future.done():
                future.set_result(packet)
        elif "Event" in packet:
            self._events.put_nowait(packet)

    def _break(self, why: str) -> None:
        self.broken = why
        for future in self._answers.values():
            if not future.done():
                future.set_exception(LinkError(f"asterisk: {why}"))
        if self._events.full():
            self._events.get_nowait()
        self._events.put_nowait(None)

    async def _packet(self) -> Packet:
        packet: dict[str, str] = {}
        for _ in range(MOST_LINES):
            line = await self._line()
            if not line.rstrip("\r\n"):
                if packet:
                    return packet
                continue
            key, colon, value = line.rstrip("\r\n").partition(":")
            if not colon:
                continue
            value = value.removeprefix(" ")
            packet[key] = f"{packet[key]}\n{value}" if key in packet else value
        raise LinkError(f"a packet of more than {MOST_LINES} lines")

    async def _line(self) -> str:
        try:
            raw = await self._reader.readuntil(b"\n")
        except asyncio.IncompleteReadError as error:
            raise LinkError("the connection was closed") from error
        except asyncio.LimitOverrunError as error:
            raise LinkError(f"a line of more than {LONGEST_LINE} bytes") from error
        return raw.decode("utf-8", "replace")
