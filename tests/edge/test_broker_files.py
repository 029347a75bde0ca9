"""What brokers are told, and how the edge chooses one. Pure, or on a directory."""

from __future__ import annotations

import json
import os
import signal
import socket
import stat
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from pydantic import ValidationError

from wanmi.errors import BadInput, NotFound, StoreError
from wanmi_edge.broker import (
    choose_kind,
    choose_port,
    end_stale,
    external_address,
    free_port,
    is_running,
    local_users,
    write_private,
)
from wanmi_edge.broker_files import BrokerFiles, Listener, acl_rules, iotcore_config, mosquitto_config, password_lines
from wanmi_edge.settings import BrokerSettings


def test_mosquitto_lets_nobody_in_without_a_password(tmp_path: Path) -> None:
    lines = mosquitto_config(BrokerFiles(tmp_path), [Listener("127.0.0.1", 1883)], "root").splitlines()
    assert "allow_anonymous false" in lines
    assert f"password_file {tmp_path / 'passwords'}" in lines
    assert f"acl_file {tmp_path / 'acl'}" in lines
    assert lines[-1] == "listener 1883 127.0.0.1"


def test_a_terminal_may_only_be_itself() -> None:
    rules = acl_rules("21010201").splitlines()
    patterns = [rule for rule in rules if rule.startswith("pattern")]
    assert patterns
    assert all("/%u/" in rule for rule in patterns)
    assert [rule for rule in rules if rule.startswith("topic")] == ["topic readwrite #"]
    assert rules[0] == "user 21010201"


def test_iotcore_speaks_version_5_only_and_any_password_is_written_right() -> None:
    toml = tomllib.loads(iotcore_config("127.0.0.1", 18830, {"T210102-0001": 'qu"ote\\', "21010201": "x"}))
    assert "v4" not in toml
    connections = toml["v5"]["1"]["connections"]
    assert connections["auth"] == {"T210102-0001": 'qu"ote\\', "21010201": "x"}
    assert connections["max_payload_size"] > 256 * 1024
    assert toml["v5"]["1"]["listen"] == "127.0.0.1:18830"


def test_password_lines_are_sorted_so_that_changes_show() -> None:
    assert password_lines({"b": "$7$x", "a": "$7$y"}) == "a:$7$y\nb:$7$x\n"


def test_private_files_are_the_owners_only(tmp_path: Path) -> None:
    write_private(tmp_path / "x", "secret")
    write_private(tmp_path / "x", "secret 2")
    assert (tmp_path / "x").read_text() == "secret 2"
    assert stat.S_IMODE((tmp_path / "x").stat().st_mode) == 0o600


def test_a_port_is_chosen_once_and_kept_while_it_is_free(tmp_path: Path) -> None:
    files = BrokerFiles(tmp_path)
    first = choose_port(BrokerSettings(), files)
    assert choose_port(BrokerSettings(), files) == first
    assert choose_port(BrokerSettings(port=1884), files) == 1884
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", first))
        taken.listen()
        other = choose_port(BrokerSettings(), files)
        assert other != first
    assert choose_port(BrokerSettings(), files) == other


def test_the_kind_follows_the_settings() -> None:
    assert choose_kind(BrokerSettings(kind="iotcore")) == "iotcore"
    assert choose_kind(BrokerSettings(url="mqtt://127.0.0.1")) == "external"
    assert choose_kind(BrokerSettings()) == "mosquitto"


@pytest.mark.parametrize("wrong", [{"kind": "external"}, {"kind": "iotcore", "listen": "0.0.0.0"}, {"port": 70000}])
def test_settings_that_cannot_work_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        BrokerSettings.model_validate(wrong)


def test_an_external_broker_needs_tls_off_loopback_and_its_password_file(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="mqtts"):
        external_address(BrokerSettings(url="mqtt://broker.example"))
    secret = tmp_path / "password"
    secret.write_text("word\n")
    address = external_address(BrokerSettings(url="mqtts://me@broker.example", password_file=str(secret)))
    assert (address.user, address.password, address.port, address.tls) == ("me", "word", 8883, True)
    with pytest.raises(NotFound, match="password_file"):
        external_address(BrokerSettings(url="mqtt://me@127.0.0.1", password_file=str(tmp_path / "none")))


def test_local_users_are_those_that_are_admitted(tmp_path: Path) -> None:
    path = tmp_path / "local_users.json"
    assert local_users(path, {"a": ""}) == {}
    path.write_text(json.dumps({"a": "1", "stranger": "2"}))
    assert local_users(path, {"a": "", "b": ""}) == {"a": "1"}
    path.write_text("[1")
    with pytest.raises(StoreError, match="local_users"):
        local_users(path, {})


def test_a_broker_left_by_a_killed_node_is_ended_and_nothing_else(tmp_path: Path) -> None:
    mark = str(tmp_path / "broker")
    ours = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)", mark])
    other = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    try:
        pid = tmp_path / "pid"
        pid.write_text(f"{other.pid}\n")
        end_stale(pid, mark)
        assert is_running(other.pid)
        pid.write_text(f"{ours.pid}\n")
        end_stale(pid, mark)
        assert ours.wait(5) == -signal.SIGTERM
    finally:
        for process in (ours, other):
            process.kill()
            process.wait()
    end_stale(tmp_path / "none", mark)


def test_free_ports_are_free() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", free_port()))
    assert os.getpid()
