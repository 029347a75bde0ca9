"""Bytes to fixes: recorded receivers, properties that cut, join and corrupt, and what cannot be."""

from __future__ import annotations

import dataclasses
import itertools
from collections import Counter
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hardware.gnss.saying import epoch, gga, no_fix, place, rmc, sentence
from wanmi.coords import Point, distance_m
from wanmi.devices import Fix, Sample
from wanmi.errors import DeviceGarbled
from wanmi_hardware.gnss.epochs import EpochBuilder
from wanmi_hardware.gnss.framer import LONGEST, Framer
from wanmi_hardware.gnss.listening import Listening
from wanmi_hardware.gnss.sentences import read_sentence
from wanmi_hardware.gnss.settings import SerialSettings
from wanmi_hardware.gnss.validity import Bounds, Judge

RECORDED = Path(__file__).parent / "recorded"
SECOND = 1_000_000
NOW = 1_790_000_000 * SECOND
LON, LAT = 1_234_293_041, 417_967_700
SETTINGS = SerialSettings(path="x", every=0.05)


def fixes(stream: list[tuple[bytes, int]]) -> list[Fix]:
    """The fixes of chunks that came at a time each."""
    listening = Listening(SETTINGS)
    samples: list[Sample] = []
    for chunk, at in stream:
        samples += listening.feed(chunk, at)
    samples += listening.pause()
    return [fix for sample in samples for fix in sample.fixes]


def walk(seconds: int, start: int = NOW) -> list[tuple[bytes, int]]:
    """An epoch a second, some 10 m apart, each arriving 0.2 s late."""
    return [(epoch(start + n * SECOND, LON + n * 1000, LAT), start + n * SECOND + 200_000) for n in range(seconds)]


@pytest.mark.parametrize(
    ("name", "epochs", "garbled", "states", "systems"),
    [
        ("bundg_zeus_9.log", 150, 0, {"valid": 150}, {(), ("GL", "GP")}),
        ("haicom-305N.log", 74, 0, {"no_fix": 6, "valid": 68}, {(), ("GP",)}),
        ("ublox-8.log", 72, 1, {"valid": 72}, {("GL", "GP")}),
    ],
)  # fmt: skip
def test_recorded_receivers(
    name: str, epochs: int, garbled: int, states: dict[str, int], systems: set[tuple[str, ...]]
) -> None:
    builder, judge, bad, found = EpochBuilder(), Judge(Bounds()), 0, []
    for raw in Framer().feed((RECORDED / name).read_bytes()):
        try:
            said = read_sentence(raw)
        except DeviceGarbled:
            bad += 1
            continue
        found += [builder.take(said, 0)] if said is not None else []
    joined = [one for one in (*found, builder.flush()) if one is not None]
    told = [judge.judge(dataclasses.replace(one, arrived_at=(one.made_at or 0) + SECOND)) for one in joined]
    assert (len(joined), bad) == (epochs, garbled)
    assert Counter(one.state for one in told) == states
    assert {one.systems for one in told} == systems
    assert all(one.lon_e7 is None and one.lat_e7 is None for one in told if one.state == "no_fix")


def test_an_epoch_joins_its_sentences() -> None:
    listening = Listening(SETTINGS)
    assert listening.feed(epoch(NOW, LON, LAT), NOW + 200_000) == []
    (sample,) = listening.pause()
    (fix,) = sample.fixes
    assert (fix.state, fix.made_at, fix.systems) == ("valid", NOW, ("BD", "GP"))
    assert fix.lon_e7 is not None
    assert abs(fix.lon_e7 - LON) <= 2
    assert (fix.speed_cm_s, fix.course_cdeg, fix.altitude_cm, fix.hdop, fix.satellites) == (643, 8440, 4520, 90, 9)
    told = {one.name: one.value for one in sample.readings}
    assert told == {
        "fix.state": "valid", "fix.kind": "3d", "satellites.used": 9.0, "satellites.used.beidou": 4.0,
        "satellites.used.gps": 3.0, "hdop": 0.9, "snr.best": 46.0, "snr.mean": 41.6, "clock.offset": -200.0,
        "clock.skew": 200.0, "clock.uncertainty": 500.0, "sentences.garbled": 0.0,
    }  # fmt: skip


@pytest.mark.parametrize("talker", ["GP", "GN", "GL", "GA", "GB", "BD", "GQ"])
def test_every_talker_gives_positions(talker: str) -> None:
    (fix,) = fixes([(gga(NOW, LON, LAT, talker=talker) + rmc(NOW, LON, LAT, talker=talker), NOW)])
    assert fix.state == "valid"


def test_beidou_has_one_name_whoever_speaks() -> None:
    for head, tail in (("BDGSA", ""), ("GBGSA", ""), ("GNGSA", ",4")):
        said = read_sentence(sentence(f"{head},A,3,19,22,,,,,,,,,,,1.6,0.9,1.3{tail}")[1:-2])
        assert said is not None
        assert said.used == (("BD", "19"), ("BD", "22"))


