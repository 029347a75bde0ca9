"""What is wrong with real agents, each by itself; and by Hypothesis whatever else an agent may send."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.snmp_agents import INPUT, OUTPUT, PLAIN, UPS, recordings, variables
from wanmi.devices import Identity, Reading
from wanmi.errors import DeviceGarbled
from wanmi_hardware.snmp import generator, ups, values
from wanmi_hardware.snmp.ber import Message, Pdu, TrapV1, decode, encode, version_of
from wanmi_hardware.snmp.cook import cook, merged
from wanmi_hardware.snmp.identity import identity_of
from wanmi_hardware.snmp.power import ALARM_ROOT, flag_alarms, judged, table_alarms
from wanmi_hardware.snmp.probe import engine_of
from wanmi_hardware.snmp.quirks import all_quirks, quirk_of
from wanmi_hardware.snmp.ups import BY_NAME, known_maps
from wanmi_hardware.snmp.ups_words import ALARMS, STATE
from wanmi_hardware.snmp.values import Oid, Var, oid_of


def read(found: dict[Oid, Var], object_id: Oid | None = None) -> dict[str, Reading]:
    quirk = quirk_of(object_id, identity_of(found))
    cooked = merged(cook(one, found, BY_NAME, quirk.change if quirk else ()) for one in known_maps())
    table = {oid: var for oid, var in found.items() if values.is_under(oid, ALARM_ROOT)}
    flags = [flag_alarms(one, found) for one in known_maps()]
    return judged(merged([cooked, table_alarms(cooked.get("alarms.count"), table), *flags]))


def said(readings: dict[str, Reading], name: str) -> tuple[object, str]:
    return readings[name].value, readings[name].quality


def test_an_agent_that_does_all_right() -> None:
    readings = read(PLAIN)
    assert said(readings, "power.state") == ("mains", "good")
    assert said(readings, "battery.minutes") == (40.0, "good")
    assert said(readings, "output.load") == (41.0, "good")
    assert said(readings, "alarm.output_overload") == ("no", "good")
    assert readings["input.1.frequency"] == Reading("input.1.frequency", 50.0, "integer 500")


@pytest.mark.parametrize("raw", [50, 500, 5000])
def test_frequency_in_any_scale(raw: int) -> None:
    assert said(read({**PLAIN, (*INPUT, 2, 1): Var("integer", raw)}), "input.1.frequency") == (50.0, "good")


@pytest.mark.parametrize("raw", [5, 11, 90, 1200, 60_000])
def test_a_frequency_of_no_scale_is_implausible(raw: int) -> None:
    assert read({**PLAIN, (*INPUT, 2, 1): Var("integer", raw)})["input.1.frequency"].quality == "implausible"


def test_tenths_of_volts_are_implausible_without_a_quirk_and_right_with_one() -> None:
    tenths = {**PLAIN, (*INPUT, 3, 1): Var("gauge", 2369)}
    assert said(read(tenths), "input.1.voltage") == (2369.0, "implausible")
    known = {**tenths, (*UPS, 1, 1, 0): Var("octets", b"HUAWEI"), (*UPS, 1, 2, 0): Var("octets", b"UPS5000")}
    assert said(read(known, oid_of("1.3.6.1.4.1.8072.3.2.10")), "input.1.voltage") == (236.9, "good")


@pytest.mark.parametrize("sentinel", [-1, 65535, 4294967295, 2147483647])
@pytest.mark.parametrize("oid", [(*UPS, 2, 3, 0), (*UPS, 2, 4, 0), (*UPS, 2, 7, 0), (*INPUT, 3, 1), (*OUTPUT, 5, 1)])
def test_sentinels_are_unknown(oid: Oid, sentinel: int) -> None:
    before, after = read({**PLAIN, oid: Var("integer", 40)}), read({**PLAIN, oid: Var("integer", sentinel)})
    changed = [name for name in before if before[name].raw != after.get(name, before[name]).raw]
    assert changed
    assert {after[name].quality for name in changed} == {"unknown"}
    assert str(sentinel) in after[changed[0]].raw


@pytest.mark.parametrize("raw", [-273, 0])
def test_no_probe_is_no_temperature(raw: int) -> None:
    found = {**PLAIN, (*UPS, 2, 7, 0): Var("integer", raw)}
    assert said(read(found), "battery.temperature") == (None, "unknown")


def test_no_minutes_of_a_full_battery_are_no_estimate() -> None:
    full = {**PLAIN, (*UPS, 2, 3, 0): Var("integer", 0), (*UPS, 2, 4, 0): Var("integer", 100)}
    assert said(read(full), "battery.minutes") == (None, "unknown")
    drained = {**full, (*UPS, 2, 4, 0): Var("integer", 3), (*UPS, 4, 1, 0): Var("integer", 5)}
    assert said(read(drained), "battery.minutes") == (0.0, "good")


@pytest.mark.parametrize("var", [Var("ticks", 97), Var("gauge", 97), Var("octets", b" 97 \0"), Var("counter", 97)])
def test_numbers_of_another_type_are_numbers(var: Var) -> None:
    assert said(read({**PLAIN, (*UPS, 2, 4, 0): var}), "battery.charge") == (97.0, "good")


@pytest.mark.parametrize("var", [Var("octets", b""), Var("octets", b"n/a"), Var("oid", (1, 3)), Var("opaque", b"\1")])
def test_what_is_no_number_is_unknown(var: Var) -> None:
    assert said(read({**PLAIN, (*UPS, 2, 4, 0): var}), "battery.charge") == (None, "unknown")


def test_an_extra_zero_after_the_row() -> None:
    found = {**PLAIN, (*OUTPUT, 2, 1, 0): PLAIN[(*OUTPUT, 2, 1)]}
    del found[(*OUTPUT, 2, 1)]
    assert said(read(found), "output.1.voltage") == (230.0, "good")


def test_rows_of_absent_phases_are_left_out() -> None:
    found = {**PLAIN, (*OUTPUT, 2, 2): Var("integer", 0), (*OUTPUT, 2, 3): Var("integer", 0)}
    assert [name for name in read(found) if name.endswith(".voltage")] == ["input.1.voltage", "output.1.voltage"]


def test_no_alarm_present_whatever_the_table_lists() -> None:
    table = {(*ALARM_ROOT, 2, 1, 2, n): Var("oid", (*ALARM_ROOT, 3, n)) for n in range(1, 25)}
    none = read({**PLAIN, **table})
    assert {none[f"alarm.{name}"].value for name in ALARMS} == {"no"}
    assert said(none, "power.state") == ("mains", "good")


def test_a_table_that_disagrees_with_its_count_is_not_believed() -> None:
    table = {(*ALARM_ROOT, 2, 1, 2, n): Var("oid", (*ALARM_ROOT, 3, n)) for n in range(1, 25)}
    few = read({**PLAIN, **table, (*UPS, 6, 1, 0): Var("integer", 2)})
    assert not [name for name in few if name.startswith("alarm.")]
    two = {**PLAIN, (*UPS, 6, 1, 0): Var("integer", 2)}
    for n, alarm in ((1, 2), (2, 8)):
        two[(*ALARM_ROOT, 2, 1, 2, n)] = Var("oid", (*ALARM_ROOT, 3, alarm))
    assert [name for name, one in read(two).items() if one.value == "yes"] == [
        "alarm.on_battery",
        "alarm.output_overload",
    ]


def test_identity_without_padding() -> None:
    padded = {(*UPS, 1, 1, 0): Var("octets", b"EAST      \0\0"), (*UPS, 1, 2, 0): Var("octets", b"   ")}
    assert identity_of(padded) == Identity(maker="EAST")


@pytest.mark.parametrize("missing", [2, 3, 4, 6])
def test_whole_groups_may_be_missing(missing: int) -> None:
    found = {oid: var for oid, var in PLAIN.items() if oid[: len(UPS) + 1] != (*UPS, missing)}
    readings = read(found)
    assert "power.state" in readings
    assert {one.quality for one in readings.values()} <= {"good", "unknown"}


@pytest.mark.parametrize(
    ("source", "battery", "state"),
    [
        (3, 2, "mains"),
        (5, 2, "battery"),
        (5, 3, "low"),
        (5, 4, "low"),
        (4, 2, "bypass"),
        (2, 2, "off"),
        (6, 2, "mains"),
    ],
)
def test_the_power_state(source: int, battery: int, state: str) -> None:
    found = {**PLAIN, (*UPS, 4, 1, 0): Var("integer", source), (*UPS, 2, 1, 0): Var("integer", battery)}
    assert said(read(found), "power.state") == (state, "good")


def test_nothing_said_is_no_power_state() -> None:
    assert said(read({}), "power.state") == ("unknown", "unknown")
    assert said(read({(*UPS, 2, 4, 0): Var("integer", 50)}), "power.state") == ("unknown", "unknown")


def test_the_power_state_without_a_source() -> None:
    found = {oid: var for oid, var in PLAIN.items() if oid != (*UPS, 4, 1, 0)}
    assert said(read(found), "power.state") == ("mains", "good")
    assert said(read({**found, (*UPS, 2, 2, 0): Var("integer", 9)}), "power.state") == ("battery", "good")


APC = (1, 3, 6, 1, 4, 1, 318, 1, 1, 1)


def test_powernet_by_its_mib() -> None:
    """No recording of an APC UPS is to be had: the objects are those of the MIB."""
    flags = bytearray(b"0001010000000000001" + b"0" * 45)
    found = {
        (*APC, 2, 1, 1, 0): Var("integer", 2),
        (*APC, 2, 3, 1, 0): Var("gauge", 1000),
        (*APC, 2, 2, 3, 0): Var("ticks", 40 * 6000),
        (*APC, 4, 1, 1, 0): Var("integer", 3),
        (*APC, 3, 3, 1, 0): Var("gauge", 2301),
        (*APC, 3, 2, 1, 0): Var("gauge", 230),
        (*APC, 4, 3, 3, 0): Var("gauge", 374),
        (*APC, 11, 1, 1, 0): Var("octets", bytes(flags)),
    }
    readings = read(found)
    assert said(readings, "power.state") == ("battery", "good")
    assert said(readings, "battery.minutes") == (40.0, "good")
    assert said(readings, "output.load") == (37.4, "good")
    assert said(readings, "input.1.voltage") == (230.1, "good")
    assert said(readings, "alarm.low_battery") == ("no", "good")
    flags[2] = ord("1")
    assert said(read({**found, (*APC, 11, 1, 1, 0): Var("octets", bytes(flags))}), "power.state") == ("low", "good")


# Whatever an agent may send.

PARTS = st.integers(0, 0xFFFFFFFF)
OIDS = st.lists(PARTS, min_size=0, max_size=12).map(lambda parts: (1, 3, *parts))
NUMBERS = st.one_of(st.integers(-(2**31), 2**64 - 1), st.sampled_from([-273, -1, 0, 50, 100, 255, 500, 2300, 65535]))
VARS = st.one_of(
    st.builds(Var, st.sampled_from(["integer", "counter", "gauge", "ticks", "counter64"]), NUMBERS),
    st.builds(Var, st.sampled_from(["octets", "address", "opaque"]), st.binary(max_size=70)),
    st.builds(Var, st.just("octets"), st.text("0123456789.-+ eE", max_size=12).map(str.encode)),
    st.builds(Var, st.just("octets"), st.text("01", min_size=58, max_size=70).map(str.encode)),
    st.builds(Var, st.just("oid"), OIDS),
    st.builds(Var, st.sampled_from(["null", "no_object", "no_instance", "end"])),
)
KNOWN = sorted({oid for one in known_maps() for oid in one.expected()} | {(*ALARM_ROOT, 2, 1, 2, n) for n in range(4)})
FOUND = st.dictionaries(st.one_of(st.sampled_from(KNOWN), OIDS), VARS, max_size=40)
OBJECT_IDS = st.sampled_from([None, *(oid_of(quirk.object_id) for quirk in all_quirks())])


@given(FOUND, OBJECT_IDS)
def test_anything_gives_readings_and_nothing_absurd_is_good(found: dict[Oid, Var], object_id: Oid | None) -> None:
    readings = read(found, object_id)
    assert readings["power.state"].value in STATE
    for name, reading in readings.items():
        quantity = ups.DRIVER.quantity(name)
        assert quantity is not None, name
        assert reading.name == name
        if reading.quality == "good":
            assert reading.value is not None
            assert quantity.is_plausible(reading.value), reading


@given(st.sampled_from(sorted(recordings())), st.data())
def test_a_recording_with_some_of_it_changed(name: str, data: st.DataObject) -> None:
    found = variables(recordings()[name]) if name.startswith(("east", "phoenix", "huawei")) else dict(PLAIN)
    mine = sorted(oid for oid in found if values.is_under(oid, UPS))
    changes = data.draw(st.dictionaries(st.sampled_from(mine), VARS, max_size=8))
    readings = read({**{oid: found[oid] for oid in mine}, **changes})
    good = [one for one in readings.values() if one.quality == "good" and one.value is not None]
    assert all((ups.DRIVER.quantity(one.name) or pytest.fail(one.name)).is_plausible(one.value) for one in good)


PAIRS = st.lists(st.tuples(OIDS, VARS), max_size=8).map(tuple)


def encodable(pairs: tuple[tuple[Oid, Var], ...]) -> bool:
    return all(-(2**63) <= var.value < 2**64 for _, var in pairs if isinstance(var.value, int)) and all(
        var.type == "integer" or var.value >= 0 for _, var in pairs if isinstance(var.value, int)
    )


@given(st.sampled_from([0, 1]), st.binary(max_size=40), st.integers(0, 2**31 - 1), PAIRS.filter(encodable))
def test_messages_come_back_as_they_were(version: int, community: bytes, number: int, pairs: tuple) -> None:  # type: ignore[type-arg]
    message = Message(version, community, Pdu("response", number, 0, 0, pairs))
    assert decode(encode(message)) == message
    trap = Message(0, community, TrapV1((1, 3, 6, 1, 4, 1, 318), b"\1\2\3\4", 6, 5, number, pairs))
    assert decode(encode(trap)) == trap


@given(st.binary(max_size=300))
def test_any_bytes_are_a_message_or_garbled(data: bytes) -> None:
    version_of(data)
    engine_of(data)
    with contextlib.suppress(DeviceGarbled):
        decode(data)


@given(PAIRS.filter(encodable), st.data())
def test_corrupted_messages_are_a_message_or_garbled(pairs: tuple, data: st.DataObject) -> None:  # type: ignore[type-arg]
    whole = bytearray(encode(Message(1, b"public", Pdu("response", 7, 0, 0, pairs))))
    for _ in range(data.draw(st.integers(1, 4))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    cut = bytes(whole[: data.draw(st.integers(0, len(whole)))])
    for broken in (bytes(whole), cut, cut + bytes(whole)):
        try:
            message = decode(broken)
        except DeviceGarbled:
            continue
        read(dict(message.pdu.vars))


def test_generator_quantities_have_both_languages() -> None:
    for driver in (ups.DRIVER, generator.DRIVER):
        assert all(one.zh and one.en for one in (*driver.quantities, *driver.rules, *driver.commands))
        assert all(driver.quantity(rule.reading) for rule in driver.rules)
