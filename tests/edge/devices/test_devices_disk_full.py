"""Devices on an edge whose disk is full: they are watched all the same, and what happened is journaled once there is room."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import func, select

from edge.devices.test_devices import Bench, make_bench, peers, until
from edge.test_disk_full import fill
from wanmi.clock import SystemClock
from wanmi.models import table
from wanmi.testing import replay_differences
from wanmi_edge.devices.rows import DeviceSampleRow


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    """On 40 MiB of tmpfs."""
    where = tmp_path / "disk"
    where.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=40m", "tmpfs", str(where)], check=True)
    made = make_bench(where / "edge")
    try:
        yield made
    finally:
        made.node.close()
        subprocess.run(["umount", "-l", str(where)], check=True)


def samples(bench: Bench) -> int:
    with bench.node.store.reader() as tx:
        return int(tx.execute(select(func.count()).select_from(table(DeviceSampleRow))).scalar_one())


def test_devices_are_watched_while_the_disk_is_full(bench: Bench) -> None:
    """An alarm that comes and goes meanwhile, and one that stays: each once, with the time when it came."""
    disk = bench.node.dir.parent

    async def play() -> None:
        async with peers(1) as (peer,):
            device = bench.add("UPS", peer)
            async with bench.running():
                await until(lambda: "power.changed" in bench.kinds())
                await until(lambda: samples(bench) > 0)
                filler, before, full_at = fill(disk), samples(bench), SystemClock().now()
                for says in ("85 mains", "20 mains", "90 battery"):
                    peer.says = says
                    seen = peer.answered
                    await until(lambda seen=seen: peer.answered > seen + 10)  # type: ignore[misc]
                    post = bench.devices.board.get(device.id)
                    assert post is not None
                    assert post.parts[""].readings["load"].reading.raw == says.split()[0], "the newest reading is there"
                    assert post.health(SystemClock().now()).state == "fine"
                assert bench.kinds().count("alarm.raised") == 0, "nothing could be written"
                await asyncio.sleep(1.2)  # samples are brought to the disk each second
                freed_at = SystemClock().now()
                filler.unlink()
                await until(lambda: bench.kinds().count("alarm.raised") == 2)
                await until(lambda: samples(bench) > before + 30, seconds=10)
                entries = [one.entry for one in bench.node.journal.read(bench.node.code, 0) if one.entry is not None]
                raised = [one for one in entries if one.kind == "alarm.raised"]
                assert [one.body["value"] for one in raised] == ["85", "90"]
                cleared = [one for one in entries if one.kind == "alarm.cleared"]
                power = [one for one in entries if one.kind == "power.changed"]
                late = [raised[0], *cleared, raised[1], power[-1]]
                assert [len(cleared), len(power)] == [1, 2]
                assert all(full_at <= one.body["since"] <= freed_at <= one.at for one in late), "each when it happened"
                assert [one.body["since"] for one in late] == sorted(one.body["since"] for one in late)
                seen = peer.answered
                await until(lambda: peer.answered > seen + 10)

    asyncio.run(play())
    kinds = bench.kinds()
    assert [kinds.count(kind) for kind in ("alarm.raised", "alarm.cleared", "power.changed")] == [2, 1, 2]
    assert [one.value for one in bench.alarms()] == ["90"]
    assert replay_differences(bench.node) == []
