"""From noisy bytes to fixes: nothing is lost at a damaged place but the damaged sentence, (0, 0) is never a fix."""

from __future__ import annotations

from functools import reduce
from importlib import resources

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wanmi.clock import SECOND
from wanmi.coords import Point
from wanmi_terminal.nmea import Fix, FixFilter, Framer, Reader, Sight, sights

SAMPLES = resources.files("wanmi_terminal") / "samples"


def sentence(body: str) -> bytes:
    checksum = reduce(lambda a, b: a ^ b, body.encode())
    return f"${body}*{checksum:02X}\r\n".encode()


def rmc(lat: str = "4147.4000,N", lon: str = "12324.0000,E", status: str = "A", day: str = "241126") -> bytes:
    return sentence(f"GPRMC,010203.00,{status},{lat},{lon},0.1,0.0,{day},,,A")


GGA = sentence("GPGGA,010203.00,4147.4000,N,12324.0000,E,1,09,1.2,50.0,M,0.0,M,,")
AT = 1_795_482_123 * SECOND
POINT = Point(1_234_000_000, 417_900_000)

bodies = st.text(alphabet=st.characters(min_codepoint=0x20, max_codepoint=0x7E, exclude_characters="$!"), max_size=80)
noise = st.binary(max_size=30).map(lambda b: bytes(c for c in b if c not in b"$!"))


def read(data: bytes) -> list[Sight]:
    return list(sights([data]))


@given(st.lists(st.tuples(noise, bodies)), noise, st.data())
def test_sentences_are_found_between_noise_however_the_bytes_are_cut(
    pieces: list[tuple[bytes, str]], tail: bytes, data: st.DataObject
) -> None:
    stream = b"".join(noisy + b"$" + body.encode() + b"\r\n" for noisy, body in pieces) + tail
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=5)))
    framer, found = Framer(), []
    for a, b in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        found += framer.feed(stream[a:b])
    assert found == ["$" + body for _, body in pieces]


@given(st.binary(max_size=200))
def test_any_bytes_pass_through(data: bytes) -> None:
    assert all(sight.fix is None or abs(sight.fix.point.lat_e7) <= 900_000_000 for sight in read(data))


def test_a_sentence_begins_anew_inside_a_broken_one() -> None:
    assert Framer().feed(b"$GPRMC,0102$GPGGA,1\r\n") == ["$GPGGA,1"]
    assert Framer().feed(b"$" + b"x" * 200 + b"\r\n$GPGGA,1\r\n") == ["$GPGGA,1"]


def test_a_fix_is_exact_and_carries_what_the_gga_said() -> None:
    (sight,) = read(GGA + rmc())
    assert sight == Sight(Fix(POINT, AT, 9, 360), AT)


def test_south_and_west_are_negative() -> None:
    (sight,) = read(rmc("2712.6404,S", "00518.8169,W"))
    assert sight.fix is not None
    assert sight.fix.point == Point(-53_136_150, -272_106_733)


@pytest.mark.parametrize(
    "data",
    [
        rmc(status="V"),
        rmc(lat=",", lon=","),
        rmc(lat="0000.0000,", lon="00000.0000,"),
        rmc(lat="9947.4000,N"),
        rmc(lat="nonsense,N"),
        GGA.replace(b"E,1,09", b"E,0,00").replace(GGA[-5:], b"") + b"*00\r\n" + rmc(status="V"),
    ],
    ids=["void", "empty", "no direction", "beyond the pole", "no number", "no quality"],
)
def test_no_fix(data: bytes) -> None:
    assert [sight.fix for sight in read(data)] == [None]


def test_a_gga_without_quality_voids_the_rmc_beside_it() -> None:
    gga = sentence("GPGGA,010203.00,4147.4000,N,12324.0000,E,0,00,,,M,,M,,")
    assert [sight.fix for sight in read(gga + rmc())] == [None]


def test_a_damaged_sentence_is_counted_and_passed_over() -> None:
    reader = Reader()
    assert reader.read(rmc().decode().strip().replace("4147", "4148")) is None
    assert reader.read("$GPXXX,1,2*00") is None
    assert reader.refused == 2


def test_an_empty_date_gives_a_fix_without_time() -> None:
    (sight,) = read(rmc(day=""))
    assert sight == Sight(Fix(POINT, None), None)


@pytest.mark.parametrize(
    ("fix", "doubt"),
    [
        (None, "no_fix"),
        (Fix(Point(0, 0), AT), "null_island"),
        (Fix(POINT, AT), None),
        (Fix(POINT, None), None),
        (Fix(POINT, AT + 301 * SECOND), "future"),
        (Fix(POINT, AT - 31 * SECOND), "stale"),
    ],
)
def test_the_validity_layer_names_its_doubt(fix: Fix | None, doubt: str | None) -> None:
    assert FixFilter().doubt(Sight(fix, AT), AT) == doubt


def test_a_jump_is_doubted_once_and_then_taken_for_the_new_place() -> None:
    check = FixFilter()
    far = Point(POINT.lon_e7 + 1_000_000, POINT.lat_e7)
    assert check.doubt(Sight(Fix(POINT, AT), AT), AT) is None
    assert check.doubt(Sight(Fix(far, AT + SECOND), AT), AT + SECOND) == "jump"
    assert check.doubt(Sight(Fix(far, AT + 2 * SECOND), AT), AT + 2 * SECOND) is None


def test_the_samples() -> None:
    searching = read((SAMPLES / "haicom-305n.log").read_bytes())
    assert (sum(s.fix is None for s in searching), sum(s.fix is not None for s in searching)) == (6, 30)
    standing = read((SAMPLES / "ublox-8.log").read_bytes())
    assert [s.fix is not None for s in standing] == [True] * 14
