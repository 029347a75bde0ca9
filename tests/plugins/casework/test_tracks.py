"""Tracks over HTTP: when a terminal was how far, and how long it was near a place; only what it signed counts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import wanmi_casework
import wanmi_console
from edge.street import CITY_POINT, Street
from plugins.casework.test_tasks import START, Town
from support.browser import Browser
from wanmi.clock import SECOND, ManualClock
from wanmi.erasure import erase_blobs
from wanmi.identity import add_person
from wanmi.kinds import Attachment
from wanmi.registry import Draft
from wanmi.reports import TrackBatch, TrackFix, digest_of, segment_content, segment_of, sign_track
from wanmi.reports.bodies import TrackSealed, track_subject
from wanmi.testing import carry, replay_differences, small_city
from wanmi.web import build_app

PASSWORD = "a long enough secret"
QUARTER = 900 * SECOND
HERE = {"lon_e7": CITY_POINT[0], "lat_e7": CITY_POINT[1]}
TERMINAL = "T210102-0001"


class Patrol:
    """A town whose terminal walks, and the shift leader who asks."""

    def __init__(self, town: Town) -> None:
        self.town = town
        add_person(town.district, login="leader", name="Li", posts=["shift_leader"], password=PASSWORD)
        self.leader = Browser(build_app(town.district))
        assert self.leader.log_in("leader", PASSWORD).status_code == 303

    def walk(self, start: int, north_m: int, signer: Street | None = None) -> str:
        """A segment of a quarter of an hour, a position a minute, so far from the place; its blob, also at the district."""
        edge, district, street = self.town.edge, self.town.district, signer or self.town.street
        fixes = tuple(
            TrackFix(start + n * 60 * SECOND, CITY_POINT[0], CITY_POINT[1] + north_m * 90, 300) for n in range(15)
        )
        content = segment_content([sign_track(TrackBatch(1, TERMINAL, fixes), street.key)])
        sealed, way = edge.blobs.seal(content), segment_of(fixes)
        body = TrackSealed(
            TERMINAL, way.start, way.end, way.fixes, way.distance_m, way.west, way.south, way.east, way.north,
            Attachment("track", digest_of(content), len(content), "application/x-ndjson", sealed.blob),
        )  # fmt: skip
        draft = Draft("track.sealed", track_subject(edge.code, TERMINAL), body)
        edge.journal.append(draft, also=lambda tx, _: edge.blobs.add(tx, sealed)).result()
        carry(edge, district)
        key = edge.blobs.wrap_key(sealed.blob, district.keys.seal_public)
        district.blobs.accept(sealed.blob, edge.blobs.read(sealed.blob, 0, 1 << 20), key).result()
        return sealed.blob

    def ask(self, path: str, status: int = 200, **query: Any) -> Any:
        given = {"terminal": TERMINAL, "since": START, "until": START + 4 * QUARTER, **query}
        answer = self.leader.get(f"/api/v1/{path}", params=given)
        assert answer.status_code == status, answer.text
        return answer.json()

    def attended(self, **query: Any) -> tuple[int, int, int, int]:
        found = self.ask("attendance", **HERE, **query)
        return found["seconds"], found["segments"], found["unread"], found["unproven"]

    def views(self) -> list[dict[str, Any]]:
        entries = [one.entry for one in self.town.district.journal.read("210102", 0, 1000)]
        return [one.body for one in entries if one is not None and one.kind == "sealed.viewed"]


@pytest.fixture
def patrol(tmp_path: Path, database: Callable[[str], str]) -> Iterator[Patrol]:
    clock = ManualClock(START)
    plugins = [wanmi_casework, wanmi_console]
    with small_city(tmp_path, district=plugins, clock=clock, database=database) as city:
        made = Patrol(Town(city, clock))
        yield made
        made.leader.close()
        assert replay_differences(city.district) == []


def test_how_long_a_terminal_was_near_a_place(patrol: Patrol) -> None:
    blobs = [patrol.walk(START, 20), patrol.walk(START + QUARTER, 5000), patrol.walk(START + 2 * QUARTER, 50)]
    assert patrol.views() == []
    told = patrol.ask("tracks")["segments"]
    assert [(one["start"] - START, one["fixes"], one["distance_m"]) for one in told] == [
        (0, 15, 0), (QUARTER, 15, 0), (2 * QUARTER, 15, 0),
    ]  # fmt: skip
    assert patrol.views() == [], "when and how far is no secret of the segment"
    assert patrol.attended() == (2 * 14 * 60, 3, 0, 0)
    assert patrol.attended(metres=10_000)[0] == 44 * 60, "segments that follow each other are one way"
    assert patrol.attended(metres=10)[0] == 0
    assert patrol.attended(until=START + 600 * SECOND) == (9 * 60, 1, 0, 0)
    views = patrol.views()
    assert (views[0]["of"], views[0]["blobs"], views[0]["post"]) == (f"track:{TERMINAL}", blobs, "shift_leader")
    assert [len(one["blobs"]) for one in views] == [3, 1], "once an hour for one period, and the other period by itself"


def test_what_is_erased_or_not_signed_by_the_terminal_does_not_count(patrol: Patrol) -> None:
    patrol.walk(START, 20)
    erased = patrol.walk(START + QUARTER, 20)
    patrol.walk(START + 2 * QUARTER, 20, Street("T210102-0666"))
    erase_blobs(patrol.town.district, [erased], "request")
    assert patrol.attended() == (14 * 60, 3, 1, 1)


def test_what_cannot_be_asked_is_told(patrol: Patrol) -> None:
    assert "24 hours" in patrol.ask("tracks", 422, until=START)["detail"]
    assert "24 hours" in patrol.ask("attendance", 422, until=START + 97 * QUARTER, **HERE)["detail"]
    assert "not admitted" in patrol.ask("attendance", 404, terminal="T210102-0009", **HERE)["detail"]
    assert patrol.ask("tracks", terminal="T210102-0009") == {"segments": []}
    assert patrol.views() == []
