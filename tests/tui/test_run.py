"""Starting: where the token comes from, what is refused, how long it takes; the browser's one session."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tui.edge_node import free_port
from wanmi.errors import BadInput
from wanmi_tui.client import checked_url
from wanmi_tui.run import language, read_tokens
from wanmi_tui.serve import COOKIE

COLD = 1.5
"""Seconds until the first screen stands."""


def test_tokens_come_from_a_file_or_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WANMI_TOKEN", raising=False)
    file = tmp_path / "token"
    file.write_text("wanmi_a\n")
    file.chmod(0o600)
    assert read_tokens(str(file), 2) == ["wanmi_a", "wanmi_a"]
    file.write_text("wanmi_a\nwanmi_b\n")
    assert read_tokens(str(file), 2) == ["wanmi_a", "wanmi_b"]
    with pytest.raises(BadInput, match="2 tokens for 3 nodes"):
        read_tokens(str(file), 3)
    file.write_text("")
    with pytest.raises(BadInput, match="is empty"):
        read_tokens(str(file), 1)
    with pytest.raises(BadInput, match="nothing-here"):
        read_tokens(str(tmp_path / "nothing-here"), 1)
    monkeypatch.setenv("WANMI_TOKEN", "wanmi_c")
    assert read_tokens("", 1) == ["wanmi_c"]


def test_addresses_and_languages() -> None:
    assert checked_url("10.1.2.3:8000") == "http://10.1.2.3:8000"
    assert checked_url("https://edge:8443/") == "https://edge:8443"
    for wrong in ("ftp://edge", "http://user@edge", "http://edge/api", "http://"):
        with pytest.raises(BadInput, match="--url"):
            checked_url(wrong)
    assert language("en") == "en"
    with pytest.raises(BadInput, match="zh or en"):
        language("fr")


def test_a_missing_extra_is_named() -> None:
    hide = "import sys; sys.modules['textual'] = None; sys.argv = ['wanmi', 'tui', '--url', 'http://127.0.0.1:1']\n"
    done = subprocess.run(
        [sys.executable, "-c", hide + "from wanmi.cli import main; main()"],
        check=False, capture_output=True, text=True, timeout=60, env={**os.environ, "WANMI_TOKEN": "wanmi_x"},
    )  # fmt: skip
    assert done.returncode == 1
    assert "needs wanmi[tui]" in done.stderr


def test_it_stands_at_once_though_no_node_answers() -> None:
    """The whole way in a new process, in processor time: this machine may be busy."""
    code = (
        "import asyncio, time\n"
        "from wanmi_tui.run import *\n"
        "from wanmi_tui.app import WanmiApp\n"
        "from wanmi_tui.client import NodeClient\n"
        "async def play():\n"
        "    app = WanmiApp([NodeClient('http://127.0.0.1:1', 't')], 'en')\n"
        "    async with app.run_test(size=(80, 24)) as pilot:\n"
        "        await pilot.pause()\n"
        "        print('cold', time.process_time())\n"
        "asyncio.run(play())\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    found = re.search(r"cold ([0-9.]+)", done.stdout)
    assert found is not None
    assert float(found[1]) < COLD


def test_the_browser_has_one_session_and_nothing_from_elsewhere(tmp_path: Path) -> None:
    token, port = tmp_path / "token", free_port()
    token.write_text("wanmi_a")
    token.chmod(0o600)
    command = [
        sys.executable,
        "-m",
        "wanmi.cli",
        "tui",
        "--url",
        "http://127.0.0.1:1",
        "--token-file",
        str(token),
        "--serve",
    ]
    with subprocess.Popen([*command, "--port", str(port)], stdout=subprocess.PIPE, text=True) as served:
        try:
            assert served.stdout is not None
            line = served.stdout.readline()
            address = line.split()[-1]
            assert address.startswith(f"http://127.0.0.1:{port}/?once=")
            look_at(f"http://127.0.0.1:{port}", address)
        finally:
            served.terminate()


def look_at(base: str, address: str) -> None:
    with httpx.Client(base_url=base, trust_env=False) as stranger:
        assert stranger.get("/").status_code == 403
        assert stranger.get("/static/js/textual.js").status_code == 403
        assert stranger.get("/?once=guess").status_code == 403
        assert stranger.get(address, headers={"host": "evil.example"}).status_code == 403
    with httpx.Client(base_url=base, trust_env=False, follow_redirects=True) as first:
        page = first.get(address)
        assert page.status_code == 200
        assert "default-src 'none'" in page.headers["content-security-policy"]
        assert not re.findall(r"(?:src|href)=\"(?!/own/|data:,|" + re.escape(base) + '/static/)[^"]*"', page.text)
        for place in re.findall(r"(?:src|href)=\"([^\"d]+[^\"]*)\"", page.text):
            assert first.get(place).status_code == 200, place
        assert first.get("/ws", headers={"origin": "http://evil.example"}).status_code == 403
        cookie = first.cookies[COOKIE]
    with httpx.Client(base_url=base, trust_env=False) as second:
        assert second.get(address).status_code == 403, "the address works once"
        second.cookies.set(COOKIE, cookie[:-1] + "!")
        assert second.get("/").status_code == 403
