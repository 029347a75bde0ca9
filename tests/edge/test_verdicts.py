"""The judge: whatever comes gets a verdict, nothing raises."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.street import CITY_POINT, Street
from wanmi.codes import Profile
from wanmi.coords import Point, from_wgs84
from wanmi.reports import Box, Known, Reason, decode_report, part_topic, report_topic
from wanmi.settings import RegionSettings
from wanmi_edge.settings import IntakeSettings
from wanmi_edge.verdicts import Everywhere, Good, Judge, Junk, No, Part, bounds_of, rules_of

STREET, GONE = Street("T210102-0001"), Street("T210102-0002")
BOOK = {STREET.id: Known(STREET.public), GONE.id: Known(GONE.public, revoked=True)}
RULES = rules_of("21010201", RegionSettings(), IntakeSettings(), Profile.load)
JUDGE = Judge(RULES, BOOK.get)
NOW = 1_795_500_000_000_000


def judge(topic: str, payload: bytes, content_type: str = "application/json") -> Any:
    return JUDGE.judge(topic, payload, content_type, NOW)


def signed(**changes: Any) -> bytes:
    return STREET.signed(**{"made_at": NOW, "fix_at": NOW, **changes})[1]


topics = st.one_of(
    st.text(max_size=60),
    st.sampled_from([report_topic(STREET.id), report_topic(GONE.id), part_topic(STREET.id, "ab" * 32)]),
    st.sampled_from([f"wanmi/v1/{STREET.id}/part/{'ab' * 32}/9/2", f"wanmi/v1/{STREET.id}\n/report"]),
)
payloads = st.one_of(
    st.binary(max_size=300),
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=10),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    ).map(lambda value: json.dumps(value).encode()),
)


@given(topics, payloads, st.sampled_from(["application/json", "", "application/cbor"]))
def test_anything_at_all_gets_a_verdict(topic: str, payload: bytes, content_type: str) -> None:
    assert isinstance(judge(topic, payload, content_type), Junk | Part)


@given(st.integers(0, 900), st.integers(0, 7))
def test_one_flipped_bit_never_changes_what_is_taken(byte: int, bit: int) -> None:
    good = signed()
    payload = bytearray(good)
    payload[byte % len(payload)] ^= 1 << bit
    verdict = judge(report_topic(STREET.id), bytes(payload))
    if isinstance(verdict, Good):
        assert verdict.report.envelope == decode_report(good).envelope
    else:
        assert isinstance(verdict, Junk)


def test_a_good_report_is_good_and_stays_what_was_signed() -> None:
    payload = signed()
    verdict = judge(report_topic(STREET.id), payload)
    assert isinstance(verdict, Good)
    assert verdict.report.envelope == decode_report(payload).envelope


def test_the_datum_counts_at_the_border() -> None:
    border = Point(RULES.bounds.east, CITY_POINT[1])  # type: ignore[attr-defined]
    shifted = from_wgs84(border, "GCJ02")
    inside = signed(lon_e7=shifted.lon_e7 - 200, lat_e7=shifted.lat_e7, datum="GCJ02")
    outside = signed(lon_e7=shifted.lon_e7, lat_e7=shifted.lat_e7)
    assert isinstance(judge(report_topic(STREET.id), inside), Good)
    verdict = judge(report_topic(STREET.id), outside)
    assert isinstance(verdict, No)
    assert verdict.reason is Reason.OUTSIDE_CITY


def test_revoked_is_junk_for_reports_and_for_parts() -> None:
    report = GONE.signed(made_at=NOW, fix_at=NOW)[1]
    for topic, payload in ((report_topic(GONE.id), report), (part_topic(GONE.id, "ab" * 32), b"x")):
        verdict = judge(topic, payload)
        assert isinstance(verdict, Junk)
        assert verdict.reason == Reason.REVOKED_TERMINAL


def test_a_report_id_is_named_only_by_the_terminal_itself() -> None:
    other = Street("T210102-0003")
    verdict = judge(report_topic(STREET.id), other.signed(made_at=NOW, fix_at=NOW)[1])
    assert isinstance(verdict, Junk)
    assert (verdict.reason, verdict.report_id) == (Reason.WRONG_TERMINAL, None)


@pytest.mark.parametrize("code", ["210102", "21010201", "210100"])
def test_without_a_setting_the_city_is_the_box_around_its_districts(code: str) -> None:
    bounds = bounds_of(code, RegionSettings())
    assert isinstance(bounds, Box)
    assert bounds.covers(Point(*CITY_POINT))
    assert not bounds.covers(Point(1_164_000_000, 399_000_000))


def test_the_setting_goes_before_and_an_unknown_city_has_no_bounds() -> None:
    bounds = bounds_of("210102", RegionSettings(bbox=(1.0, 2.0, 3.0, 4.0)))
    assert bounds == Box(10_000_000, 20_000_000, 30_000_000, 40_000_000)
    assert isinstance(bounds_of("110101", RegionSettings()), Everywhere)
