"""Long: a million entries under twenty kills, a peer that stands, a full disk, jumping clocks, keys that are wrong or double."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from lab.feeder import POINTS
from lab.lines import StreamLines, TunLines
from lab.town import CITY, DISTRICTS, Held, lab_town, wait_until
from lab.weather import Weather

ENTRIES = int(os.environ.get("WANMI_LAB_ENTRIES", "1000000"))
KILLS = int(os.environ.get("WANMI_LAB_KILLS", "20"))
MOST_MEMORY = 256 * 1024 * 1024
"""Bytes that a city's process may keep resident with a peer that stands."""
FLAT = 32 * 1024 * 1024
"""Bytes that it may grow by meanwhile."""
LAN = Weather(rtt_ms=2)
pytestmark = [pytest.mark.long, pytest.mark.processes]


@pytest.mark.timeout(3600)
def test_a_million_entries_under_twenty_kills(tmp_path: Path) -> None:
    """They are fed in as many parts as there are kills, so that each kill comes in the middle of a part."""
    dice = random.Random(210100)
    share = ENTRIES // 2
    with lab_town(tmp_path, TunLines(), LAN, districts=2) as town:
        begun = time.monotonic()
        for kill in range(KILLS):
            code = (CITY, *DISTRICTS[:2])[kill % 3]
            points = [point for point in POINTS if point.endswith(("commit", "ack" if code == CITY else "batch"))]
            town.arm(code, dice.choice(points), dice.randrange(1, 10))
            for district in DISTRICTS[:2]:
                town.feed(district, share * (kill + 1) // KILLS, batch=1000, pace=0.0)
            town.restart_when_dead(code, 120)
        for code in DISTRICTS[:2]:
            wait_until(lambda code=code: town.has(CITY, code, share), 2400, lambda: town.links(CITY))  # type: ignore[misc]
        print(f"{2 * share} entries, {KILLS} kills: {time.monotonic() - begun:.0f} s")
        for code in DISTRICTS[:2]:
            assert town.held(code, code) == Held(share, share, share)
            assert town.held(CITY, code) == Held(share, share, share)


@pytest.mark.timeout(600)
def test_memory_stays_flat_while_a_peer_stands(tmp_path: Path) -> None:
    """The stopped district takes nothing and its entries wait there; the other district's go on arriving."""
    stopped, living = DISTRICTS[:2]
    with lab_town(tmp_path, TunLines(), LAN, districts=2) as town:
        for code in (CITY, stopped, living):
            town.feed(code, 1_000_000, batch=50, pace=0.02)
        wait_until(lambda: town.has(CITY, stopped, 5000) and town.has(CITY, living, 5000), 60)
        town.stop_by_signal(stopped, stopped=True)
        sizes = []
        for _ in range(60):
            time.sleep(1)
            sizes.append(town.memory(CITY))
        print(
            f"city's memory with a stopped peer: {sizes[0] >> 20} MiB, then {max(sizes) >> 20}, at last {sizes[-1] >> 20}"
        )
        assert max(sizes) < MOST_MEMORY
        assert sizes[-1] - sizes[len(sizes) // 3] < FLAT
        before = town.held(CITY, living).entries
        wait_until(lambda: town.held(CITY, living).entries > before, 10)
        held = town.held(CITY, stopped).entries
        town.stop_by_signal(stopped, stopped=False)
        wait_until(lambda: town.held(CITY, stopped).entries > held, 35, lambda: town.links(stopped))


@pytest.mark.timeout(300)
def test_a_full_disk_loses_nothing(tmp_path: Path) -> None:
    """The city's disk is a small tmpfs that something fills; when it is freed, entries arrive again, each once."""
    with small_disk(tmp_path / "disk", 64) as disk, lab_town(tmp_path, StreamLines(), Weather(), city_on=disk) as town:
        town.feed(DISTRICTS[0], 4000)
        wait_until(lambda: town.has(CITY, DISTRICTS[0], 200), 60)
        ballast = disk / "ballast"
        _fill(ballast)
        wait_until(lambda: town.has(DISTRICTS[0], DISTRICTS[0], 4000), 60)
        assert not town.has(CITY, DISTRICTS[0], 4000)
        ballast.unlink()
        wait_until(lambda: town.has(CITY, DISTRICTS[0], 4000), 120, lambda: town.links(CITY))
        assert town.held(CITY, DISTRICTS[0]) == Held(4000, 4000, 4000)


@pytest.mark.timeout(300)
def test_clocks_that_jump_a_day(tmp_path: Path) -> None:
    """The walls' time jumps under the running nodes, a day on and two back; the links go by their own."""
    stamp = tmp_path / "time"
    stamp.write_text("+0\n", encoding="ascii")
    with lab_town(tmp_path, StreamLines(), Weather(), more=_fake_time(stamp)) as town:
        town.feed(DISTRICTS[0], 3000)
        for jump, count in (("+1d", 1000), ("-1d", 2000)):
            wait_until(lambda count=count: town.has(CITY, DISTRICTS[0], count), 60)  # type: ignore[misc]
            stamp.write_text(f"{jump}\n", encoding="ascii")
        wait_until(lambda: town.has(CITY, DISTRICTS[0], 3000), 90, lambda: town.links(CITY))
        assert town.held(CITY, DISTRICTS[0]) == Held(3000, 3000, 3000)


@pytest.mark.timeout(300)
def test_a_second_process_with_a_districts_keys(tmp_path: Path) -> None:
    """A copy of a running district's directory dials in too: the original's entries arrive once, and none of the copy's
    replaces one.
    """
    with lab_town(tmp_path, StreamLines(), Weather()) as town:
        town.feed(DISTRICTS[0], 500)
        wait_until(lambda: town.has(CITY, DISTRICTS[0], 500), 60)
        town.nodes[DISTRICTS[0]].stop()
        shutil.copytree(tmp_path / DISTRICTS[0], tmp_path / "copy")
        town.restart(DISTRICTS[0])
        with town.another(tmp_path / "copy", DISTRICTS[0]):
            town.feed(DISTRICTS[0], 1500)
            wait_until(lambda: town.has(DISTRICTS[0], DISTRICTS[0], 1500), 60)
            time.sleep(10)
        wait_until(lambda: town.has(CITY, DISTRICTS[0], 1500), 60, lambda: town.links(CITY))
        assert town.held(CITY, DISTRICTS[0]) == Held(1500, 1500, 1500)


@contextmanager
def small_disk(at: Path, mib: int) -> Iterator[Path]:
    """A tmpfs of so many MiB."""
    at.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={mib}m", "tmpfs", str(at)], check=True)
    try:
        yield at
    finally:
        subprocess.run(["umount", "-l", str(at)], check=True)


def _fill(path: Path) -> None:
    """Write until the disk is full."""
    with path.open("wb", buffering=0) as out:
        try:
            while True:
                out.write(bytes(64 * 1024))
        except OSError:
            return


def _fake_time(stamp: Path) -> dict[str, str]:
    """libfaketime of the Debian package faketime, told by a file; the monotonic clock stays true."""
    found = sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))
    assert found, "needs libfaketime: apt-get install faketime"
    return {
        "LD_PRELOAD": str(found[0]),
        "FAKETIME_TIMESTAMP_FILE": str(stamp),
        "FAKETIME_NO_CACHE": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }
