"""A node as a real process, people before it with their own sessions over real sockets, and a clock that may be elsewhere."""

from __future__ import annotations

import re
import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import httpx
import orjson

from support.live import LiveNode, environment
from support.pictures import JPEG
from wanmi.clock import ManualClock, SystemClock
from wanmi.identity import add_person, add_unit, set_unit
from wanmi.node import NewNode, Node, create_node

PASSWORD = "correct horse battery"
POSTS = {
    "operator": "operator", "leader": "shift_leader", "dispatcher": "dispatcher", "roads": "department",
    "parks": "department", "collector": "collector", "other": "collector",
}  # fmt: skip
"""Logins and what they may be; those of a department work at the unit of their login's name."""
POINT = {"lon_e7": 1_234_330_000, "lat_e7": 417_900_000}
_MOVED = """
import time
_ns, _s = time.time_ns, time.time
time.time_ns = lambda: _ns() + {us} * 1000
time.time = lambda: _s() + {us} / 1e6
"""


@dataclass
class Person:
    """Somebody logged in by the form, as a browser does it."""

    client: httpx.Client
    actor: str = ""

    @classmethod
    def log_in(cls, web: str, login: str) -> Person:
        """Fill in the form; cookies are kept whatever the node's clock says."""
        client = httpx.Client(base_url=web, timeout=20, headers={"accept": "text/html"})
        form = client.get("/login")
        found = re.search(r'name="csrf_token" value="([0-9a-f]{64})"', form.text)
        assert found is not None
        fields = {"csrf_token": found[1], "login": login, "password": PASSWORD}
        answer = client.post("/login", data=fields, headers={"cookie": _cookies(form)})
        assert answer.status_code == 303, answer.text
        client.headers = httpx.Headers({"cookie": _cookies(answer)})
        self_ = client.get("/api/v1/self").json()
        client.headers["x-csrf-token"] = self_["csrf"]
        return cls(client, self_["actor"])

    def ask(self, method: str, path: str, body: object = None, **options: Any) -> Any:
        """JSON there and back; fails with the problem's words."""
        answer = self.send(method, path, body, **options)
        assert answer.is_success, (method, path, answer.status_code, answer.text)
        return answer.json() if answer.content else None

    def send(self, method: str, path: str, body: object = None, **options: Any) -> httpx.Response:
        """The answer, whatever it is."""
        if body is not None:
            options |= {"content": orjson.dumps(body), "headers": {"content-type": "application/json"}}
        return self.client.request(method, f"/api/v1{path}", **options)


def _cookies(answer: httpx.Response) -> str:
    return "; ".join(one.partition(";")[0] for one in answer.headers.get_list("set-cookie"))


@dataclass
class Living:
    """A node's directory and its process, which may end and come again; ``at`` is where its clock begins (0: now)."""

    dir: Path
    at: int = 0
    env: Mapping[str, str] = field(default_factory=environment)
    process: LiveNode | None = None
    people: dict[str, Person] = field(default_factory=dict)

    @classmethod
    def make(cls, dir: Path, new: NewNode, people: Sequence[str], at: int = 0) -> Living:
        """A new node with some of POSTS."""
        clock = ManualClock(at) if at else SystemClock()
        create_node(dir, new, clock=clock)
        with Node.open(dir, clock=clock) as node:
            for login in people:
                add_person(node, login=login, name=login, posts=[POSTS[login]], password=PASSWORD)
                if POSTS[login] == "department":
                    add_unit(node, code=login, name=login)
                    set_unit(node, login, login)
        return cls(dir, at, _moved_to(dir.parent / "clock", at) if at else environment())

    def start(self) -> None:
        """`wanmi run`, until it serves."""
        (self.dir / "run.json").unlink(missing_ok=True)
        self.process = LiveNode(self.dir, self.env).__enter__()
        self.process.facts()

    def kill(self) -> None:
        """A power cut."""
        if self.process is not None:
            self.process.__exit__()
        for person in self.people.values():
            person.client.close()
        self.people = {}

    def stop(self) -> None:
        """An orderly end."""
        assert self.process is not None
        assert self.process.end(signal.SIGTERM, 20) == 0, self.process.log()
        self.kill()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    @property
    def web(self) -> str:
        """Where it serves."""
        assert self.process is not None
        return str(self.process.facts()["web"])

    def person(self, login: str) -> Person:
        """Somebody of the node, logged in."""
        if login not in self.people:
            self.people[login] = Person.log_in(self.web, login)
        return self.people[login]

    def upload(self, login: str, number: str) -> Any:
        """A photo of a case, as an answer names it."""
        headers = {"content-type": "image/jpeg"}
        answer = self.person(login).send("POST", f"/cases/{number}/attachments", content=JPEG, headers=headers)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def case(self, token: str, n: int = 1) -> str:
        """A report from a leader's office, and the case that it becomes."""
        report = {
            "source": "leader",
            "kind": "event",
            "category": "0102",
            "text": f"{n}",
            "point": POINT,
            "address": "a",
        }
        headers = {"authorization": f"Bearer {token}", "idempotency-key": f"letter-{n}"}
        with httpx.Client(base_url=f"{self.web}/api/v1", headers=headers, timeout=20) as office:
            made = office.post("/reports", json=report).json()
            return str(office.get(f"/reports/{made['id']}?wait=10").json()["case"])

    def step(self, login: str, number: str, step: str, **more: Any) -> Any:
        """A step with words."""
        body = {"step": step, "opinion": f"{step} by {login}", **more}
        return self.person(login).ask("POST", f"/cases/{number}/steps", body)


def _moved_to(folder: Path, at: int) -> dict[str, str]:
    """The environment of a process whose clock stands at ``at`` (µs UTC) now, and runs on from there."""
    folder.mkdir(exist_ok=True)
    (folder / "sitecustomize.py").write_text(_MOVED.format(us=at - SystemClock().now()), encoding="utf-8")
    return environment(folder)
