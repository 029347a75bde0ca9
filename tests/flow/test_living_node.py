"""What no test in one process shows: a node really run, asked over real sockets, at other times, killed and put back."""

from __future__ import annotations

import html
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import orjson
import pytest
from sqlalchemy import ColumnElement, func, select

from flow.living import Living, Person
from plugins.hotline.desk import REPORT
from support.live import until, wanmi
from wanmi.calendar import MissingYear
from wanmi.clock import SystemClock
from wanmi.identity import add_token
from wanmi.journal.proof import verify_paths
from wanmi.models import BlobRow, EntryRow, table
from wanmi.node import NewNode, Node, call_action, create_node, run_action
from wanmi.store import Store
from wanmi.testing import replay_differences
from wanmi_demo.ports import free_ports

pytestmark = pytest.mark.processes
CITY, DISTRICT = "210100", "210102"
PLUGINS = ("casework", "gis", "console")
SHENYANG = ZoneInfo("Asia/Shanghai")
HOURS = {"value": 4, "unit": "work_hour"}


def at(text: str) -> int:
    """µs UTC of a local time."""
    return round(datetime.fromisoformat(text).replace(tzinfo=SHENYANG).timestamp()) * 1_000_000


def local(us: int) -> str:
    return datetime.fromtimestamp(us / 1e6, SHENYANG).isoformat(" ", "minutes")[:16]


def token(dir: Path, *scopes: str) -> str:
    """A machine's token, made while the node does not run."""
    with Node.open(dir) as node:
        return str(add_token(node, name="-".join(scopes), scopes=scopes).secret)


@contextmanager
def district(dir: Path, *people: str, now: str = "") -> Iterator[tuple[Living, str]]:
    """A district with these people, and the token of a leader's office."""
    new = NewNode("district", DISTRICT, web="127.0.0.1:0", plugins=PLUGINS)
    made = Living.make(dir / DISTRICT, new, ("operator", "leader", "dispatcher", *people), at(now) if now else 0)
    secret = token(made.dir, "reports:write", "cases:read")
    with made:
        made.start()
        yield made, secret


def filed(node: Living, secret: str, n: int = 1) -> str:
    """A case that waits for a dispatcher."""
    number = node.case(secret, n)
    node.step("operator", number, "accept")
    node.step("leader", number, "file")
    return number


# -- time ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("now", "due", "zh", "en"),
    [
        ("2026-10-09 17:00", "2026-10-10 11:0", "调休上班：2026-10-10", "make-up workdays: 2026-10-10"),
        ("2031-10-03 17:00", "2031-10-06 11:0", MissingYear(2031).text("zh"), MissingYear(2031).text("en")),
    ],
    ids=["a make-up Saturday", "a year without data"],
)
def test_a_node_at_another_time_counts_and_explains(tmp_path: Path, now: str, due: str, zh: str, en: str) -> None:
    """Four working hours from five o'clock on a Friday; the API and the page say why it is then."""
    with district(tmp_path, now=now) as (node, secret):
        number = filed(node, secret)
        assert number.split("-")[2] == now[:10].replace("-", "")
        node.step("dispatcher", number, "dispatch", department="roads", limit=HOURS)
        operator = node.person("operator")
        [clock] = [one for one in operator.ask("GET", f"/cases/{number}/clock") if one["clock"] == "department"]
        assert local(clock["deadline"]).startswith(due), clock
        assert any(en in line for line in clock["lines_en"]), clock["lines_en"]
        assert any(zh in line for line in clock["lines_zh"]), clock["lines_zh"]
        page = operator.client.get(f"/cases/{number}?lang=zh", headers={"accept": "text/html"}, follow_redirects=True)
        assert zh in html.unescape(page.text), page.text


# -- who hears what -----------------------------------------------------------------------------------


def heard(person: Person, last: dict[str, Any]) -> set[str]:
    """The subjects of all changes that a person is told since the beginning, up to the one that left a case as it is."""
    found = set()
    with person.client.stream("GET", "/api/v1/events", headers={"last-event-id": "0"}) as stream:
        assert stream.status_code == 200, stream.read()
        for line in stream.iter_lines():
            told = orjson.loads(line.removeprefix("data: ")) if line.startswith("data: ") else {}
            found |= {told["subject"]} if "subject" in told else set()
            if (told.get("subject"), told.get("version")) == (f"case:{last['number']}", last["version"]):
                break
    return found


