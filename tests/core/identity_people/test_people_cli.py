"""`wanmi people …` on a node that does not run: units, shifts, locks, second factors, sessions; plain errors."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from typer.testing import CliRunner

from wanmi.cli.people import app
from wanmi.clock import SystemClock
from wanmi.errors import WanmiError
from wanmi.identity.totp import hotp, step_at
from wanmi.testing import small_node


@pytest.fixture
def dir(tmp_path: Path) -> Path:
    with small_node(tmp_path / "node") as node:
        return node.dir


def wanmi(*words: str, given: str = "") -> str:
    answer = CliRunner().invoke(app, list(words), input=given)
    if isinstance(answer.exception, WanmiError):
        raise answer.exception
    assert answer.exit_code == 0, answer.output
    return answer.stdout


def test_people_from_the_command_line(dir: Path) -> None:
    at = str(dir)
    wanmi("add", at, "wang", "--post", "department", "--name", "王敏", given="correct horse battery\n")
    wanmi("units", "add", at, "roads", "市政")
    wanmi("units", "join", at, "wang", "roads")
    assert json.loads(wanmi("units", "list", at, "--json"))[0]["members"] == ["wang"]

    wanmi("shifts", "add", at, "wang", "department", "2026-11-24T08:00", "2026-11-24T16:00")
    [shift] = json.loads(wanmi("shifts", "list", at, "--day", "2026-11-24", "--json"))
    assert shift["starts_at"] == 1_795_478_400_000_000
    assert "2026-11-24 08:00" in wanmi("shifts", "list", at)
    wanmi("shifts", "remove", at, shift["id"])
    assert wanmi("shifts", "list", at).strip() == "none"

    wanmi("lock", at, "wang", "--hours", "2", "--reason", "a try")
    assert "a try" in wanmi("locks", "list", at)
    wanmi("unlock", at, "wang")
    assert wanmi("locks", "list", at).strip() == "none"

    uri = wanmi("totp", "begin", at, "wang").strip()
    key = base64.b32decode(parse_qs(urlsplit(uri).query)["secret"][0])
    recovery = wanmi("totp", "confirm", at, "wang", hotp(key, step_at(SystemClock().now()))).split()
    assert len(recovery) == 10
    assert "10 codes left" in wanmi("totp", "show", at, "wang")
    wanmi("totp", "remove", at, "wang")
    assert wanmi("totp", "show", at, "wang").strip() == "none"
    assert wanmi("sessions", "list", at).strip() == "none"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("units", "add", "a b", "x"), "unit 'a b'"),
        (("units", "join", "ghost", "roads"), "login ghost"),
        (("shifts", "add", "ghost", "operator", "tomorrow", "later"), "2026-11-24T08:00"),
        (("shifts", "remove", "s0"), "no such shift"),
        (("totp", "begin", "ghost"), "login ghost"),
        (("sessions", "end", "x"), "no such session"),
    ],
)
def test_errors_say_what_was_wrong(dir: Path, words: tuple[str, ...], said: str) -> None:
    group, act, *rest = words
    with pytest.raises(WanmiError, match=said):
        wanmi(group, act, str(dir), *rest)
