"""Back-off, Retry-After, quiet hours and caps: for any numbers, and for a few that were worked out by hand."""

from __future__ import annotations

from datetime import datetime
from email.utils import format_datetime

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from wanmi.clock import SECOND
from wanmi_messenger.pacing import LONGEST_ASKED, MINUTE, ZONE, BackOff, RateCap, quiet_until, retry_after

CHANCES = st.integers(0, 65_535)
BACK_OFFS = st.builds(BackOff, st.integers(1, 3600), st.integers(1, 7 * 86_400), st.integers(1, 100))
TIMES = st.integers(0, 4_000_000_000).map(lambda seconds: seconds * SECOND)


def at(text: str) -> int:
    """µs UTC of a local time."""
    return int(datetime.fromisoformat(text).replace(tzinfo=ZONE).timestamp()) * SECOND


def test_delays_double_to_the_longest() -> None:
    back_off = BackOff(30, 600, 12)
    assert [back_off.delay(n, None, 65_535) for n in range(1, 8)] == [30, 60, 120, 240, 480, 600, 600]
    assert [back_off.delay(n, None, 0) for n in range(1, 8)] == [15, 30, 60, 120, 240, 300, 300]


@given(BACK_OFFS, st.integers(1, 200), CHANCES)
def test_a_delay_lies_between_half_and_the_whole(back_off: BackOff, tries: int, chance: int) -> None:
    whole = min(back_off.first * 2 ** (tries - 1), back_off.longest)
    assert whole / 2 <= back_off.delay(tries, None, chance) <= whole
    assert back_off.delay(tries, None, chance) >= 1


@given(BACK_OFFS, st.integers(1, 99), CHANCES)
def test_delays_never_shrink(back_off: BackOff, tries: int, chance: int) -> None:
    assert back_off.delay(tries, None, chance) <= back_off.delay(tries + 1, None, chance)


@given(BACK_OFFS, st.integers(1, 20), CHANCES, st.integers(0, 10**9))
def test_what_the_peer_asks_for_is_waited_for_a_day_at_most(
    back_off: BackOff, tries: int, chance: int, asked: int
) -> None:
    delay = back_off.delay(tries, asked, chance)
    assert delay == max(min(asked, LONGEST_ASKED), back_off.delay(tries, None, chance))


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("120", 120),
        (" 7 ", 7),
        ("0", 0),
        ("-5", None),
        ("soon", None),
        ("", None),
        (None, None),
        ("1.5", None),
        ("٣", None),
    ],
)
def test_retry_after_in_seconds(text: str | None, seconds: int | None) -> None:
    assert retry_after(text, 0) == seconds


@given(st.integers(0, 2_000_000_000), st.integers(-1000, 100_000))
def test_retry_after_as_a_date(now: int, later: int) -> None:
    assume(now + later >= 0)
    date = format_datetime(datetime.fromtimestamp(now + later, ZONE))
    assert retry_after(date, now * SECOND) == max(0, later)


@given(st.text(max_size=40), TIMES)
def test_retry_after_takes_any_text(text: str, now: int) -> None:
    found = retry_after(text, now)
    assert found is None or found >= 0


def test_quiet_hours_over_midnight() -> None:
    spans = ("22:00-07:00",)
    assert quiet_until(at("2026-11-24T22:00"), spans) == at("2026-11-25T07:00")
    assert quiet_until(at("2026-11-25T06:59"), spans) == at("2026-11-25T07:00")
    assert quiet_until(at("2026-11-25T07:00"), spans) is None
    assert quiet_until(at("2026-11-24T21:59"), spans) is None


def test_quiet_hours_within_a_day() -> None:
    spans = ("12:00-14:00", "13:30-15:00")
    assert quiet_until(at("2026-11-24T12:30"), spans) == at("2026-11-24T14:00")
    assert quiet_until(at("2026-11-24T13:45"), spans) == at("2026-11-24T15:00")
    assert quiet_until(at("2026-11-24T15:00"), spans) is None
    assert quiet_until(at("2026-11-24T15:00"), ()) is None


CLOCKS = st.times(timezones=st.none()).map(lambda time: time.strftime("%H:%M"))


@given(TIMES, CLOCKS, CLOCKS)
def test_quiet_hours_end_and_do_not_begin_again_at_once(now: int, begin: str, end: str) -> None:
    assume(begin != end)
    until = quiet_until(now, (f"{begin}-{end}",))
    if until is not None:
        assert now < until <= now + 24 * 60 * MINUTE
        assert quiet_until(until, (f"{begin}-{end}",)) is None


@given(st.integers(1, 20), st.lists(st.integers(0, 20 * SECOND), max_size=100))
def test_no_minute_has_more_tries_than_the_cap(per_minute: int, gaps: list[int]) -> None:
    cap, now, tried = RateCap(per_minute), 0, []
    for gap in gaps:
        now = cap.free_at(now + gap)
        cap.note(now)
        tried.append(now)
    for begin in tried:
        assert sum(begin <= one < begin + MINUTE for one in tried) <= per_minute


def test_a_cap_remembers_over_a_restart() -> None:
    assert RateCap(2, [100, 50]).free_at(200) == 50 + MINUTE
    assert RateCap(3, [100, 50]).free_at(200) == 200
