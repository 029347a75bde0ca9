"""Changes as Server-Sent Events, over real sockets: who hears what, resuming, heartbeats, slow clients, the server's end."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

import httpx
import orjson
import pytest

import wanmi_console
from core.cases.worked import opened
from wanmi.identity import add_person, add_token, add_unit, revoke_token, set_unit
from wanmi.identity.sessions import list_sessions, revoke_session, start_session
from wanmi.kinds import TerminalRevoked
from wanmi.models import CaseRow, table
from wanmi.node import Node
from wanmi.registry import Draft
from wanmi.testing import small_node
from wanmi.web import WebServer, session_cookie
from wanmi.web.api_events import MAX_BACKLOG
from wanmi.web.events import Hint, Listener

BEAT = 0.1


@contextmanager
def served(node: Node) -> Iterator[WebServer]:
    """The node's web server in a thread."""
    loop = asyncio.new_event_loop()
    server = WebServer(node, host="127.0.0.1", port=0)
    server._events.beat = BEAT
    task = loop.create_task(server.run())

    def work() -> None:
        with pytest.raises(asyncio.CancelledError):
            loop.run_until_complete(task)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield server
    finally:
        loop.call_soon_threadsafe(task.cancel)
        thread.join()
        loop.close()


class Ear:
    """A client that listens."""

    def __init__(self, server: WebServer, headers: dict[str, str], path: str = "/api/v1/events") -> None:
        self._client = httpx.Client(base_url=server.url, headers=headers, timeout=10)
        self._stream = self._client.stream("GET", path)
        self.answer = self._stream.__enter__()
        assert self.answer.status_code == 200, self.answer.read()
        self._lines = self.answer.iter_lines()

    def block(self) -> list[str]:
        """The lines up to the next empty one; StopIteration at the end."""
        lines = []
        while line := next(self._lines):
            lines.append(line)
        return lines

    def next(self, *, beats: bool = False) -> dict[str, Any]:
        """The next event (or heartbeat): its name, id and data."""
        while True:
            lines = self.block()
            fields = dict(line.split(": ", 1) for line in lines if not line.startswith(":"))
            if "event" in fields:
                return {"event": fields["event"], "id": int(fields["id"]), **orjson.loads(fields["data"])}
            if beats and ": beat" in lines:
                return {"event": "beat", "id": int(fields["id"])}

    def to_its_end(self) -> None:
        for _ in self._lines:
            pass

    def close(self) -> None:
        self._stream.__exit__(None, None, None)
        self._client.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


@pytest.fixture
def node(tmp_path: Path, database: Callable[[str], str]) -> Iterator[Node]:
    url = database("210102")
    sections = {"database": {"url": url}} if url else {}
    with small_node(tmp_path / "node", plugins=[wanmi_console], sections=sections) as made:
        yield made


def bearer(node: Node, *scopes: str) -> dict[str, str]:
    return {"authorization": f"Bearer {add_token(node, name='ear', scopes=scopes).secret}"}


def session(node: Node, post: str, unit: str = "") -> dict[str, str]:
    person = add_person(node, login=post, name=post, posts=[post], password="correct horse battery")
    if unit:
        add_unit(node, code=unit, name=unit)
        set_unit(node, post, unit)
    return {"cookie": f"{session_cookie(node, False)}={start_session(node, person)}"}


def open_case(node: Node, n: int, department: str | None = None) -> str:
    number = f"210102-E0102-20261124-{n:04d}"
    node.journal.append(Draft("case.opened", f"case:{number}", opened(number, day_seq=n), expect=0)).result()
    cases = table(CaseRow)
    node.store.write(
        lambda tx: tx.execute(cases.update().where(cases.c.number == number).values(department=department))
    ).result()
    return number


def note(node: Node, name: str) -> None:
    """An entry that is of no case."""
    node.journal.append(Draft("terminal.revoked", f"terminal:210102:{name}", TerminalRevoked(name, "lost"))).result()


def test_an_entry_is_told_at_once(node: Node) -> None:
    with served(node) as server, Ear(server, bearer(node, "read")) as ear:
        assert ear.answer.headers["content-type"].startswith("text/event-stream")
        ready = ear.next()
        assert (ready["event"], ready["pos"]) == ("ready", node.journal.pos)
        number = open_case(node, 1)
        told = ear.next()
        entry = node.journal.subject(f"case:{number}")[0].entry
        assert entry is not None
        assert told == {
            "event": "entry", "id": node.journal.pos, "pos": node.journal.pos, "origin": "210102", "seq": entry.seq,
            "kind": "case.opened", "subject": f"case:{number}", "version": 1, "at": entry.at,
        }  # fmt: skip


def test_the_last_event_id_goes_on_from_there(node: Node) -> None:
    headers = bearer(node, "read")
    first = open_case(node, 1)
    pos = node.journal.pos
    numbers = [open_case(node, n) for n in range(2, 6)]
    with served(node) as server:
        with Ear(server, {**headers, "last-event-id": str(pos)}) as ear:
            assert ear.next()["pos"] == pos
            told = [ear.next() for _ in numbers]
            assert [one["subject"] for one in told] == [f"case:{number}" for number in numbers]
            later = open_case(node, 6)
            assert ear.next()["subject"] == f"case:{later}"
        with Ear(server, headers, f"/api/v1/events?after={pos - 1}") as ear:
            assert ear.next()["event"] == "ready"
            assert ear.next()["subject"] == f"case:{first}"


