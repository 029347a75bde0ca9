"""Decoders of what devices say: SNMP, receivers, gpsd, JT/T 808, OwnTracks, walls, displays."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from fuzz.target import Target
from support.snmp_agents import recordings, variables
from wanmi.devices import Fix
from wanmi.devices.walls import STATUSES, WallOrder, WallStatus, encode, read_order, read_status
from wanmi.errors import BadInput, DeviceGarbled
from wanmi_hardware.gnss.framer import Framer
from wanmi_hardware.gnss.gpsd import Lines, Sky, read_message
from wanmi_hardware.gnss.listening import Listening
from wanmi_hardware.gnss.sentences import read_sentence
from wanmi_hardware.gnss.settings import SerialSettings
from wanmi_hardware.gnss.validity import Bounds, Judge
from wanmi_hardware.jt808 import messages as jt808
from wanmi_hardware.jt808.frames import Frame, FrameReader, read_frame, write_frame
from wanmi_hardware.jt808.taking import fix_of, readings_of
from wanmi_hardware.owntracks.reading import read_message as read_owntracks
from wanmi_hardware.pjlink import codec as pjlink
from wanmi_hardware.pjlink import udp
from wanmi_hardware.samsung_mdc import codec as mdc
from wanmi_hardware.snmp import ber, interfaces, ups
from wanmi_hardware.snmp.cook import cook, merged
from wanmi_hardware.snmp.identity import identity_of
from wanmi_hardware.snmp.settings import SnmpSettings
from wanmi_hardware.snmp.traps import Mailbox, TrapReceiver
from wanmi_hardware.snmp.values import Oid, Var

HARDWARE = Path(__file__).parents[1] / "hardware"
NOW = 1_790_000_000_000_000
RECORDINGS = (
    "phoenixtec-power", "eastpower-istars-swv053", "eaton-93e-80", "eaton-9px-partial", "huawei-gse200m",
    "ingrasys-power-switch", "vertiv-power",
)  # fmt: skip
AN_ANSWER = 12
"""Objects of a recording in one answer."""


def targets() -> Iterator[Target]:
    """Each decoder once."""
    answers = snmp_answers()
    yield Target("snmp-message", [*answers, *traps()], take_snmp, (DeviceGarbled,))
    yield Target("snmp-walk", answers, take_walk, (DeviceGarbled,))
    yield Target("snmp-trap", traps(), take_trap, ())
    yield Target("nmea-stream", nmea(), take_nmea, ())
    yield Target("nmea-sentence", sentences(), take_sentence, (DeviceGarbled,))
    yield Target("gpsd", gpsd(), take_gpsd, (DeviceGarbled,))
    frames = jt808_frames()
    yield Target("jt808-stream", [write_frame(one) for one in frames], take_jt808, ())
    yield Target("jt808-body", [one.body for one in frames], take_bodies, ())
    yield Target("owntracks", owntracks(), take_owntracks, (DeviceGarbled,))
    yield Target("wall-order", [encode(ORDER)], read_order, (BadInput,))
    yield Target("wall-status", [encode(STATUS)], take_status, (DeviceGarbled,))
    yield Target("pjlink", PJLINK, take_pjlink, (DeviceGarbled,))
    yield Target("samsung-mdc", MDC, take_mdc, (DeviceGarbled,))


# -- SNMP ---------------------------------------------------------------------------------------------------


def snmp_answers() -> list[bytes]:
    """Recorded UPS units as answers of some objects each, as an agent sends them."""
    made = []
    for name in RECORDINGS:
        pairs = [one for one in variables(recordings()[name]).items() if is_asked(one[0])]
        for start in range(0, len(pairs), AN_ANSWER):
            pdu = ber.Pdu("response", 7 + start, 0, 0, tuple(pairs[start : start + AN_ANSWER]))
            made.append(ber.encode(ber.Message(1, b"public", pdu)))
    return made


def is_asked(oid: Oid) -> bool:
    """Whether it is of the system, the ports, the UPS-MIB or a manufacturer's."""
    return oid[:6] == (1, 3, 6, 1, 4, 1) or (oid[:6] == (1, 3, 6, 1, 2, 1) and oid[6] in (1, 2, 31, 33))


def traps() -> list[bytes]:
    """A v1 trap, a v2c trap and an inform of a UPS."""
    battery: Oid = (1, 3, 6, 1, 2, 1, 33, 2, 1)
    pairs = (
        ((1, 3, 6, 1, 2, 1, 1, 3, 0), Var("ticks", 100)), ((1, 3, 6, 1, 6, 3, 1, 1, 4, 1, 0), Var("oid", battery)),
        ((1, 3, 6, 1, 6, 3, 18, 1, 3, 0), Var("address", b"\x0a\x00\x00\x07")),
        ((1, 3, 6, 1, 2, 1, 33, 1, 2, 3, 0), Var("integer", 12)), ((1, 3, 6, 1, 2, 1, 33, 1, 1, 5, 0), Var("octets", b"UPS")),
    )  # fmt: skip
    old = ber.TrapV1(battery[:-1], b"\x0a\x00\x00\x07", 6, 1, 100, pairs[3:])
    new = [ber.Message(1, b"public", ber.Pdu(kind, 9, 0, 0, pairs)) for kind in ("trap2", "inform")]
    return [ber.encode(one) for one in (ber.Message(0, b"public", old), *new)]


