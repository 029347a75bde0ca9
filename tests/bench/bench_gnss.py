"""What a receiver costs: a line full at 115,200 baud, as a share of one core in CPU time.

The bytes are recorded ones (three receivers), fed as the line would bring them: 230 bytes every 20 ms. The floor is
pynmea2 alone on the same sentences, which says less: no epochs, no judgement, no checksum required.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from wanmi_hardware.gnss.framer import Framer
from wanmi_hardware.gnss.listening import Listening
from wanmi_hardware.gnss.settings import SerialSettings

RECORDED = Path(__file__).parent.parent / "hardware" / "gnss" / "recorded"
BYTES_A_SECOND = 115_200 // 10
GATHERED = BYTES_A_SECOND // 50
ROUNDS = 20


def run() -> list[dict[str, Any]]:
    """CPU time for a second's bytes, in percent of a core."""
    data = b"".join(path.read_bytes() for path in sorted(RECORDED.glob("*.log"))) * ROUNDS
    seconds = len(data) / BYTES_A_SECOND
    ours, floor = _ours(data), _floor(data)
    return [
        {
            "name": "NMEA at 115,200 baud, CPU of one core", "value": round(100 * ours / seconds, 3), "unit": "%",
            "floor": round(100 * floor / seconds, 3), "floor_name": "pynmea2 alone", "goal": 2.0,
        }
    ]  # fmt: skip


def _ours(data: bytes) -> float:
    listening = Listening(SerialSettings(path="x", every=0.05))
    began = time.process_time()
    for n in range(0, len(data), GATHERED):
        listening.feed(data[n : n + GATHERED], 1_790_000_000_000_000 + n * 1_000_000 // BYTES_A_SECOND)
    return time.process_time() - began


def _floor(data: bytes) -> float:
    import pynmea2

    sentences = [raw.decode() for raw in Framer().feed(data)]
    began = time.process_time()
    for one in sentences:
        try:
            pynmea2.parse(one)
        except pynmea2.ParseError:
            continue
    return time.process_time() - began
