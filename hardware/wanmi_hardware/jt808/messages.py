"""Bodies of JT/T 808 messages: what terminals say, what the server answers. Pure.

Source: JT/T 808-2013 and 808-2019, chapter 8. Times are Beijing time in BCD, coordinates 1e-6 degree and positive: bits
of the status tell south and west.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone

from wanmi.errors import DeviceGarbled
from wanmi_hardware.jt808.frames import Frame, bcd

ANSWERED, HEARTBEAT, LOGOUT, REGISTER, AUTHENTICATE = 0x0001, 0x0002, 0x0003, 0x0100, 0x0102
LOCATION, BATCH, MEDIA_EVENT, MEDIA = 0x0200, 0x0704, 0x0800, 0x0801
GENERAL, REGISTERED, MEDIA_DONE = 0x8001, 0x8100, 0x8800

OK, FAILED, WRONG, UNSUPPORTED = 0, 1, 2, 3
"""Results of the general answer."""
NO_SUCH_TERMINAL = 4
"""Result of a registration that is not approved."""
BEIJING = timezone(timedelta(hours=8))

ALARMS: Mapping[int, tuple[str, str, str]] = {
    0: ("emergency", "紧急报警", "emergency button"), 1: ("overspeed", "超速", "overspeed"),
    2: ("fatigue", "疲劳驾驶", "driver's fatigue"), 3: ("danger", "危险预警", "danger ahead"),
    4: ("gnss_module", "定位模块故障", "receiver fault"), 5: ("gnss_antenna_open", "天线未接", "antenna open"),
    6: ("gnss_antenna_short", "天线短路", "antenna shorted"), 7: ("power_low", "主电源欠压", "supply low"),
    8: ("power_off", "主电源掉电", "supply cut"), 9: ("display", "显示器故障", "display fault"),
    10: ("speech", "语音模块故障", "speech fault"), 11: ("camera", "摄像头故障", "camera fault"),
    18: ("driving_time", "当天驾驶超时", "driven too long today"), 19: ("parking_time", "超时停车", "parked too long"),
    20: ("area", "进出区域", "area entered or left"), 21: ("route", "进出路线", "route entered or left"),
    23: ("off_route", "路线偏离", "off its route"), 26: ("stolen", "车辆被盗", "stolen"),
    27: ("ignition", "非法点火", "unlawful ignition"), 28: ("moved", "非法位移", "unlawful move"),
    29: ("collision", "碰撞预警", "collision"), 30: ("rollover", "侧翻预警", "rollover"),
}  # fmt: skip
"""Bits of the alarm word: name, zh, en."""


@dataclass(frozen=True)
class Registration:
    """``0x0100``: who a terminal says it is."""

    maker: str
    model: str
    serial: str
    plate: str


@dataclass(frozen=True)
class Location:
    """``0x0200``: coordinates 1e-7 degree in the terminal's datum, None when it says that it is not located.

    ``made_at`` µs UTC, None when its clock was never set. Mileage in 0.1 km, fuel in 0.1 l; ``signal`` 0 to 31.
    """

    alarms: tuple[str, ...]
    acc_on: bool
    lon_e7: int | None
    lat_e7: int | None
    altitude_m: int
    speed_cm_s: int
    course_cdeg: int
    made_at: int | None
    systems: tuple[str, ...]
    encrypted: bool = False
    mileage: int | None = None
    fuel: int | None = None
    signal: int | None = None
    satellites: int | None = None
    extras: Mapping[int, bytes] = field(default_factory=dict)


@dataclass(frozen=True)
class MediaEvent:
    """``0x0800`` and the head of ``0x0801``: a photo, sound or film that the terminal has made."""

    media_id: int
    kind: str
    format: str
    event: int
    channel: int


# -- from terminals ----------------------------------------------------------------------------------------


def read_registration(frame: Frame) -> Registration:
    """Fields by the version: maker 5 or 11 bytes, model 20 (8 in 2011) or 30, serial 7 or 30."""
    body = frame.body
    maker, model, serial = (11, 30, 30) if frame.is_2019 else (5, 20 if len(body) >= 37 else 8, 7)
    end = 4 + maker + model + serial
    if len(body) < end + 1:
        raise DeviceGarbled(f"a registration of {len(body)} bytes is too short")
    after_maker, after_model = 4 + maker, 4 + maker + model
    return Registration(
        _text(body[4:after_maker]), _text(body[after_maker:after_model]), _text(body[after_model:end]),
        _text(body[end + 1 :]),
    )  # fmt: skip


def read_code(frame: Frame) -> str:
    """The code of an authentication: all of the body in 2013, the first string in 2019."""
    if not frame.is_2019:
        return _text(frame.body)
    if not frame.body or len(frame.body) < 1 + frame.body[0]:
        raise DeviceGarbled("an authentication that ends early")
    return _text(frame.body[1 : 1 + frame.body[0]])


def read_location(body: bytes) -> Location:
    """A position report's body."""
    if len(body) < 28:
        raise DeviceGarbled(f"a position of {len(body)} bytes is too short")
    alarm, status, lat, lon = (_u32(body, at) for at in (0, 4, 8, 12))
    located = bool(status & 0x2)
    if lat > 90_000_000 or lon > 180_000_000:
        raise DeviceGarbled(f"a position of {lat / 1e6}, {lon / 1e6} degrees")
    extras = _extras(body[28:])
    return Location(
        alarms=tuple(name for bit, (name, _, _) in ALARMS.items() if alarm >> bit & 1),
        acc_on=bool(status & 0x1),
        lon_e7=(-lon if status & 0x8 else lon) * 10 if located else None,
        lat_e7=(-lat if status & 0x4 else lat) * 10 if located else None,
        altitude_m=int.from_bytes(body[16:18], "big", signed=True),
        speed_cm_s=round(_u16(body, 18) * 1000 / 360), course_cdeg=_u16(body, 20) % 360 * 100,
        made_at=_beijing(body[22:28]),
        systems=tuple(name for bit, name in ((18, "GP"), (19, "BD"), (20, "GL"), (21, "GA")) if status >> bit & 1),
        encrypted=bool(status & 0x20),
        mileage=_number(extras.get(0x01), 4), fuel=_number(extras.get(0x02), 2), signal=_number(extras.get(0x30), 1),
        satellites=_number(extras.get(0x31), 1), extras=extras,
    )  # fmt: skip


