"""``wanmi terminal`` as a person uses it."""

from __future__ import annotations

import json
import stat
from collections.abc import Callable
from importlib import resources
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from plugins.terminal.fakes import TERMINAL, Broker, FakeEdge
from wanmi.errors import BadInput, Conflict, NeedsExtra
from wanmi.ids import SystemIds
from wanmi.registry import Registry
from wanmi.reports import read_card, verifier_matches
from wanmi_terminal import command, register
from wanmi_terminal.broker import BrokerUrl
from wanmi_terminal.cli import LEFT, app
from wanmi_terminal.home import Home, init_home, open_home
from wanmi_terminal.status import texts

SAMPLES = Path(str(resources.files("wanmi_terminal") / "samples"))
SHIFT = ["--shift-to", "123.43,41.79"]


def call(*arguments: object, code: int = 0) -> Result:
    result = CliRunner(env={"COLUMNS": "160"}).invoke(app, [str(argument) for argument in arguments])
    assert result.exit_code == code, result.output + result.stderr
    return result


def last_json(result: Result) -> dict[str, object]:
    found: dict[str, object] = json.loads(result.stdout.splitlines()[-1])
    return found


def test_the_plugin_brings_the_command() -> None:
    registry = Registry()
    with registry.filling("terminal", "0"):
        register(registry)
    assert registry.commands["terminal"].load() is app


def test_init_makes_secrets_that_only_the_owner_reads_and_prints_the_card(tmp_path: Path) -> None:
    where = tmp_path / "t"
    card = read_card(call("init", where, "--id", TERMINAL, "--broker", "mqtt://127.0.0.1:1883").stdout)
    assert card.terminal == TERMINAL
    assert call("card", where).stdout.strip() == open_home(where).card()
    password = (where / "broker.password").read_text()
    assert verifier_matches(card.broker_verifier, password)
    assert {stat.S_IMODE((where / name).stat().st_mode) for name in ("sign.key", "broker.password")} == {0o600}
    assert password not in (where / "terminal.json").read_text()
    assert "set up here already" in call("init", where, "--id", TERMINAL, code=1).stderr


@pytest.mark.parametrize("terminal", ["T210102-1", "210102-0001", "T210102-0001\n", ""])
def test_a_terminals_id_has_its_form(terminal: str, tmp_path: Path) -> None:
    with pytest.raises(BadInput):
        init_home(tmp_path / "t", terminal, SystemIds())
    assert not (tmp_path / "t").exists()


@pytest.mark.parametrize("damage", ["sign.key", "broker.password", "terminal.json"])
def test_a_damaged_directory_is_named(damage: str, home: Home) -> None:
    (home.dir / damage).unlink()
    assert damage in call("status", home.dir, code=1).stderr
    if damage != "broker.password":
        (home.dir / damage).write_bytes(b"?")
        assert "not a terminal's directory" in call("status", home.dir, code=1).stderr


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("mqtt://127.0.0.1", "mqtt://127.0.0.1:1883"),
        ("mqtt://localhost:1999", "mqtt://localhost:1999"),
        ("mqtts://edge.example", "mqtts://edge.example:8883"),
    ],
)
def test_broker_urls(url: str, shown: str) -> None:
    assert str(BrokerUrl.parse(url)) == shown


@pytest.mark.parametrize(
    "url", ["", "http://x", "mqtt://", "mqtt://10.0.0.1", "mqtts://u:p@x", "mqtts://x/y", "mqtts://x:y"]
)
def test_other_broker_urls_are_bad_input(url: str) -> None:
    with pytest.raises(BadInput, match="broker"):
        BrokerUrl.parse(url)


def test_only_one_process_sends(home: Home) -> None:
    with home.sending(), pytest.raises(Conflict, match=TERMINAL):
        home.sending().__enter__()


def test_offline_reports_are_kept_and_shown(home: Home) -> None:
    broker = ["--broker", "mqtt://127.0.0.1:9", "--wait", "0"]
    call("report", home.dir, "--category", "0102", "--lon", "123.43", "--lat", "41.79", *broker, code=LEFT)
    walk = ["run", home.dir, "--gpx", SAMPLES / "mojstrovka.gpx", *SHIFT, "--reports", 5, "--every", 0, "--json"]
    result = last_json(call(*walk, *broker, code=LEFT))
    assert (result["new"], result["safe"]) == (6, 0)
    assert "待上报" in call("status", home.dir).stdout
    assert "to be sent" in call("status", home.dir, "--lang", "en").stdout
    assert last_json(call("status", home.dir, "--json"))["new"] == 6


@pytest.mark.mosquitto
def test_a_walk_along_a_receivers_log(home: Home, broker: Broker, make_edge: Callable[..., FakeEdge]) -> None:
    edge = make_edge()
    walk = ["run", home.dir, "--nmea", SAMPLES / "haicom-305n.log", *SHIFT, "--step", 2, "--reports", 20, "--every", 0]
    photo = ["--photo-size", 4000, "--photo-every", 5, "--datum", "gcj-02"]
    result = last_json(call(*walk, *photo, "--broker", broker.url, "--seed", 1, "--json"))
    assert (result["safe"], result["new"], result["refused"]) == (20, 0, 0)
    assert len(edge.parts) == 4


@pytest.mark.mosquitto
def test_one_report_and_a_refused_one(home: Home, broker: Broker, make_edge: Callable[..., FakeEdge]) -> None:
    edge = make_edge(
        lambda message, _times: ["kept", "safe"] if message.report.category == "0102" else ["unknown_category"]
    )
    place = ["--lon", "123.43", "--lat", "41.79", "--broker", broker.url]
    call("report", home.dir, "--category", "0102", "--text", "井盖松动", *place)
    call("report", home.dir, "--category", "9999", *place)
    status = call("status", home.dir).stdout
    assert "小类代码不在本市现行目录中" in status
    (refused,) = last_json(call("status", home.dir, "--json"))["refusals"]  # type: ignore[misc]
    assert refused["reason"] == "unknown_category"
    edge.answer = lambda _message, _times: ["kept", "safe"]
    call("resend", home.dir)
    assert last_json(call("sync", home.dir, "--broker", broker.url, "--json"))["safe"] == 2


def test_refused_reports_can_be_discarded(home: Home) -> None:
    call("discard", home.dir, "no-such-report")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ([], "--gpx FILE or --nmea FILE"),
        (["--gpx", "no-such-file"], "no-such-file"),
        (["--gpx", SAMPLES / "mojstrovka.gpx", "--shift-to", "41.79,123.43"], "swapped"),
        (["--gpx", SAMPLES / "mojstrovka.gpx", "--datum", "WGS72"], "WGS72"),
        (["--gpx", SAMPLES / "mojstrovka.gpx", "--category", "X"], "E0102 for an event"),
        (["--gpx", SAMPLES / "mojstrovka.gpx"], "--broker"),
    ],
)
def test_mistakes_are_told_in_one_line(arguments: list[object], told: str, home: Home) -> None:
    error = call("run", home.dir, *arguments, code=1).stderr
    assert told in error
    assert error.count("\n") == 1


def test_both_languages_have_the_same_words() -> None:
    assert texts("zh").keys() == texts("en").keys()


def test_without_its_extra_the_command_says_which(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "NEEDED", ("paho", "no_such_package"))
    with pytest.raises(NeedsExtra, match=r"needs wanmi\[terminal\] .*no_such_package"):
        command.load_app()