def take_snmp(data: bytes) -> None:
    """A message, and each of its values in every way in which drivers read one."""
    message = ber.decode(data)
    for _, var in message.pdu.vars:
        var.number(), var.text(), var.raw()
    assert ber.decode(ber.encode(message)) == message


def take_walk(data: bytes) -> None:
    """What a UPS, a switch and its identity say of the objects."""
    found = dict(ber.decode(data).pdu.vars)
    identity_of(found)
    readings = merged(cook(one, found, ups.BY_NAME) for one in ups.known_maps())
    assert all(name == reading.name for name, reading in readings.items())
    interfaces.readings_of(
        interfaces.links_of(found), interfaces.Look(0.0, 100, found), interfaces.Look(10.0, 1100, found)
    )


_BOX = Mailbox(SnmpSettings(address="10.0.0.7"), lambda: None)
_BOX.addresses = frozenset({"10.0.0.7"})
_TRAPS = TrapReceiver(0)
_TRAPS._boxes.append(_BOX)


def take_trap(data: bytes) -> None:
    """A datagram at the port for traps: an event of its device, or counted."""
    _TRAPS._take(data, ("10.0.0.7", 1))
    for event in _BOX.take():
        assert event.kind.startswith("trap.")
        assert all(isinstance(fact, str) for fact in event.facts.values())


# -- places -------------------------------------------------------------------------------------------------


def nmea() -> list[bytes]:
    """Pieces of some epochs of the recorded receivers."""
    found = []
    for path in sorted((HARDWARE / "gnss/recorded").glob("*.log")):
        data = path.read_bytes()
        found += [data[at : at + 700] for at in range(0, min(len(data), 70_000), 700)]
    return found


def sentences() -> list[bytes]:
    """Each kind of sentence of each receiver a few times, without checksum."""
    kinds: dict[bytes, list[bytes]] = {}
    for path in sorted((HARDWARE / "gnss/recorded").glob("*.log")):
        for raw in Framer().feed(path.read_bytes()):
            kinds.setdefault(raw[:5], []).append(raw.partition(b"*")[0])
    return [one for some in kinds.values() for one in some[:8]]


def take_nmea(data: bytes) -> None:
    """A piece of a line: framed, read, made epochs and fixes, in two pieces."""
    listening = Listening(SerialSettings(path="x", every=0.05))
    half = len(data) // 2
    for sample in (*listening.feed(data[:half], NOW), *listening.feed(data[half:], NOW), *listening.pause()):
        for fix in sample.fixes:
            need_no_false_place(fix)


def take_sentence(data: bytes) -> None:
    """A sentence whose sum is right, whatever it says: behind the checksum nothing may be trusted either."""
    total = 0
    for byte in data:
        total ^= byte
    read_sentence(data + b"*%02X" % total)


def need_no_false_place(fix: Fix) -> None:
    """Never (0, 0), never half a place, never outside the earth."""
    assert (fix.lon_e7, fix.lat_e7) != (0, 0)
    assert (fix.lon_e7 is None) == (fix.lat_e7 is None)
    assert abs(fix.lon_e7 or 0) <= 1_800_000_000
    assert abs(fix.lat_e7 or 0) <= 900_000_000


def gpsd() -> list[bytes]:
    """gpsd's reports, as of protocol 3.15."""
    said = [
        {"class": "VERSION", "release": "3.25", "rev": "x", "proto_major": 3, "proto_minor": 15},
        {"class": "DEVICES", "devices": [{"class": "DEVICE", "path": "/dev/gps0", "driver": "u-blox", "subtype": "HPG"}]},
        {"class": "TPV", "device": "/dev/gps0", "mode": 3, "status": 1, "time": "2026-09-21T14:13:20.000Z", "lat": 41.79677,
         "lon": 123.4293041, "altMSL": 50.1, "alt": 55.0, "speed": 1.5, "track": 90.1, "climb": 0.0, "eph": 4.2},
        {"class": "SKY", "device": "/dev/gps0", "hdop": 0.9, "nSat": 12, "uSat": 8, "satellites": [
            {"PRN": 7, "el": 40.0, "az": 120.0, "ss": 41.0, "used": True, "gnssid": 3, "svid": 7},
            {"PRN": 12, "ss": 0.0, "used": False, "gnssid": 0}]},
    ]  # fmt: skip
    return [json.dumps(one).encode() for one in said]


def take_gpsd(data: bytes) -> None:
    """A line of gpsd's, framed and read, and the place that follows."""
    for line in Lines().feed(data + b"\n"):
        message = read_message(line)
        sky = Sky()
        sky.take(message)
        need_no_false_place(Judge(Bounds()).judge(sky.epoch(message, NOW)))


