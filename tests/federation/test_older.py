"""A peer of an older release: its recorded bytes are played to the code of today, which must answer as it understands.

``recorded/vN.json`` was made by the release that spoke protocol N, with real journals and blobs: its entries, its heads,
its frames. Here one of the two ends is the code at hand, with the same keys and the same random bytes; the other end is
the recording. What is sent must be frame for frame what the old release itself sent; only the times of ticks are free.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from federation.recording import CITY, DISTRICT, EDGE, Actor, disk_of
from wanmi.links import Alarm
from wanmi.links.effects import Hold, NoteCosign, Release
from wanmi.links.frames import BatchHead, Frame, Open, Tick, decode, decode_batch

RECORDED = Path(__file__).with_name("recorded")
Json = dict[str, Any]


def sessions() -> list[tuple[str, str, str]]:
    """(file, session, end that is played by the code of today)."""
    found = []
    for path in sorted(RECORDED.glob("v*.json")):
        for session in json.loads(path.read_text(encoding="utf-8")):
            found += [(path.name, session, end) for end in ("child", "parent")]
    return found


def load(name: str, session: str) -> Json:
    loaded: Json = json.loads((RECORDED / name).read_text(encoding="utf-8"))[session]
    return loaded


def play(recorded: Json, end: str, folder: Path) -> Actor:
    """Today's code in the place of one end."""
    code, peer = (DISTRICT, CITY) if end == "child" else (CITY, DISTRICT)
    actor = Actor(code, peer, disk_of(recorded["disks"][end]), folder)
    for event in recorded["events"]:
        if event["end"] == end:
            actor.happens(event)
    return actor


def said(frames: list[Frame]) -> list[object]:
    """What frames say, in order: without ticks, and a batch by its entries, not by how zstd packs them."""
    words: list[object] = []
    for frame in frames:
        if isinstance(frame.header, Tick):
            continue
        if isinstance(frame.header, BatchHead):
            words.append((frame.session, decode_batch(frame.header, frame.body)))
        elif isinstance(frame.header, Open):
            words.append((frame.session, frame.header.node, frame.header.nonce))
        else:
            words.append((frame.session, frame.header, frame.body))
    return words


@pytest.mark.parametrize(("name", "session", "end"), sessions())
def test_an_older_peer_hears_what_it_understands(name: str, session: str, end: str, tmp_path: Path) -> None:
    recorded = load(name, session)
    actor = play(recorded, end, tmp_path)
    old = [decode(bytes.fromhex(f)) for e in recorded["events"] if e["end"] == end for f in e["sent"]]
    new = [decode(frame) for frame in actor.sent]
    assert said(new) == said(old)
    version = int(name[1:].removesuffix(".json"))
    for frame in new:
        if isinstance(frame.header, Open):
            assert frame.header.low <= version <= frame.header.high


def test_the_older_childs_chains_photo_and_countersignatures_arrive(tmp_path: Path) -> None:
    city = play(load("v1.json", "day"), "parent", tmp_path)
    assert (city.journal.cursor(DISTRICT).seq, city.journal.cursor(EDGE).seq) == (4, 3)
    assert [city.blobs.has(missing.blob) for missing in city.blobs.missing()] == [False]
    assert city.journal.best_cosign(CITY, by=DISTRICT) is not None
    assert [e for e in city.done if isinstance(e, Alarm)] == []


def test_the_older_parents_chain_and_countersignatures_arrive(tmp_path: Path) -> None:
    district = play(load("v1.json", "day"), "child", tmp_path)
    assert [(s.seq, s.raw is None) for s in district.journal.read(CITY, 0)] == [
        (1, False), (2, False), (3, True), (4, False), (5, False),
    ]  # fmt: skip
    assert [n.cosign.seq for n in district.done if isinstance(n, NoteCosign) and n.cosign.origin == DISTRICT][-1] == 4
    assert [e for e in district.done if isinstance(e, Alarm)] == []


def test_a_lost_tail_comes_back_from_an_older_peer(tmp_path: Path) -> None:
    city = play(load("v1.json", "lost tail"), "parent", tmp_path)
    assert city.journal.cursor(CITY).seq == 5
    assert [type(e) for e in city.done if isinstance(e, Hold | Release)] == [Hold, Release]