def test_a_department_and_a_collector_hear_of_their_own_cases_only(tmp_path: Path) -> None:
    """All that happened to the other case lies before the last change of the own one."""
    with district(tmp_path, "roads", "parks", "collector", "other") as (node, secret):
        cases = {"roads": filed(node, secret, 1), "parks": filed(node, secret, 2)}
        ways = (("roads", "collector"), ("parks", "other"))
        for unit, collector in ways:
            number = cases[unit]
            node.step("dispatcher", number, "dispatch", department=unit, limit=HOURS)
            node.step(unit, number, "take")
            node.step(unit, number, "answer", attachments=[node.upload(unit, number)])
            node.step("dispatcher", number, "pass_on")
            node.step("operator", number, "send_check", collector=node.person(collector).actor)
        for unit, collector in ways:
            own = node.step(
                collector, cases[unit], "answer_check_passed", attachments=[node.upload(collector, cases[unit])]
            )
            other = next(number for name, number in cases.items() if name != unit)
            for login in (unit, collector):
                assert heard(node.person(login), own) == {f"case:{own['number']}"}, login
                assert node.person(login).send("GET", f"/cases/{other}").status_code == 404
        assert {f"case:{number}" for number in cases.values()} < heard(node.person("operator"), own)


# -- a person is erased -------------------------------------------------------------------------------

CALLER = "13940012345"


def hotline_district(dir: Path) -> tuple[Living, Living]:
    """A city, and a district with a hotline below it; both run."""
    ports = free_ports(1)
    card = create_node(dir / CITY, NewNode("city", CITY, listen=f"tcp://127.0.0.1:{ports[0]}")).card
    city = Living(dir / CITY)
    new = NewNode("district", DISTRICT, parent=card, web="127.0.0.1:0", plugins=(*PLUGINS, "federation", "hotline"))
    node = Living.make(dir / DISTRICT, new, ("operator",))
    with Node.open(node.dir) as made:
        [asked] = [one for one in run_action(made, "node.token", {}) if isinstance(one, dict)]
    call_action(city.dir, "node.admit", {"token": str(asked["token"])})
    return city, node


def calls(node: Living, secret: str) -> str:
    """Somebody calls and tells of a heap; the call."""
    operator = node.person("operator")
    operator.ask("PUT", "/hotline/seat", {"seat": "8001"})
    said = [
        ("ringing", {"seat": "8001", "number": CALLER, "called": "12319"}),
        ("answered", {"seat": "8001"}),
        ("ended", {}),
    ]
    events = [
        {"v": 1, "id": f"e-{n}", "system": "pbx", "event": event, "call": "c-1", "at": SystemClock().now(), **more}
        for n, (event, more) in enumerate(said)
    ]
    answer = httpx.post(
        f"{node.web}/api/v1/hotline/events", json={"events": events}, headers={"authorization": f"Bearer {secret}"}
    )
    assert answer.json() == {"taken": 3, "known": 0}, answer.text
    [call] = operator.ask("GET", "/hotline/popup")["calls"]
    operator.ask("POST", f"/hotline/calls/{call['call']}/wrap-up", REPORT)
    return str(call["call"])


def count(dir: Path, what: ColumnElement[bool]) -> int:
    """How many rows of a node's database are so."""
    store = Store.open_to_read(f"sqlite:///{dir}/journal.db")
    try:
        with store.reader() as tx:
            return int(tx.execute(select(func.count()).where(what)).scalar_one())
    finally:
        store.close()


ERASED = table(EntryRow).c.kind == "person.erased"
KEYS = table(BlobRow).c.key.is_not(None)


def test_a_backup_from_before_a_person_was_erased_erases_again(tmp_path: Path) -> None:
    """Real processes and a real link: the erasure comes back from the city, which got it from this district."""
    city, node = hotline_district(tmp_path)
    secret, backup = token(node.dir, "hotline:events"), tmp_path / "backup"
    with city, node:
        city.start()
        node.start()
        call = calls(node, secret)
        caller = f"/hotline/calls/{call}/caller"
        assert node.person("operator").ask("GET", caller)
        node.stop()
        shutil.copytree(node.dir, backup)
        held = count(node.dir, KEYS)

        node.start()
        done = wanmi("erase-person", node.dir, "--number", CALLER, "--reason", "request")
        assert done.returncode == 0, done.stderr
        assert node.person("operator").send("GET", caller).status_code == 404
        until(lambda: count(city.dir, ERASED) == 1)
        node.kill()

        shutil.rmtree(node.dir)
        shutil.copytree(backup, node.dir)
        assert (count(node.dir, ERASED), count(node.dir, KEYS)) == (0, held)
        node.start()
        until(lambda: node.person("operator").send("GET", caller).status_code == 404)
        assert count(node.dir, ERASED) == 1
        assert count(node.dir, KEYS) == held - 3, "the number as it came, the caller as written down, the text"
        node.stop()
    assert verify_paths([node.dir, city.dir]).findings == []
    for dir in (node.dir, city.dir):
        with Node.open(dir) as opened:
            assert replay_differences(opened) == []
