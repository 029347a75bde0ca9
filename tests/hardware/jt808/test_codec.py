"""JT/T 808's codec: other people's frames, an encoder from the standard's text, and damage."""

from __future__ import annotations

import itertools
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hardware.jt808 import terminal
from wanmi.coords import Point, distance_m, from_wgs84
from wanmi.errors import DeviceGarbled
from wanmi_hardware.jt808 import messages as m
from wanmi_hardware.jt808.frames import LONGEST, Frame, FrameReader, read_frame, write_frame
from wanmi_hardware.jt808.parts import MOST_OPEN, Joiner
from wanmi_hardware.jt808.taking import VEHICLE_RULES, Vehicle, batch_of, fix_of, readings_of, sample_of

RECORDED = Path(__file__).parent / "recorded" / "frames.txt"
NOW = 1_790_000_000_000_000


def recorded(name: str) -> Frame:
    lines = dict(line.split() for line in RECORDED.read_text().splitlines())
    (raw,) = FrameReader().feed(bytes.fromhex(lines[name]))
    return read_frame(raw)


def only(data: bytes) -> Frame:
    (raw,) = FrameReader().feed(data)
    return read_frame(raw)


def test_a_real_terminals_report() -> None:
    frame = recorded("terminal_2018")
    assert (frame.kind, frame.phone, frame.serial) == (0x0200, "40021682087", 0x1D0C)
    said = m.read_location(frame.body)
    assert (said.lon_e7, said.lat_e7, said.acc_on) == (1_137_926_640, 227_687_500, False)
    assert (said.mileage, said.signal, said.satellites, said.altitude_m) == (347_261, 29, 13, 30)
    assert said.systems == ("GP", "BD")


def test_another_librarys_frames() -> None:
    said = m.read_location(recorded("location_2013").body)
    assert (said.lon_e7, said.lat_e7, said.alarms) == (1_324_444_440, 122_222_220, ("emergency",))
    assert (said.altitude_m, said.speed_cm_s, said.fuel, said.mileage) == (40, 167, 125, 100)
    assert said.made_at == 1_539_569_410_000_000, "2018-10-15 10:10:10 in Beijing"
    old = m.read_registration(recorded("register_2013"))
    assert (old.maker, old.plate) == ("12340", "粤A12345")
    frame = recorded("register_2019")
    assert (frame.is_2019, frame.phone, m.read_registration(frame).plate) == (True, "123456789", "粤A12345")


@pytest.mark.parametrize("new", [False, True])
def test_every_message_by_an_independent_encoder(new: bool) -> None:
    body = terminal.location(NOW, 123_429_304, 41_796_770, alarms=1 << 1 | 1 << 30)
    said = m.read_location(only(terminal.frame(0x0200, "13900000001", 7, body, new)).body)
    assert (said.lon_e7, said.lat_e7, said.made_at) == (1_234_293_040, 417_967_700, NOW)
    assert (said.alarms, said.acc_on, said.systems) == (("overspeed", "rollover"), True, ("GP", "BD"))
    assert (said.speed_cm_s, said.course_cdeg, said.mileage, said.signal) == (1000, 9000, 12_345, 31)
    register = m.read_registration(only(terminal.frame(0x0100, "1", 1, terminal.register(new), new)))
    assert (register.maker, register.model, register.serial, register.plate) == ("KTMAK", "M-1", "0000042", "辽A12345")
    assert m.read_code(only(terminal.frame(0x0102, "1", 1, terminal.authenticate("abc", new), new))) == "abc"
    locations = m.read_batch(terminal.batch([body, body]))
    assert [one.lon_e7 for one in locations] == [1_234_293_040] * 2


def test_south_and_west_and_not_located() -> None:
    said = m.read_location(terminal.location(NOW, 70_000_000, 33_000_000, status=0x0E))
    assert (said.lon_e7, said.lat_e7, said.acc_on) == (-700_000_000, -330_000_000, False)
    assert m.read_location(terminal.location(NOW, 0, 0, status=0)).lon_e7 is None


def test_what_cannot_be_is_no_valid_fix() -> None:
    def state(body: bytes) -> tuple[str, int | None]:
        fix = fix_of(m.read_location(body), "WGS84", NOW)
        return fix.state, fix.lon_e7

    assert state(terminal.location(NOW, 0, 0)) == ("implausible", None)
    assert state(terminal.location(NOW, 123_000_000, 41_000_000, status=0x23)) == ("implausible", None)
    assert state(terminal.location(NOW + 600_000_000, 123_000_000, 41_000_000))[0] == "implausible"
    late = terminal.location(NOW - 600_000_000, 123_000_000, 41_000_000)
    assert state(late)[0] == "stale"
    kept = batch_of("1", Vehicle(), m.read_batch(terminal.batch([late])), "WGS84", NOW)
    assert [one.state for one in kept.fixes] == ["valid"], "a kept position belongs to the track"
    with pytest.raises(DeviceGarbled, match="a position of"):
        m.read_location(terminal.location(NOW, 181_000_000, 0))


def test_gcj02_is_turned_to_wgs84() -> None:
    true = Point(1_234_293_040, 417_967_700)
    shifted = from_wgs84(true, "GCJ02")
    said = m.read_location(terminal.location(NOW, round(shifted.lon_e7 / 10), round(shifted.lat_e7 / 10)))
    fix = fix_of(said, "GCJ02", NOW)
    assert fix.lon_e7 is not None
    assert fix.lat_e7 is not None
    assert distance_m(true, Point(fix.lon_e7, fix.lat_e7)) < 0.2


