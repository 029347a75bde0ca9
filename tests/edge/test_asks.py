"""A new terminal asks over the real broker, a person decides at a real district, and the terminal reports or is told why not."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge.asking_town import Town, town_of
from edge.street import CITY_POINT, EDGE, RunningEdge, Street, running, until
from wanmi.clock import ManualClock, SystemClock
from wanmi.coords import Point
from wanmi.errors import Conflict, LinkError, NotAllowed, NotFound
from wanmi.identity.asking import Approval, approve_ask, deny_ask, view_asked
from wanmi.ids import SystemIds
from wanmi.mqtt import NOT_AUTHORIZED, Address, MqttClient, Session
from wanmi.reports.asks import ANSWERS, ASK_PASSWORD, ASK_USER, MAX_ASK, AskAnswer, ask_topic
from wanmi.testing import replay_differences
from wanmi_edge.asks.codes import make_code
from wanmi_terminal.asking import ask, settle
from wanmi_terminal.broker import BrokerUrl
from wanmi_terminal.field import FieldTerminal, Route
from wanmi_terminal.home import open_home
from wanmi_terminal.maker import Draft, Place

DISTRICT = "210102"
DRAFT = Draft("event", "0102", Place(Point(*CITY_POINT)))


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    """No broker: what the desk decides."""
    with town_of(tmp_path, ManualClock()) as town:
        yield town
        assert replay_differences(town.edge) == []
        town.edge.close()


def test_a_key_is_journaled_once_and_answered_as_it_stands(town: Town) -> None:
    desk, asking = town.desk(), town.asking()
    assert [town.said(desk, asking).status for _ in range(3)] == ["pending"] * 3
    assert town.said(town.desk(), town.asking()).status == "pending", "after a restart of both"
    assert town.entries() == 1
    town.exchange()
    (seen,) = view_asked(town.district)
    assert (seen.id, seen.fingerprint, seen.model, seen.edge) == (asking.key_id, asking.fingerprint, "phone 9", EDGE)
    admitted = approve_ask(town.district, seen.id, Approval(holder="p-1", unit="dep-1"))
    assert (admitted.terminal, admitted.holder, admitted.unit) == ("T210102-0001", "p-1", "dep-1")
    assert town.said(desk, asking).status == "pending", "the edge has not heard"
    town.exchange()
    answer = town.said(desk, asking)
    granted = asking.open(answer)
    assert (answer.status, granted.terminal) == ("approved", "T210102-0001")
    assert granted.district_key == town.district.keys.sign_public.hex()
    with pytest.raises(Conflict, match="approved"):
        deny_ask(town.district, seen.id, "too late")
    assert view_asked(town.district) == []
    assert "T210102" not in answer.sealed


def test_an_approval_is_sealed_to_the_one_who_asked(town: Town) -> None:
    from wanmi.errors import BadInput

    desk, asking, other = town.desk(), town.asking(), town.asking("other")
    town.said(desk, asking)
    town.exchange()
    approve_ask(town.district, asking.key_id, Approval())
    town.exchange()
    with pytest.raises(BadInput):
        other.open(town.said(desk, asking))


def test_a_denied_and_an_expired_one_are_told(town: Town) -> None:
    desk, asking, slow = town.desk(), town.asking(), town.asking("slow")
    town.said(desk, asking)
    town.said(desk, slow)
    town.exchange()
    deny_ask(town.district, asking.key_id, "not one of ours")
    town.exchange()
    answer = town.said(desk, asking)
    assert (answer.status, answer.reason) == ("denied", "not one of ours")
    town.edge.clock.advance(8 * 86_400_000_000)  # type: ignore[attr-defined]
    assert town.said(desk, slow).status == "expired"
    with pytest.raises(Conflict, match="expired"):
        approve_ask(town.district, slow.key_id, Approval())
    assert town.said(desk, town.asking(again=True)).status == "pending"
    assert town.entries() == 3


def test_a_flood_is_bounded_by_the_minute_and_in_all(town: Town) -> None:
    desk = town.desk(pending=5, per_minute=3)
    said = [town.said(desk, town.asking(f"t{n}")).status for n in range(6)]
    assert said == ["pending"] * 3 + ["busy"] * 3
    town.edge.clock.advance(61_000_000)  # type: ignore[attr-defined]
    said = [town.said(desk, town.asking(f"u{n}")).status for n in range(6)]
    assert said == ["pending"] * 2 + ["busy"] * 4
    assert town.entries() == 5
    assert town.said(desk, town.asking("t0")).status == "pending", "who is known is answered"
    assert town.said(town.desk(open="off"), town.asking("v")).status == "closed"


def test_a_code_lets_one_terminal_ask(town: Town) -> None:
    desk, asking, other = town.desk(open="code"), town.asking(), town.asking("other")
    code, _ = make_code(town.edge, 24)
    assert town.said(desk, asking).status == "bad_code"
    assert town.said(desk, asking, "WRONG").status == "bad_code"
    assert town.said(desk, asking, code).status == "pending"
    assert town.said(desk, asking).status == "pending", "it asked already"
    assert town.said(desk, other, code).status == "bad_code"
    late, _ = make_code(town.edge, 1)
    town.edge.clock.advance(2 * 3600 * 1_000_000)  # type: ignore[attr-defined]
    assert town.said(desk, other, late).status == "bad_code"


def test_only_the_district_decides_and_a_lost_key_is_replaced(town: Town) -> None:
    from wanmi.reports.keys import judge_key

    desk, asking = town.desk(), town.asking()
    town.said(desk, asking)
    with pytest.raises(NotAllowed, match="district"):
        approve_ask(town.edge, asking.key_id, Approval())
    with pytest.raises(NotFound):
        approve_ask(town.district, "0" * 16, Approval())
    town.exchange()
    approve_ask(town.district, asking.key_id, Approval("T210102-0042"))
    anew = town.asking(again=True)
    town.said(desk, anew)
    town.exchange()
    with pytest.raises(Conflict, match="lost"):
        approve_ask(town.district, anew.key_id, Approval("T210102-0042"))
    approve_ask(town.district, anew.key_id, Approval("T210102-0042", replace=True))
    town.exchange()
    assert town.said(desk, anew).status == "approved"
    assert town.said(desk, asking).status == "denied"
    from wanmi_edge.terminals import TerminalBook

    known = TerminalBook(town.edge.store, town.edge.journal).known("T210102-0042")
    lost = asking.pair.public
    assert judge_key(known, "", lambda key: key == lost, 0, town.edge.clock.now()) == "revoked_terminal"


@pytest.fixture(scope="module")
def street(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Town, RunningEdge]]:
    """One town with a broker for the tests over it: each asks with keys of its own."""
    dir = tmp_path_factory.mktemp("street")
    with town_of(dir, SystemClock(), open="anybody") as town, running(town.edge, town.district) as edge:  # type: ignore[arg-type]
        yield town, edge


@pytest.mark.mosquitto
def test_from_nothing_to_a_report_over_the_broker(street: tuple[Town, RunningEdge]) -> None:
    town, edge = street
    broker = BrokerUrl.parse(edge.broker["url"])
    told: list[str] = []
    asking = town.asking()
    answers: list[AskAnswer | None] = []
    message = asking.message("app/1")
    thread = threading.Thread(
        target=lambda: answers.append(ask(asking, broker, message, 30, lambda a: told.append(a.status)))
    )
    thread.start()
    until(lambda: told == ["pending"], "it hears that it waits")
    town.exchange()
    (seen,) = view_asked(town.district)
    assert seen.fingerprint == asking.fingerprint
    approve_ask(town.district, seen.id, Approval())
    town.exchange()
    thread.join(20)
    (answer,) = answers
    assert answer is not None
    assert (told, answer.status) == (["pending", "approved"], "approved")
    home = settle(asking, asking.open(answer), str(broker), None, SystemIds())
    assert not (town.dir / "T" / "asking.json").exists()
    assert open_home(home.dir).district_keys == (town.district.keys.sign_public,)
    with FieldTerminal(open_home(home.dir), [Route(broker)]) as terminal:
        made = terminal.report(DRAFT)
        until(lambda: [e.body["report_id"] for e in edge.entries("report.received")] == [made], "it reports")


@pytest.mark.mosquitto
def test_the_door_bell_opens_nothing_else(street: tuple[Town, RunningEdge]) -> None:
    """The open account: asks for any key, and neither reports, nor answers, nor reads what is a terminal's or the node's."""
    _, edge = street
    asked = len(edge.entries("terminal.asked"))
    host, port = edge.broker["url"].rpartition("//")[2].rsplit(":", 1)
    address = Address(host, int(port), user=ASK_USER, password=ASK_PASSWORD)
    client = MqttClient(address, Session("a stranger", (ANSWERS,), expiry=0))
    client.start()
    try:
        assert client.wait_connected(10)
        key = "0" * 16
        for topic in (f"wanmi/v1/{ASK_USER}/report", "wanmi/v1/T210102-0001/report", f"wanmi/ask/v1/{key}/answer", "x"):
            assert client.send(topic, b"{}").result(10) == NOT_AUTHORIZED, topic
        for payload in (b"", b"{}", b"\x00" * (MAX_ASK + 1), b"x" * 200_000):
            assert client.send(ask_topic(key), payload).result(10) in (0, 16)
        edge.client().publish("wanmi/v1/T210102-0001/receipt", b"not for you")
        assert client.take(10, 0.5) == []
    finally:
        client.stop()
    assert len(edge.entries("terminal.asked")) == asked
    assert Street("T210102-0001").id  # the node's own connection still stands
    assert edge.client().probe(5) >= 0


@pytest.mark.mosquitto
def test_where_nobody_may_ask_there_is_no_account(tmp_path: Path) -> None:
    with town_of(tmp_path, SystemClock()) as town, running(town.edge, town.district) as edge:  # type: ignore[arg-type]
        with pytest.raises(LinkError, match=r"edge\.asks\.open"):
            ask(town.asking(), BrokerUrl.parse(edge.broker["url"]), b"", 1, lambda _: None)
        assert ASK_USER not in (edge.node.dir / "broker" / "acl").read_text()


@pytest.mark.mosquitto
def test_the_commands(street: tuple[Town, RunningEdge]) -> None:
    """`wanmi terminal ask` in a process of its own, `asked` and `approve` at the district's directory."""
    town, edge = street
    wanmi = [str(Path(sys.executable).with_name("wanmi")), "terminal"]
    where, asked = town.dir / "phone", len(edge.entries("terminal.asked"))
    process = subprocess.Popen(
        [*wanmi, "ask", str(where), "--broker", edge.broker["url"], "--wait", "40"], stdout=subprocess.PIPE, text=True
    )
    until(lambda: len(edge.entries("terminal.asked")) > asked, "asked", 40)
    town.exchange()
    (seen,) = view_asked(town.district)
    admitted = approve_ask(town.district, seen.id, Approval())
    town.exchange()
    out, _ = process.communicate(timeout=40)
    assert process.returncode == 0, out
    assert seen.fingerprint in out
    assert f"admitted as {admitted.terminal}" in out
    assert json.loads((where / "terminal.json").read_text())["terminal"] == admitted.terminal