def read_batch(body: bytes) -> tuple[Location, ...]:
    """Positions of ``0x0704``, kept while there was no link."""
    count, at = _u16(body, 0), 3
    found: list[Location] = []
    for _ in range(count):
        size = _u16(body, at)
        item = body[at + 2 : at + 2 + size]
        if size == 0 or len(item) != size:
            raise DeviceGarbled(f"a batch of {count} positions ends after {len(found)}")
        found.append(read_location(item))
        at += 2 + size
    return tuple(found)


def read_media_event(body: bytes) -> MediaEvent:
    """What was made, and why."""
    if len(body) < 8:
        raise DeviceGarbled(f"a media event of {len(body)} bytes is too short")
    kinds = {0: "photo", 1: "sound", 2: "film"}
    formats = {0: "jpeg", 1: "tif", 2: "mp3", 3: "wav", 4: "wmv"}
    return MediaEvent(
        _u32(body, 0), kinds.get(body[4], "other"), formats.get(body[5], "bin"), body[6], body[7]
    )  # fmt: skip


def read_media(body: bytes) -> tuple[MediaEvent, Location, bytes]:
    """A whole ``0x0801``: what it is, where it was made, its bytes."""
    if len(body) < 36:
        raise DeviceGarbled(f"media of {len(body)} bytes is too short")
    return read_media_event(body), read_location(body[8:36]), body[36:]


# -- to terminals ------------------------------------------------------------------------------------------


def general(to: Frame, serial: int, result: int) -> Frame:
    """``0x8001``: what became of a message."""
    body = to.serial.to_bytes(2, "big") + to.kind.to_bytes(2, "big") + bytes((result,))
    return Frame(GENERAL, to.phone, serial, body, to.is_2019)


def registered(to: Frame, serial: int, result: int, code: str = "") -> Frame:
    """``0x8100``: the answer to a registration; the code only when it succeeded."""
    body = to.serial.to_bytes(2, "big") + bytes((result,)) + (code.encode("gbk") if result == OK else b"")
    return Frame(REGISTERED, to.phone, serial, body, to.is_2019)


def media_done(to: Frame, serial: int, media_id: int, missing: tuple[int, ...] = ()) -> Frame:
    """``0x8800``: all of it is here, or these parts are not."""
    body = media_id.to_bytes(4, "big")
    if missing:
        body += bytes((min(len(missing), 255),)) + b"".join(one.to_bytes(2, "big") for one in missing[:255])
    return Frame(MEDIA_DONE, to.phone, serial, body, to.is_2019)


# -- fields ------------------------------------------------------------------------------------------------


def _u16(data: bytes, at: int) -> int:
    return int.from_bytes(data[at : at + 2], "big")


def _u32(data: bytes, at: int) -> int:
    return int.from_bytes(data[at : at + 4], "big")


def _text(data: bytes) -> str:
    return data.decode("gbk", "replace").strip("\0 \t\r\n")


def _beijing(data: bytes) -> int | None:
    text = bcd(data)
    if not text.strip("0"):
        return None
    try:
        moment = datetime.strptime(text, "%y%m%d%H%M%S").replace(tzinfo=BEIJING)
    except ValueError as error:
        raise DeviceGarbled(f"time {text} is none") from error
    since = moment - datetime(1970, 1, 1, tzinfo=UTC)
    return (since.days * 86_400 + since.seconds) * 1_000_000


def _extras(data: bytes) -> dict[int, bytes]:
    """Number, length, value, as long as they come; what is cut off at the end is left out."""
    found: dict[int, bytes] = {}
    while len(data) >= 2 and len(data) >= 2 + data[1]:
        found[data[0]] = data[2 : 2 + data[1]]
        data = data[2 + data[1] :]
    return found


def _number(data: bytes | None, size: int) -> int | None:
    return int.from_bytes(data, "big") if data is not None and len(data) == size else None