def test_gns_says_which_systems_have_a_fix() -> None:
    body = f"GNGNS,{'120000.00'},{place(LON, LAT)},NND,07,1.1,40.0,8.0,,"
    said = read_sentence(sentence(body)[1:-2])
    assert said is not None
    assert (said.has_fix, said.how) == (True, "differential")
    said = read_sentence(sentence(body.replace("NND", "NNN"))[1:-2])
    assert said is not None
    assert said.has_fix is False


def test_no_fix_has_no_position_and_never_zero_zero() -> None:
    for chunk in (
        no_fix(NOW), gga(NOW, LON, LAT, quality=0), rmc(NOW, LON, LAT, status="V"), gga(NOW, LON, LAT, quality=6),
        gga(NOW, 0, 0, quality=0) + rmc(NOW, LON, LAT),
    ):  # fmt: skip
        (fix,) = fixes([(chunk, NOW)])
        assert (fix.state, fix.lon_e7, fix.lat_e7) == ("no_fix", None, None)
    (fix,) = fixes([(gga(NOW, 0, 0) + rmc(NOW, 0, 0), NOW)])
    assert (fix.state, fix.lon_e7, fix.lat_e7) == ("implausible", None, None)


def test_a_jump_is_doubted_until_positions_agree_on_it() -> None:
    far = [(epoch(NOW + (10 + n) * SECOND, LON + 30_000_000, LAT), NOW + (10 + n) * SECOND) for n in range(6)]
    found = fixes(walk(10) + far)
    assert [one.state for one in found] == ["valid"] * 10 + ["implausible"] * 4 + ["valid"] * 2
    assert found[10].reason.startswith("it jumped 248")


def test_one_false_position_changes_nothing() -> None:
    stream = walk(10)
    stream[5] = (epoch(NOW + 5 * SECOND, LON + 30_000_000, LAT), stream[5][1])
    assert [one.state for one in fixes(stream)] == ["valid"] * 5 + ["implausible"] + ["valid"] * 4


def test_times_that_cannot_be() -> None:
    (future,) = fixes([(epoch(NOW + 3600 * SECOND, LON, LAT), NOW)])
    assert (future.state, future.reason) == ("implausible", "its time is 3600 s ahead of this node's")
    (past,) = fixes([(epoch(NOW - 3600 * SECOND, LON, LAT), NOW)])
    assert (past.state, past.reason) == ("stale", "its time is 3600 s behind this node's")


def test_a_receiver_whose_time_stands_still_is_stale() -> None:
    found = fixes([(epoch(NOW, LON, LAT), NOW + n * SECOND) for n in range(9)])
    assert [one.state for one in found] == ["valid"] * 6 + ["stale"] * 3
    assert found[-1].reason == "its time stands still since 8 s"


@pytest.mark.parametrize("spans", [1, 2])
def test_a_week_roll_over_is_seen_and_undone(spans: int) -> None:
    (fix,) = fixes([(epoch(NOW - spans * 1024 * 7 * 86_400 * SECOND, LON, LAT), NOW)])
    assert (fix.state, fix.made_at) == ("valid", NOW)
    assert fix.reason == f"week roll-over: its date is {spans * 1024} weeks too early"


