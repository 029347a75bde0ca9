"""/hotline, seen and used as a browser does, in both languages."""

from __future__ import annotations

import asyncio
import json
import re
import threading
import time
from importlib.resources import files
from pathlib import Path

import pytest

from plugins.hotline.desk import desk, popup, send
from support.browser import PAGE
from wanmi.testing import react
from wanmi_hotline.board import Board

EVENTS = "/api/v1/hotline/events"


def test_the_pop_up_is_seen_and_wrapped_up(tmp_path: Path) -> None:
    with desk(tmp_path) as made:
        pbx, operator = made.machine(), made.person("wangmin", "operator")
        empty = operator.page("/hotline")
        assert "请先填写分机号" in empty
        assert operator.post("/hotline/seat", {"seat": "8001"}, operator.form_token("/hotline")).status_code == 303
        send(pbx, "POST", EVENTS, made.event("ringing", name='<script>alert("x")</script>'))
        page = operator.page("/hotline")
        assert "+8613940012345" in page
        assert "振铃中" in page
        assert "该号码首次来电" in page
        assert "<script>alert" not in page
        assert "First call of this number." in operator.page("/hotline?lang=en")
        [call] = popup(operator)["calls"]
        fields = {
            "outcome": "report", "category": "event:0102", "place": "123.433, 41.79", "text": "垃圾", "name": "李先生", "about": "",
        }  # fmt: skip
        path, token = f"/hotline/calls/{call['call']}", operator.form_token("/hotline")
        bad = operator.post(path, {**fields, "place": "here, there"}, token)
        assert (bad.status_code, "not decimal degrees" in bad.text) == (422, True)
        good = operator.post(path, fields, token)
        assert (good.status_code, good.headers["location"]) == (303, f"/hotline?done={call['call']}")
        react(made.node)
        [case] = made.cases()
        assert (case.lon_e7, case.lat_e7) == (1_234_330_000, 417_900_000)


def test_the_page_waits_for_calls(tmp_path: Path) -> None:
    """The long poll of the page's script is answered by the next event, not by its end."""
    with desk(tmp_path) as made:
        pbx, operator = made.machine(), made.operator()
        seen = popup(operator)["seen"]
        later = threading.Timer(0.3, lambda: send(pbx, "POST", EVENTS, made.event("ringing")))
        later.start()
        began = time.monotonic()
        answer = popup(operator, seen=seen, wait=20)
        later.join()
        assert time.monotonic() - began < 10
        assert (answer["seen"], len(answer["calls"])) == (seen + 1, 1)


def test_who_waits_does_not_hold_up_the_node(tmp_path: Path) -> None:
    """A page that waits for calls is answered when the node stops."""
    board = Board()

    async def stop_meanwhile() -> tuple[int, int]:
        ringing = asyncio.create_task(board.ring(None))
        await asyncio.sleep(0)
        waiting = asyncio.create_task(board.wait(0, 60))
        await asyncio.sleep(0)
        ringing.cancel()
        return await asyncio.wait_for(waiting, 5), await asyncio.wait_for(board.wait(0, 60), 5)

    assert asyncio.run(stop_meanwhile()) == (0, 0)


def test_every_word_is_said_in_chinese(tmp_path: Path) -> None:
    package = files("wanmi_hotline")
    template = (package / "templates" / "hotline.html").read_text(encoding="utf-8")
    used = set(re.findall(r't\("([^"]+)"\)', template))
    zh = json.loads((package / "locales" / "zh.json").read_text(encoding="utf-8"))
    en = json.loads((package / "locales" / "en.json").read_text(encoding="utf-8"))
    assert used - zh.keys() == set()
    assert en.keys() - zh.keys() == set()


@pytest.mark.parametrize("name", ["hotline.css", "hotline.js"])
def test_its_files_are_served(tmp_path: Path, name: str) -> None:
    with desk(tmp_path) as made:
        operator = made.operator()
        assert f"/static/hotline/{name}?v=" in operator.request("GET", "/hotline", headers=PAGE).text
        assert operator.get(f"/static/hotline/{name}").status_code == 200
        assert operator.get("/static/hotline/other").status_code == 404
