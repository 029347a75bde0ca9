"""A generator by a technician's map: what it reads, and what is said of a map that is wrong."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from pathlib import Path

import pytest
from pydantic import ValidationError

from support.snmp_agents import own_agent, place
from wanmi.devices import Sample
from wanmi.errors import BadInput, DeviceGarbled
from wanmi_hardware.snmp import generator
from wanmi_hardware.snmp.discover import MOST, addresses_of
from wanmi_hardware.snmp.maps import parse_map
from wanmi_hardware.snmp.values import Oid, Var

MAP = """
title = "Controller of the yard"
source = "its handbook, page 41"

[[read]]
quantity = "engine.state"
oid = "1.3.6.1.4.1.99999.1.1.0"
words = { 0 = "stopped", 1 = "starting", 2 = "running", 9 = "fault" }

[[read]]
quantity = "fuel.level"
oid = "1.3.6.1.4.1.99999.1.2.0"
unknown = [255]

[[read]]
quantity = "coolant.temperature"
oid = "1.3.6.1.4.1.99999.1.3.0"
scale = 0.1
add = -40

[[read]]
quantity = "output.2.voltage"
oid = "1.3.6.1.4.1.99999.1.4.0"

[[read]]
quantity = "output.#.current"
oid = "1.3.6.1.4.1.99999.2.1.3"
rows = true
scale = 0.1
"""
ROOT: Oid = (1, 3, 6, 1, 4, 1, 99999)
OBJECTS = {
    (*ROOT, 1, 1, 0): Var("integer", 2),
    (*ROOT, 1, 2, 0): Var("integer", 255),
    (*ROOT, 1, 3, 0): Var("integer", 1230),
    (*ROOT, 1, 4, 0): Var("gauge", 231),
    (*ROOT, 2, 1, 3, 1): Var("integer", 125),
    (*ROOT, 2, 1, 3, 2): Var("integer", 99_999_999),
}


async def read(objects: dict[Oid, Var], path: Path) -> Sample:
    async with own_agent(objects) as (_, port):
        wanted = generator.GeneratorSettings.model_validate({"address": "127.0.0.1", "port": port, "map": path})
        async with generator.connect(place(), wanted) as session, aclosing(session.samples()) as coming:
            return await anext(coming)


def test_a_generator_is_read_by_its_map(tmp_path: Path) -> None:
    path = tmp_path / "yard.toml"
    path.write_text(MAP)
    sample = asyncio.run(read(dict(OBJECTS), path))
    assert [(one.name, one.value, one.quality) for one in sample.readings] == [
        ("coolant.temperature", 83.0, "good"),
        ("engine.state", "running", "good"),
        ("fuel.level", None, "unknown"),
        ("output.1.current", 12.5, "good"),
        ("output.2.current", 9_999_999.9, "implausible"),
        ("output.2.voltage", 231.0, "good"),
    ]


def test_an_agent_without_these_objects_is_told(tmp_path: Path) -> None:
    path = tmp_path / "yard.toml"
    path.write_text(MAP)
    with pytest.raises(DeviceGarbled, match=r"has nothing of OID map yard \(Controller of the yard\)"):
        asyncio.run(read({(1, 3, 6, 1, 2, 1, 1, 5, 0): Var("octets", b"x")}, path))


WRONG = [
    ("title =", "no TOML"),
    ('source = "x"\nread = []', "missing required field `title`"),
    (MAP + 'colour = "red"\n', "unknown field `colour` - at `read number 5`"),
    (MAP.replace('"fuel.level"', '"fuel"'), r"read 2 \(fuel\): no such quantity; there are alarm.general"),
    (MAP.replace("1.3.6.1.4.1.99999.1.2.0", "sysUpTime.0"), "read 2 .*'sysUpTime.0' is no numeric OID"),
    (MAP.replace("1.3.6.1.4.1.99999.1.2.0", "1.3.6.1.4.1.99999.1.1.0"), "is already engine.state"),
    (MAP.replace('"running"', '"rolling"'), "no such word: rolling; there are stopped"),
    (MAP.replace("words =", "unknown = [1] #"), "this quantity has words"),
    (MAP.replace("scale = 0.1\nadd", "scale = 0\nadd"), "a scale of 0"),
    (MAP.replace("scale = 0.1\nadd", 'scale = "x"\nadd'), "Expected `float`, got `str` - at `read number 3.scale`"),
    (MAP.replace("rows = true\n", ""), "a column .* needs a quantity with #"),
    (MAP.replace("unknown = [255]", "scales = [1, 10]"), "scales need low and high"),
    (MAP.replace("unknown = [255]", 'lines = "phases"'), "lines names phases, which this map does not read"),
    ('root = "1.3.6.1.2.1"\n' + MAP, "is not under the map's root"),
]


@pytest.mark.parametrize(("text", "told"), WRONG)
def test_a_wrong_map_is_told_by_entry(text: str, told: str) -> None:
    with pytest.raises(BadInput, match=told):
        parse_map("yard", text, generator.QUANTITIES)


def test_a_wrong_map_is_refused_when_the_device_is_added(tmp_path: Path) -> None:
    path = tmp_path / "yard.toml"
    with pytest.raises(ValidationError, match="cannot be read"):
        generator.GeneratorSettings.model_validate({"address": "gen", "map": path})
    path.write_text(MAP.replace("fuel.level", "fuel"))
    with pytest.raises(ValidationError, match="no such quantity"):
        generator.GeneratorSettings.model_validate({"address": "gen", "map": path})


@pytest.mark.parametrize(
    ("text", "count", "community", "port"),
    [
        ("10.1.2.0/24", 254, "public", 161),
        ("10.1.2.10-10.1.2.12", 3, "public", 161),
        ("secret@10.1.2.3:1161", 1, "secret", 1161),
        ("fd00::1-fd00::4", 4, "public", 161),
        ("10.0.0.0/22", 1022, "public", 161),
    ],
)
def test_address_ranges(text: str, count: int, community: str, port: int) -> None:
    addresses, said, to = addresses_of(text)
    assert (len(addresses), said, to) == (count, community, port)
    assert len(set(addresses)) == count <= MOST


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("10.0.0.0/8", "has 16777216 addresses; at most 1024"),
        ("10.0.0.9-10.0.0.1", "comes before the first"),
        ("10.0.0.1-10.9.0.1", "at most 1024"),
        ("10.0.0.1-fd00::1", "comes before"),
        ("switch-7", "no address range"),
        ("", "no address range"),
        ("10.0.0.1:99999", "no UDP port"),
    ],
)
def test_a_range_that_cannot_be_searched_is_told(text: str, told: str) -> None:
    with pytest.raises(BadInput, match=told):
        addresses_of(text)
