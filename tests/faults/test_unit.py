"""The shipped unit under a real systemd: ready, killed, hung, stopped."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from support.live import until
from support.systemd import Systemd

NODE = "wanmi@box"
DROPIN = """\
[Service]
# the tree's Python stands under /opt for this test
Environment=LD_LIBRARY_PATH=/opt/python/lib PYTHONDONTWRITEBYTECODE=1
# a minute is too long to wait for
WatchdogSec=5
StandardOutput=append:/run/wanmi.txt
StandardError=append:/run/wanmi.txt
"""

pytestmark = [pytest.mark.long, pytest.mark.processes]


@pytest.fixture
def systemd(tmp_path: Path) -> Iterator[Systemd]:
    with Systemd(tmp_path / "systemd", DROPIN) as made:
        yield made


def make_node(systemd: Systemd) -> None:
    """As the appliance's page says: a directory of user wanmi's, made by them."""
    systemd.run("install", "-d", "-m", "700", "-o", "wanmi", "-g", "wanmi", "/var/lib/wanmi")
    init = ("/opt/wanmi/bin/wanmi", "init", "/var/lib/wanmi/box", "--role", "district", "--code", "210102")
    listen = ("--listen", "tcp://127.0.0.1:0", "--web", "127.0.0.1:0")
    environ = ("env", "LD_LIBRARY_PATH=/opt/python/lib")
    systemd.run("setpriv", "--reuid=wanmi", "--regid=wanmi", "--clear-groups", *environ, *init, *listen)


def test_a_node_under_its_unit(systemd: Systemd) -> None:
    """``systemctl start`` returns when the node is ready; a killed one and a hung one come back; it stops in order."""
    make_node(systemd)
    started = systemd.run("systemctl", "start", NODE, check=False)
    log = systemd.run("cat", "/run/wanmi.txt", check=False).stdout
    assert started.returncode == 0, f"{started.stderr}\n{systemd.show(NODE)}\n{log}"
    first = systemd.show(NODE)
    assert (first["ActiveState"], first["SubState"], first["User"]) == ("active", "running", "wanmi")
    assert first["StatusText"]
    assert confined(systemd, first["MainPID"]) == {"NoNewPrivs": "1", "Seccomp": "2", "CapEff": NONE, "CapBnd": NONE}

    systemd.run("kill", "-KILL", first["MainPID"])
    second = until(lambda: restarted(systemd, first["MainPID"]), seconds=60)
    assert second["NRestarts"] == "1"

    systemd.run("kill", "-STOP", second["MainPID"])
    third = until(lambda: restarted(systemd, second["MainPID"]), seconds=90)
    assert third["NRestarts"] == "2"

    systemd.run("systemctl", "stop", NODE)
    last = systemd.show(NODE)
    assert (last["ActiveState"], last["Result"], last["ExecMainStatus"]) == ("inactive", "success", "0")


NONE = "0000000000000000"


def confined(systemd: Systemd, pid: str) -> dict[str, str]:
    """How the kernel holds the node: what the unit asks for has come to pass."""
    lines = systemd.run("cat", f"/proc/{pid}/status").stdout.splitlines()
    said = dict(line.split(":\t", 1) for line in lines if ":\t" in line)
    return {name: said[name] for name in ("NoNewPrivs", "Seccomp", "CapEff", "CapBnd")}


def restarted(systemd: Systemd, before: str) -> dict[str, str] | None:
    """What is shown of the node once another process of it is ready."""
    now = dict(systemd.show(NODE))
    return now if now["SubState"] == "running" and now["MainPID"] not in ("0", before) else None
