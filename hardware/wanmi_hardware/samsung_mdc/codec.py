"""MDC's frames, pure: Samsung's Multiple Display Control protocol. Bytes in, values out, no I/O.

``AA command id length data… sum``: the sum is that of all bytes after AA, modulo 256. A display answers ``AA FF id length
A command data… sum``, or N and an error code in place of A and the data. What is not so is DeviceGarbled.
"""

from __future__ import annotations

from dataclasses import dataclass

from wanmi.errors import DeviceGarbled

PORT = 1515
HEADER = 0xAA
ANSWER = 0xFF
EVERYBODY = 0xFE
"""The id that every display on a line takes for its own; only one display may be there."""
TLS_HELLO = b"MDCSTART<<TLS>>"
TLS_PASSED = b"MDCAUTH<<PASS>>"
LONGEST = 255

STATUS = 0x00
SERIAL = 0x0B
FAULTS = 0x0D
SOFTWARE = 0x0E
POWER = 0x11
VOLUME = 0x12
MUTE = 0x13
INPUT = 0x14
BRIGHTNESS = 0x25
PANEL_TIME = 0x83
MODEL = 0x8A
LAUNCHER = 0xC7
LAUNCHER_URL = 0x82
URL_INPUT = 0x63

INPUTS = {
    0x04: "S-VIDEO", 0x08: "COMPONENT", 0x0C: "AV", 0x0D: "AV2", 0x0E: "SCART", 0x14: "PC", 0x18: "DVI", 0x1E: "BNC",
    0x1F: "DVI-VIDEO", 0x20: "MAGIC-INFO", 0x21: "HDMI1", 0x22: "HDMI1-PC", 0x23: "HDMI2", 0x24: "HDMI2-PC",
    0x25: "DISPLAYPORT", 0x26: "DISPLAYPORT2", 0x27: "DISPLAYPORT3", 0x30: "TV", 0x31: "HDMI3", 0x32: "HDMI3-PC",
    0x33: "HDMI4", 0x34: "HDMI4-PC", 0x40: "DTV", 0x50: "PLUG-IN", 0x55: "HDBASET", 0x60: "MAGIC-INFO-S",
    0x61: "MIRRORING", 0x62: "USB", 0x63: "URL",
}  # fmt: skip
_TOLD_ONLY = frozenset({0x1F, 0x22, 0x24, 0x32, 0x34, 0x61})


@dataclass(frozen=True)
class Frame:
    """A command to a display, or its answer with the command FF."""

    command: int
    id: int
    data: bytes = b""

    def encode(self) -> bytes:
        """As it goes over the line."""
        if len(self.data) > LONGEST:
            raise DeviceGarbled(f"MDC: {len(self.data)} bytes of data, at most {LONGEST} are allowed")
        body = bytes([self.command, self.id, len(self.data)]) + self.data
        return bytes([HEADER]) + body + bytes([sum(body) % 256])


@dataclass(frozen=True)
class Answer:
    """What a display answered: ``done`` (A) or not (N, ``data`` is its error code)."""

    id: int
    done: bool
    command: int
    data: bytes


