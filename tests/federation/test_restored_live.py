"""A district's box dies under load; a backup made under load is restored; it heals its tail over ZeroMQ, then writes."""

from __future__ import annotations

import json
import os
import shutil
import signal
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from support.live import LiveNode, until, wanmi
from support.snmp_agents import free_port
from wanmi.journal.proof import verify_paths
from wanmi.keeping import read_manifest
from wanmi.node import NewNode, Node, call_action, connect_live, create_node, node_card, restore_node

pytestmark = pytest.mark.processes
CITY, DISTRICT, EDGE = "210100", "210102", "21010201"


def town(folder: Path) -> dict[str, Path]:
    """A city, a district, an edge, that admitted one another; none runs."""
    dirs = {code: folder / code for code in (CITY, DISTRICT, EDGE)}
    above: Path | None = None
    for code, role in ((CITY, "city"), (DISTRICT, "district"), (EDGE, "edge")):
        parent = node_card(above) if above else ""
        listen = f"tcp://127.0.0.1:{free_port()}"
        new = NewNode(role, code, parent=parent, listen=listen, plugins=("federation",))  # type: ignore[arg-type]
        made = create_node(dirs[code], new)
        if above:
            call_action(above, "node.admit", {"token": made.token})
        above = dirs[code]
    return dirs


def ask_live(dir: Path, action: str, args: dict[str, Any]) -> dict[str, Any]:
    """The last line that a live node answers; empty when none is live, or it died meanwhile."""
    connection = connect_live(dir)
    if connection is None:
        return {}
    with connection, connection.makefile("rwb") as stream:
        try:
            stream.write(json.dumps({"action": action, "args": args}).encode() + b"\n")
            stream.flush()
            lines = list(stream)
        except OSError:
            return {}
    return dict(json.loads(lines[-1])) if lines else {}


class Load:
    """Writes entries at a live node until it is told to stop; ``kept`` counts those that were acknowledged."""

    def __init__(self, dir: Path) -> None:
        self.dir, self.kept, self.refused = dir, 0, 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def _run(self) -> None:
        while not self._stop.is_set():
            answer = ask_live(self.dir, "person.erase", {"blobs": [os.urandom(32).hex()]})
            if "result" in answer:
                self.kept += 1
            elif answer.get("error", {}).get("type") == "Conflict":
                self.refused += 1
            else:
                self._stop.wait(0.05)

    @contextmanager
    def on(self) -> Iterator[Load]:
        self._thread.start()
        try:
            yield self
        finally:
            self._stop.set()
            self._thread.join(10)


def cursor(dir: Path, origin: str) -> int:
    """How far a live node holds a chain."""
    return int(ask_live(dir, "status", {})["result"]["cursors"].get(origin, 0))


def told(dir: Path) -> str:
    """The entries of restores that a node holds."""
    return wanmi("journal", "show", dir, "--kind", "node.restored").stdout


def test_a_restored_district_heals_before_it_writes(tmp_path: Path) -> None:
    dirs = town(tmp_path)
    city, district, edge = dirs[CITY], dirs[DISTRICT], dirs[EDGE]
    archive = tmp_path / "district.tar"
    with ExitStack() as stack:
        stack.enter_context(LiveNode(city)).facts()
        with LiveNode(district) as first, Load(district).on():
            first.facts()
            stack.enter_context(LiveNode(edge)).facts()
            stack.enter_context(Load(edge).on())
            until(lambda: cursor(city, DISTRICT) > 10 and cursor(city, EDGE) > 10, 30)
            call_action(district, "backup", {"path": str(archive)})
            had = cursor(district, DISTRICT)
            until(lambda: cursor(city, DISTRICT) > had + 10, 30)
            first.end(signal.SIGKILL)
        lost = cursor(city, DISTRICT)
        shutil.move(district / "keys", tmp_path / "safe")
        shutil.rmtree(district)

        restored = restore_node(archive, district, tmp_path / "safe")
        assert restored.waits_for == (CITY, EDGE)
        manifest = read_manifest(archive, _public(tmp_path / "safe"))
        assert manifest.chains[DISTRICT][0] <= had < lost
        with LiveNode(district) as again, Load(district).on() as late:
            again.facts()
            until(lambda: late.kept > 5, 60)
            until(lambda: "node.restored" in told(city), 30)
            until(lambda: cursor(district, EDGE) > manifest.chains[EDGE][0], 30)
            again.end(signal.SIGTERM)
    assert late.refused > 0, "it was asked to write before its tail was back, and did not"
    report = verify_paths(list(dirs.values()))
    assert report.ok, report.findings
    with Node.open(district) as node:
        entries = [one.entry for one in node.journal.read(DISTRICT, 0, 100_000, 1 << 30) if one.entry is not None]
        restores = [entry.body for entry in entries if entry.kind == "node.restored"]
        assert [(body["seq"], body["back"] >= lost) for body in restores] == [(manifest.chains[DISTRICT][0], True)]
        erased = [entry for entry in entries if entry.kind == "person.erased"]
        assert len(erased) >= lost - 5 + late.kept, "all that the city held, and all that was acknowledged since"


def _public(keys: Path) -> bytes:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    secret = bytes.fromhex((keys / "sign.key").read_text())
    return Ed25519PrivateKey.from_private_bytes(secret).public_key().public_bytes_raw()
