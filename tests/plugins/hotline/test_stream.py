"""Who hears of calls at once, and how long a pop-up takes from the telephone system's event to the operator's screen."""

from __future__ import annotations

import statistics
import time
from pathlib import Path

import httpx
import pytest

from core.web.test_events import Ear, served
from plugins.hotline.desk import desk
from wanmi.identity import list_people
from wanmi.identity.sessions import start_session
from wanmi.web import session_cookie

CALLS = 20
SLOWEST = 2.0
"""Seconds within which the median pop-up stands, on a busy machine."""


def test_the_stream_tells_of_a_call_and_the_pop_up_stands(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with desk(tmp_path) as made:
        made.operator()
        person = next(one for one in list_people(made.node) if one.login == "wangmin")
        cookie = {"cookie": f"{session_cookie(made.node, False)}={start_session(made.node, person)}"}
        took = []
        with served(made.node) as server, Ear(server, cookie, "/api/v1/events?kinds=call.") as ear:
            assert ear.next()["event"] == "ready"
            with httpx.Client(base_url=server.url, headers=cookie) as screen:
                pbx = made.machine()
                token = {"authorization": pbx.client.headers["authorization"]}
                for n in range(CALLS):
                    event = made.event("ringing", f"c-{n}")
                    begun = time.perf_counter()
                    answer = screen.post("/api/v1/hotline/events", json=event, headers=token)
                    assert answer.status_code == 200, answer.text
                    assert ear.next()["kind"] == "call.begun"
                    calls = screen.get("/api/v1/hotline/popup").json()["calls"]
                    took.append(time.perf_counter() - begun)
                    assert len(calls) == n + 1
        with capsys.disabled():
            print(f"\npop-up latency: median {statistics.median(took) * 1000:.0f} ms, worst {max(took) * 1000:.0f} ms")
        assert statistics.median(took) < SLOWEST


def test_who_does_not_read_calls_does_not_hear_of_them(tmp_path: Path) -> None:
    with desk(tmp_path) as made:
        made.person("zhao", "department")
        person = next(one for one in list_people(made.node) if one.login == "zhao")
        cookie = {"cookie": f"{session_cookie(made.node, False)}={start_session(made.node, person)}"}
        with served(made.node) as server, Ear(server, cookie, "/api/v1/events?kinds=call.") as ear:
            assert ear.next()["event"] == "ready"
            answer = made.machine().request("POST", "/api/v1/hotline/events", json=made.event("ringing"))
            assert answer.status_code == 200
            assert ear.next(beats=True)["event"] == "beat"
            assert ear.next(beats=True)["event"] == "beat"


def test_views_of_a_call_are_journaled_once_an_hour_with_the_post(tmp_path: Path) -> None:
    with desk(tmp_path) as made:
        operator, pbx = made.operator(), made.machine()
        pbx.request("POST", "/api/v1/hotline/events", json=made.event("ringing"))
        for _ in range(3):
            [call] = operator.get("/api/v1/hotline/popup").json()["calls"]
            assert operator.get(f"/api/v1/hotline/calls/{call['call']}/caller").status_code == 200
        viewed = [one.entry.body for one in made.entries("sealed.viewed") if one.entry is not None]
        assert [(one["why"], one["post"]) for one in viewed] == [("popup", "operator"), ("caller", "operator")]