class Framer:
    """Finds frames in a stream; after bytes that are no frame it begins anew at the next AA. ``skipped`` counts bytes."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self.skipped = 0
        self.head = b""

    def feed(self, raw: bytes) -> list[Frame]:
        """The frames that are whole now."""
        self._buffer += raw
        found = []
        while frame := self._next():
            found.append(frame)
        return found

    def _next(self) -> Frame | None:
        buffer = self._buffer
        while buffer:
            start = buffer.find(HEADER)
            if start:
                self._skip(len(buffer) if start < 0 else start)
                continue
            if len(buffer) < 4 or len(buffer) < buffer[3] + 5:
                return None
            end = buffer[3] + 5
            if sum(buffer[1 : end - 1]) % 256 == buffer[end - 1]:
                frame = Frame(buffer[1], buffer[2], bytes(buffer[4 : end - 1]))
                del buffer[:end]
                return frame
            self._skip(1)
        return None

    def _skip(self, n: int) -> None:
        self.head = (self.head + bytes(self._buffer[:n]))[:32]
        self.skipped += n
        del self._buffer[:n]


def read_answer(frame: Frame) -> Answer:
    """A frame as an answer."""
    if frame.command != ANSWER or len(frame.data) < 2 or frame.data[0] not in b"AN":
        raise DeviceGarbled(f"MDC: frame {frame.encode()[:12].hex(' ')} is no answer")
    done = frame.data[0] == ord("A")
    return Answer(frame.id, done, frame.data[1], frame.data[2:])


def answer(id: int, command: int, data: bytes, done: bool = True) -> bytes:
    """The bytes of an answer."""
    return Frame(ANSWER, id, (b"A" if done else b"N") + bytes([command]) + data).encode()


@dataclass(frozen=True)
class Status:
    """What STATUS tells at once. ``muted`` None: this model has no sound."""

    powered: bool
    volume: int
    muted: bool | None
    input: int


def read_status(data: bytes) -> Status:
    """Power, volume, mute, input (aspect and two more bytes follow)."""
    if len(data) < 4:
        raise DeviceGarbled(f"MDC: a status of {len(data)} bytes, at least 4 are needed")
    return Status(_flag(data[0], "power"), data[1], read_mute(data[2:3]), data[3])


@dataclass(frozen=True)
class Faults:
    """What ERROR STATUS tells: words of wanmi.devices.displays, and °C."""

    lamp: str
    temperature: str
    signal: str
    celsius: int
    fan: str


def read_faults(data: bytes) -> Faults:
    """Lamp, temperature, brightness sensor, signal, temperature in °C, fan."""
    if len(data) < 6:
        raise DeviceGarbled(f"MDC: an error status of {len(data)} bytes, 6 are needed")
    two = {0: "ok", 1: "error"}
    return Faults(
        _word(two, data[0], "lamp"), _word(two, data[1], "temperature"),
        _word({0: "yes", 1: "no", 2: "none"}, data[3], "signal"), data[4],
        _word({**two, 2: "none"}, data[5], "fan"),
    )  # fmt: skip


def read_mute(data: bytes) -> bool | None:
    """Muted or not; None (FF) where there is no sound."""
    return None if data[:1] == b"\xff" else _flag(_byte(data, "mute"), "mute")


def read_level(data: bytes) -> int:
    """A level of 0 to 100: more is kept, and judged implausible by its quantity."""
    return _byte(data, "level")


def read_panel_hours(data: bytes) -> float:
    """Hours that the panel was on; told in tens of minutes, two bytes or (newer models) more."""
    if not 2 <= len(data) <= 8:
        raise DeviceGarbled(f"MDC: a panel time of {len(data)} bytes, 2 to 8 are known")
    return int.from_bytes(data, "big") / 6


def read_text(data: bytes) -> str:
    """Text, without the padding that models add."""
    try:
        return data.decode().strip("\0 ")
    except UnicodeDecodeError:
        raise DeviceGarbled(f"MDC: {data[:16].hex(' ')} is no text") from None


def input_name(code: int) -> str:
    """The word of an input, or its code in hex for one that this list does not have."""
    return INPUTS.get(code, f"0x{code:02X}")


def input_code(name: str) -> int | None:
    """The code of an input that a person names (``HDMI1``, ``0x25``); None for one that cannot be selected."""
    wanted = name.strip().upper().replace(" ", "").replace("_", "-")
    if wanted.startswith("0X") and len(wanted) == 4:
        try:
            return int(wanted, 16)
        except ValueError:
            return None
    return next((code for code, known in INPUTS.items() if known == wanted and code not in _TOLD_ONLY), None)


def _byte(data: bytes, what: str) -> int:
    if not data:
        raise DeviceGarbled(f"MDC: a {what} without a value")
    return data[0]


def _flag(value: int, what: str) -> bool:
    if value not in (0, 1):
        raise DeviceGarbled(f"MDC: {what} is {value}, neither 0 nor 1")
    return value == 1


def _word(words: dict[int, str], value: int, what: str) -> str:
    if value not in words:
        raise DeviceGarbled(f"MDC: {what} is {value}, none of {', '.join(map(str, words))}")
    return words[value]
