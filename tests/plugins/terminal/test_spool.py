"""The terminal's memory: states, evidence, and a process killed at any moment."""

from __future__ import annotations

import io
import json
import os
import random
import signal
import stat
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from importlib import resources
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule
from PIL import Image

from plugins.terminal.fakes import EDGE, QUICK, TERMINAL, Broker, FakeEdge
from wanmi.clock import ManualClock
from wanmi.coords import Point
from wanmi.errors import BadInput
from wanmi.ids import SeededIds
from wanmi.reports import Receipt, decode_report, digest_of, verify_report
from wanmi_terminal.broker import BrokerUrl
from wanmi_terminal.field import FieldTerminal, Route
from wanmi_terminal.home import Home
from wanmi_terminal.maker import Draft, Place, ReportMaker
from wanmi_terminal.photos import made_up_photo
from wanmi_terminal.spool import Change, Counts, SignedReport, Spool

PLACE = Place(Point(1_234_000_000, 417_900_000))
GPX = Path(str(resources.files("wanmi_terminal") / "samples" / "mojstrovka.gpx"))


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    made = Spool(tmp_path / "spool.db")
    yield made
    made.close()


def signed(report_id: str, **parts: bytes) -> SignedReport:
    return SignedReport(report_id, 1, "event", "0102", report_id.encode(), {digest_of(p): p for p in parts.values()})


def receipt(report_id: str, status: str, reason: str | None = None) -> Receipt:
    return Receipt(1, TERMINAL, report_id, status, EDGE, 1, reason=reason)  # type: ignore[arg-type]


def test_only_its_owner_may_read_it(spool: Spool, tmp_path: Path) -> None:
    assert stat.S_IMODE((tmp_path / "spool.db").stat().st_mode) == 0o600


def test_a_photo_of_two_reports_goes_with_the_second(spool: Spool) -> None:
    spool.add([signed("report-1", a=b"photo"), signed("report-2", a=b"photo", b=b"other")])
    spool.apply([receipt("report-1", "safe")], 2)
    assert spool.part(digest_of(b"photo")) == b"photo"
    spool.apply([receipt("report-2", "safe")], 2)
    assert spool.part(digest_of(b"photo")) is None
    assert spool.part(digest_of(b"other")) is None
    assert spool.receipt("report-2") is not None
    assert spool.counts() == Counts(safe=2)


def test_what_is_safe_leaves_no_trace_in_the_file(spool: Spool, tmp_path: Path) -> None:
    spool.add([signed("report-1", a=b"a face that nobody may find again" * 100)])
    spool.apply([receipt("report-1", "safe")], 2)
    spool.close()
    content = b"".join(file.read_bytes() for file in tmp_path.glob("spool.db*"))
    assert b"a face that nobody" not in content


def test_discard_takes_refused_reports_only(spool: Spool) -> None:
    spool.add([signed("report-1"), signed("report-2")])
    spool.apply([receipt("report-1", "refused", "outside_city")], 2)
    spool.discard(["report-1", "report-2"])
    assert [held.report_id for held in spool.held()] == ["report-2"]


def test_another_process_is_noticed(spool: Spool, tmp_path: Path) -> None:
    assert not spool.changed_elsewhere()
    spool.add([signed("report-1")])
    assert not spool.changed_elsewhere()
    other = Spool(tmp_path / "spool.db")
    other.add([signed("report-2")])
    other.close()
    assert spool.changed_elsewhere()
    assert not spool.changed_elsewhere()


class Model(RuleBasedStateMachine):
    """Whatever receipts come in whatever order: a report is there until safe, and the counts are right."""

    @initialize()
    def start(self) -> None:
        self.dir = tempfile.TemporaryDirectory()
        self.spool = Spool(Path(self.dir.name) / "spool.db")
        self.state: dict[str, str] = {}

    @rule(many=st.integers(1, 3))
    def add(self, many: int) -> None:
        new = [f"report-{len(self.state) + i}" for i in range(many)]
        self.spool.add([signed(report_id) for report_id in new])
        self.state |= dict.fromkeys(new, "new")

    @precondition(lambda self: self.state)
    @rule(data=st.data())
    def receipts(self, data: st.DataObject) -> None:
        answers = [
            ("kept", None),
            ("safe", None),
            ("want", None),
            ("refused", "outside_city"),
            ("refused", "edge_full"),
        ]
        some = data.draw(st.lists(st.tuples(st.sampled_from(sorted(self.state)), st.sampled_from(answers)), max_size=4))
        changes = self.spool.apply([receipt(report_id, *answer) for report_id, answer in some], 2)
        before = dict(self.state)
        for report_id, answer in some:
            self.state[report_id] = self.follow(self.state[report_id], *answer)
        assert {r: c.new for r, c in changes.items()}.items() >= {
            r: s for r, s in self.state.items() if s != before[r]
        }.items()
        assert all(change.old == before[report_id] for report_id, change in changes.items())

    @staticmethod
    def follow(state: str, status: str, reason: str | None) -> str:
        if state == "safe" or status == "want":
            return state
        if status in ("safe", "kept"):
            return status
        if state == "kept":
            return state
        return "new" if reason == "edge_full" else "refused"

    def teardown(self) -> None:
        held = {report.report_id: report.state for report in self.spool.held()}
        assert held == {report_id: state for report_id, state in self.state.items() if state != "safe"}
        assert [report.n for report in self.spool.held()] == sorted(report.n for report in self.spool.held())
        states = list(self.state.values())
        assert self.spool.counts() == Counts(*(states.count(state) for state in ("new", "kept", "refused", "safe")))
        assert all(self.spool.payload(report_id) == report_id.encode() for report_id in held)
        self.spool.close()
        self.dir.cleanup()