def test_a_day_ends_while_no_date_comes() -> None:
    midnight = (NOW // (86_400 * SECOND) + 1) * 86_400 * SECOND
    first = [(rmc(midnight - 2 * SECOND, LON, LAT), midnight - 2 * SECOND)]
    later = [(gga(midnight + n * SECOND, LON, LAT), midnight + n * SECOND) for n in (-1, 0, 1)]
    assert [one.made_at for one in fixes(first + later)] == [midnight + n * SECOND for n in (-2, -1, 0, 1)]
    assert [one.made_at for one in fixes(later)] == [None] * 3, "nobody said which day it is"


def test_sentences_that_contradict_each_other() -> None:
    (fix,) = fixes([(gga(NOW, LON, LAT) + rmc(NOW, LON + 100_000, LAT), NOW)])
    assert (fix.state, fix.reason) == ("implausible", "its sentences give different positions for one moment")


def test_the_antenna_where_a_receiver_tells() -> None:
    for words, state in (
        ("GPTXT,01,01,01,ANTENNA OPEN", "open"), ("GNTXT,01,01,02,ANTSTATUS=OK", "ok"), ("PGTOP,11,1", "open"),
        ("GPTXT,01,01,01,ANTENNA SHORT", "short"),
    ):  # fmt: skip
        said = read_sentence(sentence(words)[1:-2])
        assert said is not None
        assert said.antenna == state
    assert read_sentence(sentence("GNTXT,01,01,02,u-blox AG - www.u-blox.com")[1:-2]) is None


def test_a_sentence_without_checksum_is_taken_only_where_it_is_allowed() -> None:
    bare = rmc(NOW, LON, LAT)[1:-5]
    with pytest.raises(DeviceGarbled, match="no checksum"):
        read_sentence(bare)
    said = read_sentence(bare, bare=True)
    assert said is not None
    assert said.has_fix


# -- properties --------------------------------------------------------------------------------------------

STREAM = b"".join(chunk for chunk, _ in walk(6))
TRUE = [Point(LON + n * 1000, LAT) for n in range(6)]


def chunks(data: bytes, cuts: list[int]) -> list[bytes]:
    edges = [0, *sorted(one % (len(data) + 1) for one in cuts), len(data)]
    return [data[a:b] for a, b in itertools.pairwise(edges)]


@given(st.binary(max_size=600), st.lists(st.integers(0, 10_000), max_size=20))
def test_framing_does_not_depend_on_how_bytes_are_cut(noise: bytes, cuts: list[int]) -> None:
    data = noise + epoch(NOW, LON, LAT) + noise + gga(NOW, LON, LAT)[:40] + rmc(NOW, LON, LAT)
    framer = Framer()
    found = [raw for chunk in chunks(data, cuts) for raw in framer.feed(chunk)]
    assert found == Framer().feed(data)
    assert framer.held <= LONGEST + 1
    assert rmc(NOW, LON, LAT)[1:-2] in found, "it resyncs inside a line"


@given(st.binary(max_size=400))
def test_no_sentence_raises_anything_else(raw: bytes) -> None:
    for bare in (True, False):
        with suppress(DeviceGarbled):
            read_sentence(raw, bare)


@pytest.mark.parametrize("day", ["4294967296,08,2018", "04,2147483648,2018", "04,08,99999999999"])
def test_a_date_too_long_for_a_number_is_garbled(day: str) -> None:
    """Found by the fuzzer: an OverflowError ended the receiver's session."""
    with pytest.raises(DeviceGarbled):
        read_sentence(sentence(f"GPZDA,094742.00,{day},00,00")[1:-2])


def test_a_manufacturers_sentence_that_ends_like_a_known_one_says_nothing() -> None:
    """Found by the fuzzer: pynmea2 takes it for a maker's own, which has no field ``lon``."""
    assert read_sentence(sentence("pNRMC,000947.00,A,4404.1,N,12118.8,W,0.1,,100117,,,A")[1:-2]) is None


FIELDS = st.lists(st.text("0123456789.ANEWSVD-", max_size=12), max_size=20).map(",".join)
KINDS = st.sampled_from(["GGA", "RMC", "GLL", "GNS", "GSA", "GSV", "VTG", "ZDA", "TXT"])


@given(st.lists(st.tuples(KINDS, FIELDS), max_size=8), st.integers(0, NOW * 2))
def test_rightly_summed_nonsense_gives_no_false_place(said: list[tuple[str, str]], at: int) -> None:
    data = b"".join(sentence(f"GP{kind},{fields}") for kind, fields in said)
    for fix in fixes([(data, at)]):
        assert (fix.lon_e7 is None) == (fix.lat_e7 is None)
        assert (fix.lon_e7, fix.lat_e7) != (0, 0)
        assert fix.lon_e7 is None or (abs(fix.lon_e7) <= 1_800_000_000 and abs(fix.lat_e7 or 0) <= 900_000_000)
        assert fix.state != "no_fix" or fix.lon_e7 is None


DAMAGE = st.lists(
    st.one_of(
        st.tuples(st.just("flip"), st.integers(0, len(STREAM) - 1), st.integers(1, 255)),
        st.tuples(st.just("drop"), st.integers(0, len(STREAM) - 1), st.integers(1, 200)),
        st.tuples(st.just("add"), st.integers(0, len(STREAM) - 1), st.integers(0, 255)),
    ),
    max_size=6,
)


@given(DAMAGE, st.lists(st.integers(0, len(STREAM)), max_size=12))
def test_damaged_streams_never_give_a_place_that_was_not_sent(
    damage: list[tuple[str, int, int]], cuts: list[int]
) -> None:
    data = bytearray(STREAM)
    for how, where, what in damage:
        at = where % max(len(data), 1)
        if how == "flip" and data:
            data[at] ^= what
        elif how == "drop":
            del data[at : at + what]
        else:
            data.insert(at, what)
    for fix in fixes([(chunk, NOW + 3 * SECOND) for chunk in chunks(bytes(data), cuts)]):
        if fix.state == "valid":
            assert fix.lon_e7 is not None
            assert fix.lat_e7 is not None
            there = Point(fix.lon_e7, fix.lat_e7)
            assert min(distance_m(there, one) for one in TRUE) < 1, fix