@pytest.mark.parametrize("last", ["x", "-1", "1.5", "1e3"])
def test_what_is_no_position_is_refused(node: Node, last: str) -> None:
    with served(node) as server:
        headers = {**bearer(node, "read"), "last-event-id": last}
        answer = httpx.get(f"{server.url}/api/v1/events", headers=headers)
        assert answer.status_code == 422
        assert "Last-Event-ID" in answer.json()["detail"]


def test_whoever_was_away_too_long_loads_again(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    assert MAX_BACKLOG >= 1000
    monkeypatch.setattr("wanmi.web.api_events.MAX_BACKLOG", 2)
    pos = node.journal.pos
    for n in range(1, 5):
        open_case(node, n)
    with served(node) as server:
        for last in (pos, node.journal.pos + 1000):
            with Ear(server, {**bearer(node, "read"), "last-event-id": str(last)}) as ear:
                assert ear.next()["event"] == "ready"
                assert (told := ear.next())["event"] == "reload"
                assert told["pos"] == node.journal.pos
                assert "too much" in told["reason"]


def test_heartbeats_carry_the_position(node: Node) -> None:
    with served(node) as server, Ear(server, bearer(node, "cases:read")) as ear:
        ear.next()
        note(node, "T210102-0001")
        pos = node.journal.pos
        assert {ear.next(beats=True)["id"] for _ in range(3)} <= {pos, pos - 1}
        assert ear.next(beats=True) == {"event": "beat", "id": pos}


def test_a_department_hears_of_its_own_cases_only(node: Node) -> None:
    with served(node) as server:
        with Ear(server, session(node, "department", "roads")) as ear, Ear(server, session(node, "operator")) as all_:
            ear.next()
            all_.next()
            note(node, "T210102-0001")
            foreign, own = open_case(node, 1, "parks"), open_case(node, 2, "roads")
            subjects = [all_.next()["subject"] for _ in range(3)]
            assert subjects == ["terminal:210102:T210102-0001", f"case:{foreign}", f"case:{own}"]
        with Ear(server, {**ear._client.headers, "last-event-id": "0"}) as again:
            again.next()
            assert again.next()["subject"] == f"case:{own}"
            assert again.next(beats=True)["event"] == "beat"


def test_who_does_not_read_the_journal_hears_of_cases(node: Node) -> None:
    with served(node) as server, Ear(server, bearer(node, "cases:read")) as ear:
        ear.next()
        note(node, "T210102-0001")
        number = open_case(node, 1)
        assert ear.next()["subject"] == f"case:{number}"


def test_kinds_can_be_chosen(node: Node) -> None:
    with served(node) as server, Ear(server, bearer(node, "read"), "/api/v1/events?kinds=case.,x") as ear:
        ear.next()
        note(node, "T210102-0001")
        open_case(node, 1)
        assert ear.next()["kind"] == "case.opened"


def test_nobody_listens_on_when_the_login_ended(node: Node) -> None:
    made = add_token(node, name="ear", scopes=["read"])
    with served(node) as server:
        with Ear(server, {"authorization": f"Bearer {made.secret}"}) as ear:
            ear.next()
            revoke_token(node, made.token.id)
            ear.to_its_end()
        with Ear(server, session(node, "operator")) as ear:
            ear.next()
            for one in list_sessions(node):
                revoke_session(node, one.id)
            ear.to_its_end()


def test_the_right_is_needed(node: Node) -> None:
    with served(node) as server:
        assert httpx.get(f"{server.url}/api/v1/events").status_code == 401
        assert httpx.get(f"{server.url}/api/v1/events", headers=bearer(node, "codes:read")).status_code == 403


def test_a_server_that_stops_waits_for_no_listener(node: Node) -> None:
    with served(node) as server:
        ear = Ear(server, bearer(node, "read"))
        ear.next()
        begun = time.monotonic()
    assert time.monotonic() - begun < 3
    ear.close()


def hints(first: int, count: int) -> list[Hint]:
    return [Hint(n, "210102", n, "case.opened", f"case:{n}", 1, n) for n in range(first, first + count)]


def test_a_slow_listener_loses_its_queue_and_nothing_grows() -> None:
    async def run() -> None:
        listener = Listener(asyncio.get_running_loop(), most=10)
        listener.put(hints(1, 6))
        assert [hint.pos for hint in listener.take()] == [1, 2, 3, 4, 5, 6]
        listener.put(hints(7, 6))
        listener.put(hints(13, 6))
        assert listener.lost
        listener.put(hints(19, 1))
        assert (listener.take(), listener.lost) == ([], True)

    asyncio.run(run())


def test_a_slow_client_is_told_to_load_again(node: Node) -> None:
    """The client's queue holds one hint: the burst of one commit is too much for it."""
    with served(node) as server:
        server._events.most = 1
        with Ear(server, bearer(node, "read")) as ear:
            ear.next()
            drafts = [
                Draft("case.opened", f"case:210102-E0102-20261124-{n:04d}", opened(f"210102-E0102-20261124-{n:04d}", day_seq=n))
                for n in range(1, 5)
            ]  # fmt: skip
            node.journal.append(*drafts).result()
            told = ear.next()
            assert (told["event"], told["id"], told["reason"]) == (
                "reload",
                node.journal.pos,
                "this client was too slow",
            )
            number = open_case(node, 9)
            assert ear.next()["subject"] == f"case:{number}"


def test_listeners_are_counted_and_leave(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wanmi.web.events.MAX_LISTENERS", 1)
    with served(node) as server:
        headers = bearer(node, "read")
        with Ear(server, headers) as ear:
            ear.next()
            assert len(server._events._all()) == 1
        end = time.monotonic() + 5
        while server._events._all() and time.monotonic() < end:
            time.sleep(0.02)
        assert server._events._all() == []
