"""``wanmi messages …`` as somebody types it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from plugins.messenger.nodes import SMTP, district
from support.live import environment, wanmi

Run = Callable[..., "CompletedProcess[str]"]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """The command line, with the messenger installed."""
    info = tmp_path / "installed" / "wanmi_messenger_here-1.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: wanmi-messenger-here\nVersion: 1\n")
    (info / "entry_points.txt").write_text("[wanmi.plugins]\nmessenger = wanmi_messenger\n")
    env = environment(info.parent, XDG_CACHE_HOME=str(tmp_path / "cache"))
    return lambda *arguments: wanmi("messages", *arguments, env=env)


def test_a_day_at_the_command_line(tmp_path: Path, run: Run) -> None:
    sections = {
        "messenger.smtp": {**SMTP, "port": 9},
        "messenger.webhooks.archive": {"url": "http://127.0.0.1:9/", "secret_file": "keys/archive"},
    }
    with district(tmp_path, sections) as node:
        dir = node.dir
    roster, book = tmp_path / "roster.csv", tmp_path / "book.toml"
    roster.write_text("person,post,unit,from,to\np-9,operator,,,\n")
    assert "duties: 1" in run("roster", dir, roster).stdout
    assert "p-9" in run("on-duty", dir, "--post", "operator", "--at", "2126-01-01 00:00").stdout
    id = run("test", dir, "smtp", "li@city.example").stdout.split()[-1]
    assert f"dropped {id}" in run("drop", dir, id).stdout
    assert f"queued {id}" in run("resend", dir, id).stdout
    (listed,) = json.loads(run("list", dir, "--json").stdout)
    assert (listed["id"], listed["state"]) == (id, "queued")
    assert run("rotate", dir, "archive").stdout.startswith("whsec_")
    book.write_text(run("book", "print", dir).stdout)
    assert "good: 5 rules" in run("book", "check", book).stdout
    assert "version 1" in run("book", "activate", dir, book).stdout
    assert "overdue" in run("book", "preview", dir, "overdue", "--lang", "en").stdout
    book.write_text("[[rule")
    wrong = run("book", "check", book)
    assert wrong.returncode != 0
    assert "the book is no TOML" in wrong.stderr
