"""SIGKILL of real edge processes while reports flow: nothing lost, nothing twice."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from edge.street import EDGE, District, Line, Street, make_edge_dir, open_edge, until
from wanmi.kinds import TerminalAdmitted
from wanmi.registry import Draft
from wanmi.reports import broker_verifier, report_topic
from wanmi_edge.broker import find_mosquitto, free_port
from wanmi_edge.broker_files import BrokerFiles, Listener, acl_rules, mosquitto_config, password_lines
from wanmi_edge.tally import read_tally

pytestmark = [pytest.mark.mosquitto, pytest.mark.processes]
ROOT = Path(__file__).parents[2]
SHELVES = ("core", "edge", "federation", "plugins", "tests")


class EdgeProcess:
    """The process of a directory: started, killed, started again."""

    def __init__(self, dir: Path) -> None:
        self.dir = dir
        self.start()

    def start(self) -> None:
        (self.dir / "broker" / "address.json").unlink(missing_ok=True)
        (self.dir / "run.json").unlink(missing_ok=True)
        path = os.pathsep.join(str(ROOT / shelf) for shelf in SHELVES)
        self.log = (self.dir.parent / "edge.log").open("ab")
        self.process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("edge_process.py")), str(self.dir)],
            env={**os.environ, "PYTHONPATH": path}, stdout=self.log, stderr=self.log,
        )  # fmt: skip
        until(self._ready, "the edge process is ready")

    def _ready(self) -> bool:
        assert self.process.poll() is None, (self.dir.parent / "edge.log").read_text()[-2000:]
        return (self.dir / "run.json").exists()

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()
        self.log.close()

    def stop(self) -> None:
        self.process.terminate()
        assert self.process.wait(10) == 0
        self.log.close()

    def broker(self) -> dict[str, Any]:
        address = self.dir / "broker" / "address.json"
        until(address.exists, "the broker stands")
        facts: dict[str, Any] = json.loads(address.read_text())
        return facts


@contextmanager
def edge_process(dir: Path) -> Iterator[EdgeProcess]:
    edge = EdgeProcess(dir)
    try:
        yield edge
    finally:
        if edge.process.poll() is None:
            edge.kill()


def admit_before(dir: Path, district: District, *streets: Street) -> None:
    """The district's chain reaches the edge before it runs."""
    with open_edge(dir) as node:
        bodies = [TerminalAdmitted(street.id, street.public.hex(), street.verifier, None) for street in streets]
        district.tell(node, *[Draft("terminal.admitted", f"terminal:{b.terminal}", b) for b in bodies])


def verified_reports(dir: Path, district: District) -> Counter[str]:
    """How often each report id has an entry, in a chain that the district verifies."""
    with open_edge(dir) as node:
        district.hold(node)
        stored = district.journal.read(EDGE, 0, 100_000, 10**9)
        (reports, *_) = tally = read_tally(node)
        assert [one.missing for one in tally] == [0, 0, 0], "the ledger holds after the kills"
    assert reports.taken == sum(one.entry is not None and one.entry.kind == "report.received" for one in stored)
    return Counter(one.entry.body["report_id"] for one in stored if one.entry and one.entry.kind == "report.received")


def test_sigkill_of_edge_and_broker_loses_nothing_and_doubles_nothing(tmp_path: Path) -> None:
    """The terminal repeats what has no receipt; the broker dies with the edge."""
    lot = random.Random(20261124)
    district, street = District(tmp_path / "district"), Street("T210102-0001")
    dir = make_edge_dir(tmp_path / "edge", district)
    admit_before(dir, district, street)
    reports = [street.signed() for _ in range(600)]
    open_ = {report.report_id: message for report, message in reports}
    with edge_process(dir) as edge:
        for round_ in range(4):
            with Line(street, edge.broker()) as line:
                line.connect()
                deadline = time.monotonic() + (lot.uniform(0.05, 0.4) if round_ < 3 else 40)
                while open_ and time.monotonic() < deadline:
                    send_what_is_open(line, open_)
            if round_ < 3:
                edge.kill()
                edge.start()
        assert not open_, f"{len(open_)} reports have no receipt"
        edge.stop()
    counted = verified_reports(dir, district)
    assert set(counted) == {report.report_id for report, _ in reports}
    assert set(counted.values()) == {1}


def send_what_is_open(line: Line, open_: dict[str, bytes]) -> None:
    """One pass over what has no receipt, then hear receipts until they pause."""
    for message in list(open_.values())[:200]:
        line.client.publish(report_topic(line.street.id), message)
    heard = -1
    while heard != len(line.receipts):
        heard = len(line.receipts)
        time.sleep(0.05)
        line.hear()
    for receipt in line.receipts:
        assert receipt.status == "kept"
        open_.pop(receipt.report_id or "", None)


def test_an_edge_killed_beside_its_broker_gets_the_rest_without_being_told_again(tmp_path: Path) -> None:
    """Each report is published once; what was not acknowledged to the broker comes again after the restart."""
    district, street = District(tmp_path / "district"), Street("T210102-0001")
    with external_broker(tmp_path, street) as settings:
        dir = make_edge_dir(tmp_path / "edge", district, **{"edge.mqtt": settings})
        admit_before(dir, district, street)
        reports = [street.signed() for _ in range(900)]
        with edge_process(dir) as edge, Line(street, settings) as line:
            line.connect()
            until(lambda: subscribed(line), "the intake listens")
            for n, (_, message) in enumerate(reports):
                line.client.publish(report_topic(street.id), message)
                if n in (200, 500, 700):
                    until(line.hear, "some were kept")
                    edge.kill()
                    edge.start()
            kept = {report.report_id for report, _ in reports}
            until(lambda: kept <= {receipt.report_id for receipt in line.hear()}, "every report was kept")
            edge.stop()
    counted = verified_reports(dir, district)
    assert counted == Counter(report.report_id for report, _ in reports)


def subscribed(line: Line) -> bool:
    """Reason code 16 says that nobody listens."""
    return line.send(b"is anybody there?") == 0


@contextmanager
def external_broker(tmp_path: Path, street: Street) -> Iterator[dict[str, Any]]:
    """A mosquitto that is not the edge's; the settings with which the edge finds it."""
    files = BrokerFiles(tmp_path / "broker")
    files.folder.mkdir()
    port = free_port()
    own = broker_verifier("edge's own password", b"twelve bytes")
    files.passwords.write_text(password_lines({street.id: street.verifier, EDGE: own}))
    files.acl.write_text(acl_rules(EDGE))
    files.config.write_text(mosquitto_config(files, [Listener("127.0.0.1", port)], "root"))
    files.own_password.write_text("edge's own password\n")
    program = find_mosquitto()
    assert program, "the suite needs mosquitto: install it"
    process = subprocess.Popen([program, "-c", files.config], stderr=subprocess.DEVNULL)
    try:
        yield {"url": f"mqtt://{EDGE}@127.0.0.1:{port}", "password_file": str(files.own_password)}
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()
