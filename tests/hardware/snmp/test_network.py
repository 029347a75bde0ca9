"""Links: states, rates over wraps and restarts. Pure, with looks made by hand."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from hardware.snmp.test_cooking import OIDS, VARS
from support.snmp_agents import recordings, variables
from wanmi_hardware.snmp import network
from wanmi_hardware.snmp.interfaces import (
    ADMIN,
    IN_32,
    IN_64,
    IN_ERRORS,
    OPERATING,
    OUT_32,
    POLLED,
    SPEED,
    TICKS,
    Link,
    Look,
    has_restarted,
    links_of,
    readings_of,
)
from wanmi_hardware.snmp.values import Oid, Var

PORT = Link(3, "eth3", 1e9)
HUNDRED = Link(3, "eth3", 1e8)


def look(at: float, ticks: int | None, **counters: Var) -> Look:
    columns = {"in64": IN_64, "in32": IN_32, "out32": OUT_32, "errors": IN_ERRORS, "oper": OPERATING, "admin": ADMIN}
    return Look(at, ticks, {(*columns[name], 3): var for name, var in counters.items()})


def wide(value: int) -> Var:
    return Var("counter64", value)


def narrow(value: int) -> Var:
    return Var("counter", value)


def read(before: Look | None, now: Look, link: Link = PORT) -> dict[str, tuple[object, str]]:
    return {one.name: (one.value, one.quality) for one in readings_of([link], before, now)}


def test_a_rate_is_bits_a_second() -> None:
    said = read(look(100, 10_000, in64=wide(0)), look(110, 11_000, in64=wide(1_000_000)))
    assert said["link.3.in"] == (800_000.0, "good")


def test_the_first_look_gives_no_rate() -> None:
    assert "link.3.in" not in read(None, look(100, 1, in64=wide(5)))


def test_a_32_bit_counter_may_wrap_once() -> None:
    said = read(look(0, 0, in32=narrow(TICKS - 1_000_000)), look(10, 1_000, in32=narrow(1_000_000)), HUNDRED)
    assert said["link.3.in"] == (1_600_000.0, "good")


def test_a_64_bit_counter_that_runs_backwards_was_set_back() -> None:
    assert "link.3.in" not in read(look(0, 0, in64=wide(5_000)), look(10, 1_000, in64=wide(4_000)))


def test_more_than_the_link_carries_is_implausible() -> None:
    """A 32-bit counter of a fast link that was set back looks like a wrap."""
    said = read(look(0, 0, in32=narrow(3_000_000_000)), look(10, 1_000, in32=narrow(7)), HUNDRED)
    assert said["link.3.in"][1] == "implausible"


def test_after_a_restart_there_is_no_rate() -> None:
    said = read(look(0, 9_000_000, in64=wide(10)), look(10, 500, in64=wide(1_000)))
    assert "link.3.in" not in said
    assert said["uptime"] == (5.0, "good")


@pytest.mark.parametrize(
    ("was", "then", "restarted"),
    [
        (0, 1_000, False),
        (TICKS - 500, 500, False),
        (TICKS - 500, 20, False),
        (90_000, 20, True),
        (900_000_000, 1_000, True),
    ],
)
def test_uptime_wraps_after_497_days_and_that_is_no_restart(was: int, then: int, restarted: bool) -> None:
    assert has_restarted(Look(0, was), Look(10, then)) is restarted


@pytest.mark.parametrize(
    ("operating", "admin", "state"),
    [
        (1, 1, "up"),
        (2, 1, "down"),
        (2, 2, "off"),
        (7, 1, "down"),
        (5, 1, "dormant"),
        (6, 1, "absent"),
        (4, 1, None),
        (99, 1, None),
    ],
)
def test_the_state_of_a_link(operating: int, admin: int, state: str | None) -> None:
    said = read(None, look(0, 0, oper=Var("integer", operating), admin=Var("integer", admin)))
    assert said["link.3.state"] == (state, "good" if state else "unknown")
    assert said["links.down"] == (float(state == "down"), "good")


def test_errors_of_both_ways_add_up() -> None:
    said = read(look(0, 0, errors=narrow(5)), look(10, 1_000, errors=narrow(25)))
    assert said["link.3.errors"] == (2.0, "good")


def test_ports_of_a_recorded_agent() -> None:
    links = links_of(variables(recordings()["phoenixtec-power"]))
    assert [link.index for link in links] == [1, 2, 3]
    assert all(link.name for link in links)


def test_ports_may_be_chosen() -> None:
    wanted = network.NetworkSettings.model_validate({"address": "sw1", "ports": "1-3,49"})
    assert [n for n in range(60) if wanted.wants(n)] == [1, 2, 3, 49]
    with pytest.raises(ValidationError):
        network.NetworkSettings.model_validate({"address": "sw1", "ports": "1-"})


KNOWN = st.sampled_from([(*column, n) for column in (*POLLED, SPEED) for n in (1, 2)])
FOUND = st.dictionaries(st.one_of(KNOWN, OIDS), VARS, max_size=20)


@given(FOUND, FOUND, st.floats(0, 1e6), st.integers(0, TICKS - 1), st.integers(0, TICKS - 1))
def test_any_two_looks_give_readings(
    first: dict[Oid, Var], then: dict[Oid, Var], passed: float, was: int, ticks: int
) -> None:
    before, now = Look(0.0, was, first), Look(passed, ticks, then)
    for reading in readings_of(links_of(first), before, now):
        quantity = network.DRIVER.quantity(reading.name)
        assert quantity is not None, reading.name
        if reading.quality == "good":
            assert reading.value is not None
            assert quantity.is_plausible(reading.value)