def test_alarms_and_ignition_are_events_when_they_change() -> None:
    vehicle = Vehicle()
    told = []
    for alarms, status in ((0, 3), (1, 3), (1, 2), (0, 2)):
        body = terminal.location(NOW, 123_000_000, 41_000_000, alarms=alarms, status=status)
        told.append([one.kind for one in sample_of("1", vehicle, m.read_location(body), "WGS84", NOW).events])
    assert told == [[], ["alarm.began"], ["acc.off"], ["alarm.ended"]]
    readings = {one.name: one.value for one in readings_of(m.read_location(body))}
    assert readings == {
        "acc": "off",
        "alarm": "none",
        "alarms": "none",
        "mileage": 1234.5,
        "signal": 31.0,
        "satellites.used": 12.0,
    }


PHONES = st.integers(1, 10**11).map(str)


@given(
    PHONES, st.integers(0, 0xFFFF), st.binary(max_size=1023), st.booleans(), st.lists(st.integers(0, 4000), max_size=9),
    st.binary(max_size=80).map(lambda noise: noise.replace(b"\x7e", b"")),
)  # fmt: skip
def test_frames_come_through_cut_and_between_noise(
    phone: str, serial: int, body: bytes, new: bool, cuts: list[int], noise: bytes
) -> None:
    ours = write_frame(Frame(0x0900, phone, serial, body, new))
    theirs = terminal.frame(0x0900, phone, serial, body, new)
    assert ours == theirs
    data = theirs + noise + theirs
    edges = sorted({0, len(data), *(one % len(data) for one in cuts)})
    reader, found = FrameReader(), []
    for a, b in itertools.pairwise(edges):
        for raw in reader.feed(data[a:b]):
            with suppress(DeviceGarbled):
                found.append(read_frame(raw))
    assert [one for one in found if one.kind == 0x0900 and one.body == body] == [
        Frame(0x0900, phone, serial, body, new)
    ] * 2


GOOD = terminal.frame(0x0200, "13900000001", 9, terminal.location(NOW, 123_429_304, 41_796_770))


@given(st.integers(1, len(GOOD) - 2), st.integers(1, 255))
def test_one_damaged_byte_never_gives_another_place(at: int, change: int) -> None:
    data = bytearray(GOOD)
    data[at] ^= change
    for raw in FrameReader().feed(bytes(data)):
        try:
            frame = read_frame(raw)
        except DeviceGarbled:
            continue
        assert frame.body == only(GOOD).body, "what passes the check byte is what was sent"


@given(st.one_of(st.binary(max_size=200), st.binary(min_size=30, max_size=60)), st.booleans())
def test_bodies_raise_nothing_but_garbled(body: bytes, new: bool) -> None:
    frame = Frame(0x0100, "1", 1, body, new)
    for read in (m.read_location, m.read_batch, m.read_media, m.read_media_event):
        with suppress(DeviceGarbled):
            read(body)
    for read_whole in (m.read_registration, m.read_code):
        with suppress(DeviceGarbled):
            read_whole(frame)
    with suppress(DeviceGarbled):
        read_frame(body)
    with suppress(DeviceGarbled):
        fix = fix_of(m.read_location(body), "GCJ02", NOW)
        assert (fix.lon_e7, fix.lat_e7) != (0, 0)


@given(st.binary(min_size=LONGEST + 1, max_size=LONGEST + 4000).map(lambda data: data.replace(b"\x7e", b"\x00")))
def test_memory_is_bounded(noise: bytes) -> None:
    reader = FrameReader()
    assert reader.feed(noise) == []
    assert reader.feed(noise) == []
    assert [read_frame(one) for one in reader.feed(GOOD) if one] == [only(GOOD)]


@given(st.permutations(range(1, 7)), st.lists(st.integers(1, 6), max_size=6))
def test_parts_are_joined_in_any_order_and_twice(order: list[int], again: list[int]) -> None:
    joiner = Joiner()
    parts = {n: Frame(0x0801, "1", (0xFFFD + n) & 0xFFFF, bytes([n]) * 9, parts=6, part=n) for n in range(1, 7)}
    whole = [joiner.take(parts[n]) for n in [*order[:-1], *(n for n in again if n != order[-1]), order[-1]]]
    assert whole[-1] is not None
    assert whole[-1].body == b"".join(bytes([n]) * 9 for n in range(1, 7))
    assert all(one is None for one in whole[:-1])


def test_open_messages_are_bounded() -> None:
    joiner = Joiner()
    for n in range(100):
        assert joiner.take(Frame(0x0801, "1", n * 10 + 1, b"x", parts=2, part=1)) is None
    assert len(joiner._open) == MOST_OPEN


def test_a_button_pressed_while_there_was_no_link_is_told_once() -> None:
    car = Vehicle()
    live = m.read_location(terminal.location(NOW - 600 * 1_000_000, 123_429_304, 41_796_770))
    sample_of("1", car, live, "WGS84", NOW)
    pressed = [
        terminal.location(NOW - n * 1_000_000, 123_429_304, 41_796_770, alarms=1 if n == 60 else 2) for n in (60, 30)
    ]
    first = batch_of("1", car, m.read_batch(terminal.batch(pressed)), "WGS84", NOW)
    assert [(one.name, one.value) for one in first.readings] == [("alarms", "emergency")], "overspeed is of then"
    again = batch_of("1", car, m.read_batch(terminal.batch(pressed)), "WGS84", NOW)
    assert again.readings == ()


def test_every_bit_is_an_alarm_or_an_event_on_purpose() -> None:
    named = {one.name.removeprefix("vehicle.") for one in VEHICLE_RULES}
    assert {name for name, _, _ in m.ALARMS.values()} - named == {"area", "route"}
    for rule in VEHICLE_RULES:
        word = rule.name.removeprefix("vehicle.")
        assert rule.is_wrong(f"overspeed {word}", raised=False)
        assert not rule.is_wrong("none", raised=True)
