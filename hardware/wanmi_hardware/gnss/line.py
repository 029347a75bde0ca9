"""A serial line in the loop: non-blocking, in chunks. What the port says of an unplugged cable becomes DeviceUnreachable."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

from wanmi.clock import Clock
from wanmi.errors import DeviceRefused, DeviceUnreachable

GATHER = 0.02
"""Seconds to let bytes come together before they are read: a system call for a chunk, not for a byte."""
CHUNK = 16_384


class SerialLine:
    """An open port."""

    def __init__(self, port: Any, path: str, clock: Clock) -> None:
        self._port = port
        self._path = path
        self._clock = clock
        self._ready = asyncio.Event()
        self._loop = asyncio.get_running_loop()

    async def read(self, patience: float) -> tuple[bytes, int]:
        """What came, and when its first byte did (µs UTC); b"" after ``patience`` seconds of silence."""
        self._ready.clear()
        self._loop.add_reader(self._port.fileno(), self._ready.set)
        try:
            await asyncio.wait_for(self._ready.wait(), patience)
        except TimeoutError:
            return b"", self._clock.now()
        finally:
            # the descriptor stays readable until it is read: without this the loop would spin while bytes gather
            self._loop.remove_reader(self._port.fileno())
        came_at = self._clock.now()
        await asyncio.sleep(GATHER)
        return self._take(), came_at

    def _take(self) -> bytes:
        try:
            data: bytes = self._port.read(min(max(self._port.in_waiting, 1), CHUNK))
        except (OSError, TypeError) as error:  # SerialException is an OSError; TypeError: closed beneath pyserial
            raise DeviceUnreachable(f"{self._path}: unplugged ({_words(error)}); plug it in again") from error
        if not data:
            raise DeviceUnreachable(f"{self._path}: the line ended; is the receiver unplugged?")
        return data


@asynccontextmanager
async def open_line(path: str, baud: int, clock: Clock) -> AsyncIterator[SerialLine]:
    """Open the port; DeviceUnreachable when it is not there, DeviceRefused when it may not be used or another uses it."""
    port = await asyncio.to_thread(_open, path, baud)
    try:
        yield SerialLine(port, path, clock)
    finally:
        with suppress(OSError):
            await asyncio.to_thread(port.close)


def _open(path: str, baud: int) -> Any:
    import serial

    try:
        return serial.Serial(path, baud, timeout=0, exclusive=True)
    except serial.SerialException as error:
        if error.errno == 13:
            raise DeviceRefused(f"{path}: no permission; add the node's user to the group dialout") from error
        if "exclusively lock" in str(error):
            raise DeviceRefused(f"{path}: another program has it open (gpsd? then use gnss-gpsd)") from error
        raise DeviceUnreachable(f"{path}: cannot be opened ({_words(error)}); is it plugged in?") from error
    except (OSError, ValueError) as error:
        raise DeviceUnreachable(f"{path}: cannot be opened at {baud} baud ({_words(error)})") from error


def _words(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)