def jt808_frames() -> list[Frame]:
    """Other people's frames, and one of each further kind by the tests' own encoder, with both headers."""
    from hardware.jt808 import terminal

    lines = (HARDWARE / "jt808/recorded/frames.txt").read_text().split()[1::2]
    found = [read_frame(FrameReader().feed(bytes.fromhex(line))[0]) for line in lines]
    place = terminal.location(NOW, 123_429_304, 41_796_770, alarms=1 << 1 | 1 << 30)
    batch = b"\x00\x02\x01" + (len(place).to_bytes(2, "big") + place) * 2
    event = b"\x00\x00\x00\x07\x00\x00\x01\x01"
    media = event + place[:28] + b"\xff\xd8a photo\xff\xd9"
    bodies = {0x0200: place, 0x0704: batch, 0x0800: event, 0x0801: media, 0x0102: b"\x04code" + b"0" * 35, 0x0002: b""}
    return [
        *found,
        *(Frame(kind, "13900000001", 7, body, new) for kind, body in bodies.items() for new in (False, True)),
    ]


def take_jt808(data: bytes) -> None:
    """A vehicle's bytes: unescaped, summed, taken apart; what is framed wrongly is garbled and the rest is read."""
    for raw in FrameReader().feed(data):
        with suppress(DeviceGarbled):
            take_bodies(read_frame(raw).body)


def take_bodies(data: bytes) -> None:
    """A body as each of the messages that may come, behind a header that is right."""
    for read in (jt808.read_batch, jt808.read_media_event, jt808.read_media):
        with suppress(DeviceGarbled):
            read(data)
    for new in (False, True):
        for read_whole in (jt808.read_registration, jt808.read_code):
            with suppress(DeviceGarbled):
                read_whole(Frame(0x0100, "1", 1, data, new))
    with suppress(DeviceGarbled):
        location = jt808.read_location(data)
        readings_of(location)
        need_no_false_place(fix_of(location, "GCJ02", NOW))


def owntracks() -> list[bytes]:
    """Messages as the apps send them."""
    place = {"_type": "location", "lat": 41.79677, "lon": 123.4293041, "tst": NOW // 1_000_000, "acc": 12, "batt": 77}
    moving = {**place, "vel": 36, "cog": 90, "alt": 50, "tid": "wa", "conn": "m", "inregions": ["a"]}
    others = [{"_type": kind, "tst": 1} for kind in ("lwt", "transition", "waypoint", "status", "card")]
    return [json.dumps(one).encode() for one in (place, moving, *others)]


def take_owntracks(data: bytes) -> None:
    """A message, and its place."""
    sample = read_owntracks("owntracks/wang/phone", data, NOW)
    for fix in sample.fixes if sample else ():
        need_no_false_place(fix)


# -- displays -----------------------------------------------------------------------------------------------


ORDER = WallOrder("o-1", "show", "https://city.example/map?at=1")
STATUS = WallStatus("wall-hall-1", "up", "https://city.example/map", "on", "running", "o-1", True, orders=("show",))


def take_status(data: bytes) -> None:
    """A wall's status under its own topic."""
    read_status(STATUSES.format("wall-hall-1"), data)


PJLINK = (
    b"%1POWR=1\r", b"%1ERST=012000\r", b"%1LAMP=1234 1 50 0\r", b"%2INPT=6A\r", b"%1NAME=\xe6\x95\x99\r", b"%1INST=11 21 31\r",
    b"%2IRES=1920x1080\r", b"%2ACKN=02:42:ac:11:00:02\r", b"%1AVMT=31\r", b"%1POWR=ERR3\r",
)  # fmt: skip
PJLINK_WORDS = (
    pjlink.read_power, pjlink.read_errors, pjlink.read_lamps, pjlink.read_hours, pjlink.read_muted, pjlink.read_input,
    pjlink.read_inputs, pjlink.read_size, pjlink.read_address, pjlink.read_switch,
)  # fmt: skip


def take_pjlink(data: bytes) -> None:
    """A line, a greeting, a notice, and the words of a line as each value."""
    for read in (pjlink.read_greeting, udp.read_notice):
        with suppress(DeviceGarbled):
            read(data)
    line = pjlink.read_line(data)
    for word in PJLINK_WORDS:
        with suppress(DeviceGarbled):
            word(line.text)


MDC = (
    mdc.answer(1, mdc.STATUS, bytes([1, 20, 0, 0x21, 16, 0, 0])), mdc.answer(1, mdc.FAULTS, bytes([0, 0, 0, 0, 36, 0])),
    mdc.answer(1, mdc.MODEL, b"QM55R"), mdc.answer(1, mdc.POWER, b"\x01", done=False), mdc.answer(2, 0x25, b"\x30"),
)  # fmt: skip
MDC_DATA = (mdc.read_status, mdc.read_faults, mdc.read_mute, mdc.read_level, mdc.read_panel_hours, mdc.read_text)


def take_mdc(data: bytes) -> None:
    """Frames, answers, and the bytes as each value."""
    for frame in mdc.Framer().feed(data):
        with suppress(DeviceGarbled):
            mdc.read_answer(frame)
    for read in MDC_DATA:
        with suppress(DeviceGarbled):
            read(data)
