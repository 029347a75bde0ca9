"""End to end: reports through a real broker, an edge, a district and a city as processes, over real links.

Photo-less reports of about 500 bytes, signed beforehand by terminals' keys; the edge and the district verify every
signature. The figure is cases at the city over the time from the first publish to the last case at the city. Floor
of the same run: the CPU time that this needs at least on these cores for its two signature checks a report.
"""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path
from time import perf_counter
from typing import Any

from sqlalchemy import func, select

from flow.streets import CITY, DISTRICT, EDGE, HEPING, Streets, streets
from wanmi.coords import Point
from wanmi.entries import cosign_bytes
from wanmi.models import CaseRow, table
from wanmi.store import Store
from wanmi_terminal.maker import Draft, Place
from wanmi_terminal.schedule import Retry

REPORTS = int(os.environ.get("WANMI_REPORTS", "20000"))
BATCH = 200


def verify_rate() -> float:
    """Ed25519 verifications a second on one core."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    key = Ed25519PrivateKey.generate()
    message = cosign_bytes("210102", 1, bytes(32), "210100", 1) * 4
    signature, public = key.sign(message), key.public_key()
    start = perf_counter()
    for _ in range(5000):
        public.verify(signature, message)
    return 5000 / (perf_counter() - start)


def cases_at(town: Streets, code: str) -> int:
    """Cases that a node holds."""
    store = Store.open_to_read(f"sqlite:///{town.city.dir(code)}/journal.db")
    try:
        with store.reader() as connection:
            return int(connection.execute(select(func.count()).select_from(table(CaseRow))).scalar_one())
    finally:
        store.close()


def measure(town: Streets) -> tuple[float, float, float]:
    """Seconds until every case is at the city, at the district, and bytes of a report's message."""
    with town.terminal(Retry(), twice_every=0) as terminal:
        places = [
            Place(Point(HEPING.lon_e7 + n * 37 % 300_000, HEPING.lat_e7 + n * 91 % 200_000), "WGS84")
            for n in range(REPORTS)
        ]
        signed = [terminal.sign(Draft("event", "0102", place)) for place in places]
        start = perf_counter()
        for at in range(0, REPORTS, BATCH):
            terminal.add(signed[at : at + BATCH])
        district = 0.0
        while cases_at(town, CITY) < REPORTS and perf_counter() - start < 300:
            if not district and cases_at(town, DISTRICT) >= REPORTS:
                district = perf_counter() - start
            time.sleep(0.25)
        return perf_counter() - start, district or perf_counter() - start, float(len(signed[0].payload))


def idle_memory(town: Streets) -> float:
    """MB that the edge's process holds (proportional set size)."""
    pid = town.city.nodes[EDGE].facts()["pid"]
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) / 1024
    raise LookupError("no Pss line")


def run() -> list[dict[str, Any]]:
    """Cases a second at the city and the memory of an idle edge."""
    with (
        tempfile.TemporaryDirectory(prefix="wanmi-bench-", dir=".") as folder,
        streets(Path(folder).absolute()) as town,
    ):
        town.city.broker(EDGE)
        time.sleep(3)
        memory = idle_memory(town)
        seconds, _, size = measure(town)
        held = cases_at(town, CITY)
    floor = verify_rate()
    return [
        {"name": f"end to end, {held} reports of {size:.0f} bytes", "value": held / seconds, "unit": "cases/s",
         "floor": floor, "floor_name": "two Ed25519 checks a report on both cores", "goal": 1000.0},
        {"name": "idle edge memory", "value": memory, "unit": "MB", "floor": bare_memory(),
         "floor_name": "python with sqlalchemy, fastapi, paho imported", "goal": 120.0},
    ]  # fmt: skip


def bare_memory() -> float:
    """MB of a Python process that only imports what an edge stands on."""
    import subprocess
    import sys

    code = (
        "import sqlalchemy, fastapi, uvicorn, paho.mqtt.client, zmq, msgspec, orjson, cryptography, structlog, typer\n"
        "print([l for l in open('/proc/self/smaps_rollup') if l.startswith('Pss:')][0].split()[1])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return int(done.stdout) / 1024


if __name__ == "__main__":
    for figure in run():
        print(figure)
