"""The driver in docs/devices.md is what it says: run against a real socket."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import Any

import pytest

from support.snmp_agents import place
from wanmi.devices import Driver
from wanmi.errors import DeviceGarbled, DeviceUnreachable

PAGE = Path(__file__).parents[2] / "docs" / "devices.md"


def example() -> dict[str, Any]:
    """The names that the page's one Python block makes."""
    (block,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    names: dict[str, Any] = {"__name__": "example"}
    exec(compile(block, str(PAGE), "exec", dont_inherit=True), names)
    return names


async def weighed(says: list[bytes]) -> list[Any]:
    """What the driver makes of a scale that says these lines, one a question."""
    names, answers = example(), iter(says)
    scale: Driver = names["SCALE"]

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.readline():
            writer.write(next(answers))
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    try:
        async with scale.connect(place(), names["ScaleSettings"](host="127.0.0.1", port=port)) as session:
            samples = session.samples()
            return [await anext(samples) for _ in says]
    finally:
        server.close()


def test_it_reads_a_weight_and_marks_one_that_cannot_be() -> None:
    heavy, broken = asyncio.run(weighed([b"48250\r\n", b"999999\r\n"]))
    assert [(one.name, one.value, one.raw, one.quality) for one in heavy.readings] == [
        ("weight", 48250.0, "48250", "good")
    ]
    assert broken.readings[0].quality == "implausible"


def test_it_tells_what_is_wrong() -> None:
    with pytest.raises(DeviceGarbled, match="the scale said 'ERR', which is no weight"):
        asyncio.run(weighed([b"ERR\r\n"]))

    async def nobody() -> None:
        names = example()
        async with names["SCALE"].connect(place(), names["ScaleSettings"](host="127.0.0.1", port=1)):
            pass

    with pytest.raises(DeviceUnreachable, match=r"127\.0\.0\.1:1: "):
        asyncio.run(nobody())
