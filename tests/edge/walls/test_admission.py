"""Who may be a wall: entries, rules for the broker, and a broker that cannot keep them apart."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import httpx
import pytest

from wanmi.errors import BadInput, NotFound
from wanmi.hookspecs import hookimpl
from wanmi.identity import add_token
from wanmi.node import Node
from wanmi.plugins import Plugin
from wanmi.registry import Registry
from wanmi.reports.cards import verifier_matches
from wanmi.testing import replay_differences, running, small_node
from wanmi_edge.broker_files import acl_rules
from wanmi_edge.terminals import TerminalBook
from wanmi_edge.walls.book import admission, admit_wall, list_walls, revoke_wall
from wanmi_edge.walls.parts import add_walls
from wanmi_edge.walls.rows import register_walls


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    @hookimpl
    def register(to: Registry) -> None:
        register_walls(to)

    module = ModuleType("wanmi_walls")
    module.register = register  # type: ignore[attr-defined]
    with small_node(tmp_path / "edge", role="edge", code="21010201", plugins=[Plugin("walls", "0", module)]) as made:
        yield made


def test_a_password_is_shown_once_changed_and_ended(node: Node) -> None:
    book = TerminalBook(node.store, node.journal)
    first = admit_wall(node, "wall-1", "p1")
    second = admit_wall(node, "wall-1", "p1")
    book.refresh_if_stale()
    verifier = book.verifiers()["wall-1"]
    assert (verifier_matches(verifier, first), verifier_matches(verifier, second)) == (False, True)
    assert len(book) == 0, "a wall is no terminal"
    raw = b"".join(one.raw or b"" for one in node.journal.read(node.code, 0))
    assert second.encode() not in raw
    revoke_wall(node, "wall-1", "sold", "p1")
    book.refresh_if_stale()
    assert book.verifiers() == {}
    assert [(one.wall, one.state) for one in list_walls(node)] == [("wall-1", "revoked")]
    with pytest.raises(NotFound):
        revoke_wall(node, "wall-1", "again", None)
    assert replay_differences(node) == []


@pytest.mark.parametrize(
    "name",
    [
        "hall",
        "wall-",
        "wall-A",
        "wall-a b",
        "wall-a/b",
        "wall-+",
        "wall-#",
        "wall-a\nuser x",
        "T210102-0001",
        "21010201",
    ],
)
def test_names_that_could_be_somebody_else(node: Node, name: str) -> None:
    with pytest.raises(BadInput, match="wall-"):
        admit_wall(node, name, None)


def test_a_broker_without_access_rules_takes_no_walls(node: Node) -> None:
    (node.dir / "broker").mkdir(exist_ok=True)
    (node.dir / "broker" / "address.json").write_text(json.dumps({"kind": "iotcore", "url": "mqtt://x", "pid": 1}))
    with pytest.raises(BadInput, match="install mosquitto"):
        admission(node, "wall-1", "mqtt://x", None)
    assert list_walls(node) == []


def test_walls_over_http(tmp_path: Path) -> None:
    @hookimpl
    def register(to: Registry) -> None:
        add_walls(to, lambda: None, lambda: "mqtts://edge.example:8883")
        to.right("device.change", zh="设备", en="Set devices", scope="devices:write", posts=("technician",))

    module = ModuleType("wanmi_walls")
    module.register = register  # type: ignore[attr-defined]
    with small_node(tmp_path / "edge", role="edge", code="21010201", plugins=[Plugin("walls", "0", module)]) as made:
        secret = add_token(made, name="desk", scopes=["devices:read", "devices:write"]).secret
        reader = add_token(made, name="screen", scopes=["devices:read"]).secret
        with running(made, web=True) as places, httpx.Client(base_url=f"{places['web']}/api/v1") as client:
            client.headers["authorization"] = f"Bearer {reader}"
            assert client.put("/walls/wall-hall").status_code == 403
            client.headers["authorization"] = f"Bearer {secret}"
            given = client.put("/walls/wall-hall").json()
            assert (given["broker"], len(given["password"]) > 40) == ("mqtts://edge.example:8883", True)
            (wall,) = client.get("/walls").json()["walls"]
            assert (wall["wall"], wall["state"], wall["now"], wall["device"]) == ("wall-hall", "admitted", "", "")
            assert given["password"] not in client.get("/walls").text
            wrong = client.put("/walls/hall")
            assert (wrong.status_code, "wall-" in wrong.json()["detail"]) == (422, True)
            assert client.delete("/walls/wall-hall", params={"reason": "sold"}).json()["state"] == "revoked"
            assert client.delete("/walls/wall-hall").status_code == 404


def test_the_rules_of_a_wall_stand_under_its_own_user() -> None:
    lines = acl_rules("21010201", ["wall-b", "wall-a"]).splitlines()
    at = lines.index("user wall-a")
    assert lines[at + 1 : at + 4] == [
        "topic deny wanmi/v1/#", "topic read wanmi/walls/v1/wall-a/order", "topic write wanmi/walls/v1/wall-a/status",
    ]  # fmt: skip
    assert lines.index("user wall-b") > at
