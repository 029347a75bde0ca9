"""Walks: recorded ones are walked again, elsewhere if wanted, at an even pace."""

from __future__ import annotations

import itertools
from importlib import resources
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wanmi.coords import Point, distance_m
from wanmi.errors import BadInput
from wanmi.ids import SeededIds
from wanmi_terminal.nmea import Fix
from wanmi_terminal.track import Track, read_gpx, read_nmea, shifted, walk
from wanmi_terminal.walking import Round, drafts, parse_categories

SAMPLES = Path(str(resources.files("wanmi_terminal") / "samples"))
SHENYANG = Point(1_234_300_000, 417_900_000)
EMPTY_SEGMENT = """<?xml version="1.0"?><gpx version="1.1" creator="test" xmlns="http://www.topografix.com/GPX/1/1">
<trk><trkseg><trkpt lat="0" lon="0"/><trkpt lat="41.7900000" lon="123.4000001"/></trkseg><trkseg></trkseg>
<trkseg><trkpt lat="41.79" lon="123.41"><time>not a time</time></trkpt></trkseg></trk></gpx>"""

points = st.builds(Point, st.integers(1_228_000_000, 1_239_000_000), st.integers(411_000_000, 430_000_000))


def test_a_gpx_with_odd_times_is_walked() -> None:
    track = read_gpx(SAMPLES / "mojstrovka.gpx")
    assert (len(track.legs), len(track.legs[0]), track.start) == (1, 184, Point(137_482_730, 464_349_810))


def test_empty_segments_and_null_points_are_passed_over(tmp_path: Path) -> None:
    file = tmp_path / "walk.gpx"
    file.write_text(EMPTY_SEGMENT)
    legs = read_gpx(file).legs
    assert [[fix.point for fix in leg] for leg in legs] == [
        [Point(1_234_000_001, 417_900_000)],
        [Point(1_234_100_000, 417_900_000)],
    ]


@pytest.mark.parametrize("content", ["", "no xml", "<gpx></gpx>"])
def test_what_is_no_walk_is_bad_input(content: str, tmp_path: Path) -> None:
    file = tmp_path / "walk"
    file.write_text(content)
    with pytest.raises(BadInput, match="walk"):
        read_gpx(file)
    with pytest.raises(BadInput, match="walk"):
        read_nmea(file)


def test_a_log_that_searches_first_gives_its_fixes_only() -> None:
    track = read_nmea(SAMPLES / "haicom-305n.log")
    assert [len(leg) for leg in track.legs] == [30]


def test_a_shifted_walk_keeps_its_shape_on_the_ground() -> None:
    track = read_gpx(SAMPLES / "mojstrovka.gpx")
    moved = shifted(track, SHENYANG)
    assert moved.start == SHENYANG
    for (a, b), (c, d) in zip(itertools.pairwise(track.legs[0]), itertools.pairwise(moved.legs[0]), strict=True):
        assert distance_m(c.point, d.point) == pytest.approx(distance_m(a.point, b.point), rel=0.01, abs=0.1)


@given(st.lists(points, min_size=1, max_size=5), st.integers(5, 500))
def test_a_walk_has_an_even_pace_and_never_ends(corners: list[Point], step: int) -> None:
    leg = tuple(Fix(point, None) for point in corners)
    steps = list(itertools.islice(walk(Track((leg,)), step), 60))
    assert steps[0].point == corners[0]
    assert all(distance_m(a.point, b.point) <= step * 1.01 + 0.1 for a, b in itertools.pairwise(steps))


def test_a_seed_repeats_a_round() -> None:
    track = read_gpx(SAMPLES / "mojstrovka.gpx")
    plan = Round(parse_categories("E0102,C0101", "event"), photo_every=3, photo=lambda: b"\xff\xd8\xff")

    def some(seed: int) -> list[object]:
        return list(itertools.islice(drafts(walk(track, 30), plan, SeededIds(seed)), 20))

    assert some(1) == some(1)
    assert some(1) != some(2)
    assert [bool(draft.photos) for draft in itertools.islice(drafts(walk(track, 30), plan, SeededIds(1)), 6)] == [
        False, False, True, False, False, True,
    ]  # fmt: skip


def test_categories() -> None:
    assert parse_categories("E0102, c0101,0201", "event") == (
        ("event", "0102"),
        ("component", "0101"),
        ("event", "0201"),
    )
    with pytest.raises(BadInput, match="E0102 for an event"):
        parse_categories("X1", "event")
