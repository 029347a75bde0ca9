"""The command line: quick to help, one line for an error, exit codes that scripts can use."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from support.live import environment, install_plugin, wanmi

LAZY = """
import typer
from wanmi.hookspecs import hookimpl

@hookimpl
def register(to):
    to.command("greet", load, help="Greets.")

def load():
    app = typer.Typer()

    @app.command()
    def hello(name: str) -> None:
        print("hello", name)

    return app
"""


def init(dir: Path, *more: object) -> dict[str, str]:
    arguments = ("--role", "district", "--code", "210102", "--plugins", ",", "--json", *more)
    done = wanmi("init", dir, *arguments)
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))


def test_help_imports_nothing_heavy(tmp_path: Path) -> None:
    env = environment(XDG_CACHE_HOME=str(tmp_path))
    wanmi("--help", env=env)
    code = (
        "import sys\nfrom wanmi.cli import main\nsys.argv[1:] = ['--help']\n"
        "try:\n    main()\nexcept SystemExit as end:\n    assert not end.code\n"
        "heavy = {'fastapi', 'shapely', 'pyproj', 'sqlalchemy', 'pydantic', 'zmq', 'structlog', 'cryptography'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "init" in done.stdout


def test_a_plugins_command_is_listed_and_loaded(tmp_path: Path) -> None:
    place = install_plugin(tmp_path / "site", "greeter", LAZY)
    env = environment(place, XDG_CACHE_HOME=str(tmp_path / "cache"))
    for _ in ("first", "from the cache"):
        assert "Greets." in wanmi("--help", env=env).stdout
    assert wanmi("greet", "hello", "you", env=env).stdout == "hello you\n"
    assert "greet" not in wanmi("--help", env=environment(XDG_CACHE_HOME=str(tmp_path / "cache"))).stdout


def test_a_plugin_that_cannot_be_loaded_is_named_when_a_command_is_missing(tmp_path: Path) -> None:
    place = install_plugin(tmp_path / "site", "lame", "import not_there_at_all\n")
    done = wanmi("greet", env=environment(place, XDG_CACHE_HOME=str(tmp_path / "cache")))
    assert done.returncode == 1
    assert "lame: needs wanmi[lame] (python module not_there_at_all is not installed)" in done.stderr


def test_errors_are_one_line(tmp_path: Path) -> None:
    for arguments in (("status", tmp_path / "nix"), ("run", tmp_path / "nix"), ("node", "card", tmp_path)):
        done = wanmi(*arguments)
        assert done.returncode == 1
        assert done.stderr.startswith("wanmi: "), done.stderr
        assert done.stderr.count("\n") == 1, done.stderr


def test_a_city_is_enrolled_by_hand(tmp_path: Path) -> None:
    city, district = tmp_path / "city", tmp_path / "district"
    made = wanmi(
        "init", city, "--role", "city", "--code", "210100", "--plugins", ",", "--listen", "tcp://127.0.0.1:7400"
    )
    assert made.returncode == 0, made.stderr
    card = wanmi("node", "card", city).stdout.strip()
    assert card in made.stdout
    child = init(district, "--parent", card)
    admitted = wanmi("node", "admit", city, child["token"])
    assert child["sign_fingerprint"] in admitted.stdout
    again = wanmi("node", "admit", city, child["token"])
    assert again.returncode == 1
    assert "used before" in again.stderr
    assert wanmi("node", "revoke", city, "210102", "--reason", "moved").returncode == 0
    fresh = wanmi("node", "token", district).stdout.strip()
    assert wanmi("node", "admit", city, fresh).returncode == 0
    nodes = json.loads(wanmi("node", "list", city, "--json").stdout)
    assert [(node["code"], node["state"]) for node in nodes] == [("210100", "admitted"), ("210102", "admitted")]
    assert "210102" in wanmi("node", "list", city).stdout


def test_a_node_is_not_made_over_another(tmp_path: Path) -> None:
    init(tmp_path / "n")
    before = (tmp_path / "n" / "keys" / "sign.key").read_bytes()
    done = wanmi("init", tmp_path / "n", "--role", "district", "--code", "210102", "--plugins", ",")
    assert (done.returncode, "already" in done.stderr) == (1, True)
    assert (tmp_path / "n" / "keys" / "sign.key").read_bytes() == before


def test_passwords_come_by_standard_input(tmp_path: Path) -> None:
    init(tmp_path / "n")
    added = wanmi("people", "add", tmp_path / "n", "zhang", "--post", "operator", stdin="a long password\n")
    assert "added zhang (operator)" in added.stdout, added.stderr
    assert "zhang" in wanmi("people", "list", tmp_path / "n").stdout
    assert wanmi("people", "passwd", tmp_path / "n", "zhang", stdin="another long one\n").returncode == 0
    assert "standard input" in wanmi("people", "passwd", tmp_path / "n", "zhang").stderr
    assert wanmi("people", "lock", tmp_path / "n", "zhang").returncode == 0
    assert json.loads(wanmi("people", "list", tmp_path / "n", "--json").stdout)[0]["active"] is False
    token = wanmi("token", "add", tmp_path / "n", "cron", "--scope", "read", "--days", "1").stdout
    assert token.startswith("wanmi_t")
    assert "cron" in wanmi("token", "list", tmp_path / "n").stdout


def test_proof_commands_end_with_1_and_findings(tmp_path: Path) -> None:
    node, bundle = tmp_path / "n", tmp_path / "bundle"
    init(node)
    assert wanmi("journal", "verify", node).returncode == 0
    assert wanmi("replay", node, "--check").stdout == "1 entries replayed, 0 rows differ\n"
    assert json.loads(wanmi("journal", "show", node).stdout)["kind"] == "node.admitted"
    assert wanmi("journal", "export", node, bundle).returncode == 0
    assert wanmi("journal", "verify", bundle).returncode == 0
    redacted = wanmi("journal", "export", node, "--redact", "node.*").stdout
    assert "sign_key" not in redacted
    with sqlite3.connect(node / "journal.db") as database:
        database.execute("UPDATE entry SET at = at - 1")
        database.execute("UPDATE node SET name = 'forged'")
    verified = wanmi("journal", "verify", node)
    assert verified.returncode == 1
    assert "chain 210102, entry 1" in verified.stdout
    assert "Traceback" not in verified.stderr
    assert json.loads(wanmi("journal", "verify", node, "--json").stdout)["ok"] is False
    replayed = wanmi("replay", node, "--check")
    assert (replayed.returncode, "1 rows differ" in replayed.stdout) == (1, True)


@pytest.mark.parametrize(
    "arguments", [("journal", "verify", "nowhere"), ("journal", "show", "nowhere"), ("replay", "nowhere")]
)
def test_proof_commands_have_no_tracebacks(arguments: tuple[str, ...]) -> None:
    done = wanmi(*arguments)
    assert done.returncode == 1
    assert done.stderr.startswith("wanmi: ")
