"""How terminals are: said over a real broker, told to the district, proven by its countersignature; a revoked one is out."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import httpx
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.errands import sent
from edge.street import EDGE, District, Line, RunningEdge, Street, make_edge_dir, open_edge, running, until
from wanmi.clock import SystemClock
from wanmi.identity import add_token
from wanmi.ids import SystemIds
from wanmi.journal.terminal_rows import TerminalHeardRow
from wanmi.query.terminals import list_terminals_heard
from wanmi.reports import Reason, Refused, Status, TrackFix, read_status, report_topic, sign_status, status_topic
from wanmi.web import build_app
from wanmi_edge.rows import JunkRow
from wanmi_terminal.broker import BrokerUrl
from wanmi_terminal.field import FieldTerminal, Route
from wanmi_terminal.heart import Beat, Power
from wanmi_terminal.home import init_home

MINUTE = 60_000_000
STREET = Street("T210102-0001")
GOOD = Status(
    v=1, terminal=STREET.id, status_id="S" + "0" * 24, made_at=1, app="street/1", battery=80, charging=False, queue=3,
    refused=1, tasks=2, lon_e7=None, lat_e7=None, fix_at=None, confirmed_at=None, round_trip_ms=None,
)  # fmt: skip


@pytest.fixture
def edge(tmp_path: Path) -> Iterator[RunningEdge]:
    district = District(tmp_path / "district")
    dir = make_edge_dir(tmp_path / "edge", district, **{"edge.intake": {"status_seconds": 1}})
    with running(open_edge(dir), district) as edge:
        yield edge


def test_a_status_is_read_with_its_key_only() -> None:
    message = sign_status(GOOD, STREET.key)
    assert read_status(message, STREET.public) == GOOD
    with pytest.raises(Refused) as refused:
        read_status(message, Street("T210102-0002").public)
    assert refused.value.reason == Reason.BAD_SIGNATURE


@given(at=st.integers(0, 2000), byte=st.integers(0, 255))
def test_a_changed_status_is_refused_or_the_same(at: int, byte: int) -> None:
    message = bytearray(sign_status(GOOD, STREET.key))
    message[at % len(message)] = byte
    try:
        assert read_status(bytes(message), STREET.public) == GOOD
    except Refused:
        return


@pytest.mark.mosquitto
def test_the_heartbeat_goes_through_the_district_and_back(edge: RunningEdge, tmp_path: Path) -> None:
    """A terminal is connected when the district's countersignature came back to it, not when its socket is open."""
    home = init_home(
        tmp_path / "terminal", "T210102-0002", SystemIds(), district_keys=(edge.district.keys.sign_public.hex(),)
    )
    street = Street(home.terminal, home.key, home.ring.current.password)
    edge.admit(street)
    edge.district.tell(edge.node, sent(street, "task-0001"))
    route = Route(BrokerUrl.parse(edge.broker["url"]))
    with FieldTerminal(home, [route], beat=Beat(lambda: Power(42, True), 1.0)) as terminal:
        until(lambda: edge.rows(TerminalHeardRow), "the edge journals that it heard")
        (row,) = edge.rows(TerminalHeardRow)
        assert (row.terminal, row.battery, row.queue, row.edge) == (home.terminal, 42, 0, EDGE)
        assert terminal.heart.confirmed_at is None, "the socket is open, but nobody countersigned"
        assert not view(edge, home.terminal)["connected"]
        until(lambda: edge.district.countersign(edge.node) and terminal.heart.confirmed_at, "the way back")
        until(lambda: view(edge, home.terminal)["connected"], "its next status says so")
        seen = view(edge, home.terminal)
        assert (seen["battery"], seen["pending_tasks"], seen["state"]) == (42, 1, "admitted")
        assert seen["app"].startswith("wanmi-terminal")
        assert 0 <= seen["round_trip_ms"] < 60_000
        now = SystemClock().now()
        terminal.track([TrackFix(now, 1_234_330_000, 417_900_000, 300)])
        until(lambda: positions(edge).get(home.terminal, {}).get("fix_at") == now, "the position, at the edge only")
    edge.district.hold(edge.node)
    with edge.district.store.reader() as tx:
        (told,) = list_terminals_heard(tx, SystemClock().now())
        assert (told.edge, told.battery, told.connected) == (EDGE, 42, True), "the district knows it too"
        (later,) = list_terminals_heard(tx, SystemClock().now() + 16 * MINUTE)
        assert not later.connected, "a proof ages"
    assert all("lon_e7" not in one for entry in edge.entries("terminals.heard") for one in entry.body["terminals"])


def get(edge: RunningEdge, path: str) -> dict[str, list[dict[str, object]]]:
    secret = add_token(edge.node, name="tui", scopes=("devices:read",)).secret

    async def send() -> httpx.Response:
        transport = httpx.ASGITransport(build_app(edge.node))
        async with httpx.AsyncClient(transport=transport, base_url="http://edge") as client:
            return await client.get(f"/api/v1{path}", headers={"Authorization": f"Bearer {secret}"})

    answer = asyncio.run(send())
    assert answer.status_code == 200, answer.text
    found: dict[str, list[dict[str, object]]] = answer.json()
    return found


def view(edge: RunningEdge, terminal: str) -> dict[str, object]:
    (one,) = [one for one in get(edge, "/terminals")["terminals"] if one["terminal"] == terminal]
    return one


def positions(edge: RunningEdge) -> dict[object, dict[str, object]]:
    return {one["terminal"]: one for one in get(edge, "/terminals/positions")["positions"]}


@pytest.mark.mosquitto
def test_many_terminals_are_told_in_one_entry(edge: RunningEdge) -> None:
    streets = [Street(f"T210102-{n:04d}") for n in range(100, 150)]
    edge.admit(*streets)
    client = edge.client()
    for street in streets:
        status = msgspec.structs.replace(GOOD, terminal=street.id, made_at=SystemClock().now())
        client.send(status_topic(street.id), sign_status(status, street.key)).result(10)
    until(lambda: len(edge.rows(TerminalHeardRow)) == 50, "all were heard")
    assert len(edge.entries("terminals.heard")) <= 5


@pytest.mark.mosquitto
def test_a_revoked_terminal_is_put_out_at_once(edge: RunningEdge) -> None:
    """Its open connection ends, a new one is refused, and what it sends all the same is refused with the reason."""
    street, other = Street("T210102-0200"), Street("T210102-0201")
    edge.admit(street, other)
    with Line(street, edge.broker) as line, Line(other, edge.broker) as stays:
        line.connect()
        stays.connect()
        line.send(street.signed()[1])
        edge.revoke(street)
        until(lambda: not line.client.connected, "the broker ends its connection")
        until(lambda: "refused" in line.client.last_error, "and lets it in no more")
        assert stays.client.connected
        assert stays.client.connections == 1, "nobody else was disturbed"
    edge.client().send(report_topic(street.id), street.signed()[1]).result(10)
    until(lambda: [row for row in edge.rows(JunkRow) if row.reason == "revoked_terminal"], "refused with its reason")
    assert not view(edge, street.id)["connected"]
    assert view(edge, street.id)["state"] == "revoked"
