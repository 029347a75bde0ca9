"""A district (or city) with the hotline, an operator at a telephone, and events as a telephone system sends them."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson
from sqlalchemy import select

import wanmi_casework
import wanmi_console
import wanmi_gis
import wanmi_hotline
from support.browser import Browser
from wanmi.clock import SECOND, ManualClock
from wanmi.identity import add_person, add_token
from wanmi.models import CaseRow, table
from wanmi.node import Node
from wanmi.registry import Stored
from wanmi.testing import small_node
from wanmi.web import build_app

START = 1_795_500_000 * SECOND
"""2026-11-24 14:00 in Shenyang."""
PLUGINS = (wanmi_console, wanmi_casework, wanmi_gis, wanmi_hotline)
PASSWORD = "correct horse battery"
CALLER = "139 4001 2345"
POINT = {"lon_e7": 1_234_330_000, "lat_e7": 417_900_000}
REPORT = {
    "outcome": "report", "kind": "event", "category": "0102", "point": POINT, "address": "中山路 1 号门前",
    "text": "垃圾成堆，李先生家门口", "name": "李先生", "notes": "晚上在家", "call_back": True,
}  # fmt: skip


@dataclass
class Desk:
    """A node with the hotline; browsers before it."""

    node: Node
    clock: ManualClock
    counter: Iterator[int] = field(default_factory=lambda: itertools.count(1))
    browsers: list[Browser] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.app = build_app(self.node)
        self.people: dict[str, str] = {}

    def person(self, login: str, *posts: str) -> Browser:
        """Somebody with these posts, logged in."""
        person = add_person(self.node, login=login, name=login.title(), posts=posts, password=PASSWORD)
        self.people[login] = person.id
        browser = Browser(self.app)
        assert browser.log_in(login, PASSWORD).status_code == 303
        self.browsers.append(browser)
        return browser

    def operator(self, login: str = "wangmin", seat: str = "8001", *posts: str) -> Browser:
        """An operator at a telephone."""
        browser = self.person(login, *(posts or ("operator",)))
        answer = send(browser, "PUT", "/api/v1/hotline/seat", {"seat": seat})
        assert answer.status_code == 200, answer.text
        return browser

    def machine(self, *scopes: str) -> Browser:
        """A telephone system with a token."""
        browser = Browser(self.app, token=add_token(self.node, name="pbx", scopes=scopes or ("hotline:events",)).secret)
        self.browsers.append(browser)
        return browser

    def event(self, event: str, call: str = "c-1", **more: Any) -> dict[str, Any]:
        """An event of the telephone system now."""
        self.clock.advance(SECOND)
        made = {
            "v": 1, "id": f"e-{next(self.counter)}", "system": "pbx", "event": event, "call": call, "at": self.clock.now(),
        }  # fmt: skip
        if event == "ringing":
            made |= {"seat": "8001", "number": CALLER, "called": "12319"}
        return made | more

    def entries(self, kind: str) -> list[Stored]:
        """This node's entries of a kind."""
        found = self.node.journal.read(self.node.code, 0, limit=10_000)
        return [one for one in found if one.entry is not None and one.entry.kind == kind]

    def cases(self) -> list[Any]:
        """All cases."""
        with self.node.store.reader() as tx:
            return list(tx.execute(select(table(CaseRow)).order_by(table(CaseRow).c.number)))

    def close(self) -> None:
        """Close everything."""
        for browser in self.browsers:
            browser.close()
        self.node.close()


@contextmanager
def desk(
    dir: Path, *, role: Any = "district", code: str = "210102", plugins: Sequence[Any] = PLUGINS, **hotline: Any
) -> Iterator[Desk]:
    """Open one."""
    clock = ManualClock(START)
    sections = {"hotline": hotline} if hotline else {}
    made = Desk(small_node(dir / "node", role=role, code=code, plugins=plugins, sections=sections, clock=clock), clock)
    try:
        yield made
    finally:
        made.close()


def send(browser: Browser, method: str, path: str, body: Any) -> Any:
    """JSON as a page's script sends it: with the form token when there is a session."""
    headers = {"content-type": "application/json"}
    if "authorization" not in browser.client.headers:
        headers["x-csrf-token"] = browser.form_token("/")
    return browser.request(method, path, content=orjson.dumps(body), headers=headers)


def popup(browser: Browser, **query: Any) -> dict[str, Any]:
    """What is on the operator's screen."""
    answer = browser.get("/api/v1/hotline/popup", params=query)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())
