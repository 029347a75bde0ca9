"""The wall agent's parts: which pages are allowed, what is read, how the browser is kept."""

from __future__ import annotations

import contextlib
import json
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wanmi.devices import walls
from wanmi.devices.walls import WallOrder, WallStatus
from wanmi.errors import BadInput, DeviceGarbled, NotAllowed, SettingsError
from wanmi_hardware.wall.agent import remember, remembered
from wanmi_hardware.wall.browser import Browser, run_program
from wanmi_hardware.wall.settings import WallSettings, read_settings

GOOD: dict[str, Any] = {"wall": "wall-1", "broker": "mqtt://127.0.0.1:1883", "password_file": Path("p")}
SETTINGS = WallSettings(**GOOD, allow=("https://node.example/map", "http://10.0.0.5:8080/"))


@pytest.mark.parametrize(
    "url",
    [
        "https://node.example/map",
        "https://node.example/map/a?b=c#d",
        "https://node.example:443/map?x",
        "http://10.0.0.5:8080/any/where",
    ],
)
def test_pages_of_the_list(url: str) -> None:
    assert SETTINGS.need_allowed(url) == url


@pytest.mark.parametrize(
    "url",
    [
        "", "node.example/map", "ftp://node.example/map", "javascript:alert(1)", "file:///etc/passwd", "http://node.example/map",
        "https://node.example/", "https://node.example/mapper", "https://node.example/map/../admin", "https://node.example/map/%2e%2e/admin",
        "https://node.example.evil/map", "https://node.example@evil/map", "https://evil\\@node.example/map", "https://u:p@node.example/map",
        "https://node.example:444/map", "https://node.example:x/map", "https://node.example/map\n--flag", "https://node.example/map --flag",
        "http://10.0.0.5/", "https://[node.example/map", "https://node.example/map/" + "a" * 2000,
    ],
)  # fmt: skip
def test_nothing_else(url: str) -> None:
    with pytest.raises(NotAllowed):
        SETTINGS.need_allowed(url)


@given(st.text(max_size=80))
def test_any_text_is_refused_or_below_an_allowed_page(text: str) -> None:
    for url in (text, f"https://node.example{text}", f"https://node.example/map{text}"):
        try:
            SETTINGS.need_allowed(url)
        except NotAllowed:
            continue
        assert url.startswith(("https://node.example/map", "https://node.example:443/map", "http://10.0.0.5:8080"))


def test_settings_say_what_is_wrong(tmp_path: Path) -> None:
    file = tmp_path / "wall.toml"
    for text, match in (
        ('wall = "hall"', "write wall-"),
        ('wall = "wall-1"\nbroker = "mqtt://127.0.0.1"\npassword_file = "p"\nallow = ["ftp://x"]', "allow"),
        (
            'wall = "wall-1"\nbroker = "mqtt://127.0.0.1"\npassword_file = "p"\nallow = ["http://x/"]\nbrowser = ["{url}"]',
            "browser",
        ),
        ('walls = "x"', "walls"),
        ("not toml", "wall.toml"),
    ):
        file.write_text(text)
        with pytest.raises(SettingsError, match=match):
            read_settings(file)
    file.write_text('wall = "wall-1"\nbroker = "mqtt://10.0.0.1"\npassword_file = "p"\nallow = ["http://x/"]')
    assert read_settings(file).password_file == tmp_path / "p"
    with pytest.raises(BadInput, match="over TLS"):
        read_settings(file).address()


@given(
    st.one_of(
        st.binary(max_size=80), st.text(max_size=40).map(lambda t: json.dumps({"id": t, "name": t, "v": 1}).encode())
    )
)
def test_any_bytes_are_an_order_a_status_or_refused(raw: bytes) -> None:
    with contextlib.suppress(BadInput):
        walls.read_order(raw)
    with pytest.raises(DeviceGarbled):
        walls.read_status("wanmi/walls/v1/wall-1/status", raw)


def test_orders_and_statuses_come_back_as_they_went() -> None:
    order = WallOrder("a", "show", "https://node.example/map")
    assert walls.read_order(walls.encode(order)) == order
    status = WallStatus("wall-1", "up", page="https://x/", order="a", done=True)
    assert walls.read_status("wanmi/walls/v1/wall-1/status", walls.encode(status)) == status
    with pytest.raises(DeviceGarbled, match="speaks of"):
        walls.read_status("wanmi/walls/v1/wall-2/status", walls.encode(status))


def test_a_page_is_remembered(tmp_path: Path) -> None:
    file = tmp_path / "wall.json"
    assert remembered(file) == ""
    remember(file, "https://x/")
    assert remembered(file) == "https://x/"
    file.write_text("half a li")
    assert remembered(file) == ""


def test_a_browser_that_ends_is_started_again_later_each_time(tmp_path: Path) -> None:
    log, now = tmp_path / "log", 0.0
    browser = Browser((sys.executable, "-c", f"open({str(log)!r}, 'a').write('x')", "{url}"), lambda: now)
    assert browser.show("https://x/") == ""
    starts, waits = 1, []
    for _ in range(3):
        wait_for_end(browser)
        browser.look()
        before = now
        while not browser.runs and log.stat().st_size == starts:
            now += 0.5
            browser.look()
            if browser._process is not None:
                break
        waits.append(now - before)
        starts += 1
        wait_for_end(browser)
    assert waits == sorted(waits)
    assert waits[2] > waits[0]
    assert log.stat().st_size == starts
    browser.close()
    assert (
        Browser(("/no/such/browser", "{url}"), lambda: 0.0)
        .show("https://x/")
        .startswith("/no/such/browser: No such file")
    )
    assert "ended with 3" in run_program((sys.executable, "-c", "raise SystemExit(3)"))


def wait_for_end(browser: Browser) -> None:
    until = time.monotonic() + 10
    while browser.runs and time.monotonic() < until:
        time.sleep(0.01)
    assert not browser.runs


def test_a_message_nested_without_end_is_refused() -> None:
    """Found by the fuzzer: a field that nobody knows, 1,200 objects deep, was a RecursionError."""
    deep = b'{"a":' * 1200
    with pytest.raises(DeviceGarbled):
        walls.read_status("wanmi/walls/v1/wall-hall-1/status", deep)
    with pytest.raises(BadInput):
        walls.read_order(deep)