def test_counts_follow_changes() -> None:
    changes = [Change("new", "kept"), Change("kept", "safe"), Change("new", "refused")]
    assert Counts(new=3).after(changes) == Counts(new=1, refused=1, safe=1)


TestModel = Model.TestCase
TestModel.settings = settings(max_examples=20, stateful_step_count=20)


def walking(home: Home, seed: int, broker: str) -> subprocess.Popen[bytes]:
    """A process that reports at full speed, a photo with every third, and tells each id that is on disk."""
    command = [
        sys.executable,
        "-c",
        "from wanmi_terminal.cli import app; app()",
        "run",
        str(home.dir),
        "--gpx",
        str(GPX),
    ]
    options = ["--reports", "0", "--rate", "500", "--photo-size", "3000", "--photo-every", "3", "--events"]
    path = {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    command += [*options, "--broker", broker, "--seed", str(seed)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, env=os.environ | path)


def killed(process: subprocess.Popen[bytes], after: int) -> list[str]:
    """Kill the process when it has told of more than ``after`` reports; all that it told."""
    told: list[str] = []
    with process:
        assert process.stdout is not None
        for line in process.stdout:
            if line.endswith(b"\n"):
                told.append(json.loads(line)["on_disk"])
            if len(told) > after:
                process.send_signal(signal.SIGKILL)
    assert len(told) > after
    return told


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.processes
def test_a_killed_process_loses_no_report_that_it_told_of(home: Home, seed: int) -> None:
    """SIGKILL at a random moment, offline: every id that was told is whole on disk, its photo too."""
    told = killed(walking(home, seed, "mqtt://127.0.0.1:9"), random.Random(seed).randrange(5, 200))
    spool = Spool(home.spool_path)
    held = spool.held()
    assert {report.report_id for report in held} >= set(told)
    public = home.key.public_key().public_bytes_raw()
    for report in held:
        message = decode_report(spool.payload(report.report_id) or b"")
        assert verify_report(message, public)
        photos = [a.digest for a in message.report.attachments if a.role == "photo"]
        assert [digest_of(spool.part(digest) or b"") for digest in photos] == photos
    spool.close()


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.processes
@pytest.mark.mosquitto
def test_killed_while_sending_and_run_again_everything_becomes_safe(
    home: Home, broker: Broker, make_edge: Callable[..., FakeEdge], seed: int
) -> None:
    """The edge answers ``safe`` only from the second time on, so that the kill always leaves work."""
    edge = make_edge(lambda _message, times: ["kept"] if times == 1 else ["kept", "safe"])
    told = killed(walking(home, seed, broker.url), random.Random(seed).randrange(100, 400))
    with FieldTerminal(home, [Route(BrokerUrl.parse(broker.url))], retry=QUICK) as terminal:
        assert terminal.wait_quiet(30), terminal.progress()
        assert terminal.spool.held() == []
    assert set(told) <= edge.seen.keys()
    assert all(len(set(copies)) == 1 for copies in edge.seen.values())


def test_a_maker_refuses_what_the_edge_would_refuse(home: Home) -> None:
    maker = ReportMaker(TERMINAL, home.key, ManualClock(), SeededIds(1), "test")
    for draft in (
        Draft("event", "0102", Place(Point(0, 0))),
        Draft("event", "12", PLACE),
        Draft("event", "0102", PLACE, photos=(b"no picture",)),
    ):
        with pytest.raises(BadInput):
            maker.make(draft, 0)


def test_made_up_photos_are_pictures_of_the_wanted_size() -> None:
    ids = SeededIds(1)
    first, second = made_up_photo(5_000, ids), made_up_photo(5_000, ids)
    assert len(first) == len(second) == 5_000
    assert first != second
    assert Image.open(io.BytesIO(first)).size == (160, 120)
