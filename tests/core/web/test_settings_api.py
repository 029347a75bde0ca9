"""Settings and plugins over HTTP: the administrator's alone, tried, journaled with the person, secrets never shown."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import wanmi_casework
from support.browser import Browser
from wanmi.identity import add_token
from wanmi.node import Node, run_action
from wanmi.node.changing import HIDDEN
from wanmi.node.recorded import host_account, record_settings
from wanmi.settings import FILE
from wanmi.testing import carry, small_city, small_node
from wanmi.web import build_app


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    made = small_node(tmp_path / "node", plugins=[wanmi_casework], sections={"database": {}})
    record_settings(made, host_account())
    with made:
        yield made


@pytest.fixture
def admin(node: Node) -> Iterator[Browser]:
    with machine(node) as browser:
        yield browser


def machine(node: Node) -> Browser:
    return Browser(build_app(node), token=add_token(node, name="a test", scopes=["admin"]).secret)


def told(node: Node) -> list[tuple[str, str | None, dict[str, object]]]:
    kinds = ("settings.changed", "plugin.switched")
    found = [one.entry for one in node.journal.read(node.code, 0) if one.entry is not None]
    return [(one.kind, one.actor, dict(one.body)) for one in found if one.kind in kinds][1:]


def file_of(node: Node) -> dict[str, object]:
    return tomllib.loads((node.dir / FILE).read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("key", "value"), [("log.level", "debug"), ("watch.hook", 11.5), ("log.level", "warning"), ("web.port", 8443)]
)
def test_a_setting_is_changed(node: Node, admin: Browser, key: str, value: object) -> None:
    answer = admin.request("PUT", f"/api/v1/settings/{key}", json={"value": value})
    assert (answer.status_code, answer.json()) == (200, {"key": key, "holds": "at the next start"})
    section, _, name = key.partition(".")
    assert file_of(node)[section][name] == value  # type: ignore[index]
    [(kind, actor, body)] = told(node)
    assert (kind, body["section"], body["keys"]) == ("settings.changed", section, [name])
    assert (actor or "").startswith("token:")


@pytest.mark.parametrize(
    ("key", "value", "status"),
    [
        ("web.port", 99999, 422), ("web.port", "no", 422), ("web.nothing", 1, 422), ("node.code", "210103", 422),
        ("web", 1, 422), ("casework.radius", None, 422), ("log.level", 'x"\nplugins = []', 422), ("log.level", ["a"], 422),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused(node: Node, admin: Browser, key: str, value: object, status: int) -> None:
    before = (node.dir / FILE).read_bytes()
    answer = admin.request("PUT", f"/api/v1/settings/{key}", json={"value": value})
    assert answer.status_code == status, answer.text
    assert (node.dir / FILE).read_bytes() == before
    assert told(node) == []


def test_a_secret_goes_in_and_never_comes_out(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/secret-word.db"
    with small_node(tmp_path / "node", plugins=[wanmi_casework]) as node, machine(node) as admin:
        answer = admin.request("PUT", "/api/v1/settings/database.url", json={"value": url})
        assert (answer.status_code, "secret-word" in answer.text) == (200, False)
        assert "secret-word" not in str(told(node))
    with Node.open(tmp_path / "node") as again, machine(again) as admin:
        shown = admin.get("/api/v1/settings")
    assert shown.json()["settings"]["database"] == {"url": HIDDEN}
    assert "secret-word" not in shown.text


def test_plugins_are_switched(node: Node, admin: Browser) -> None:
    assert {"name": "gis", "enabled": False} in admin.get("/api/v1/plugins").json()
    answer = admin.request("PUT", "/api/v1/plugins/gis", json={"enabled": True})
    assert answer.json() == {"plugin": "gis", "enabled": True, "holds": "at the next start"}
    assert file_of(node)["plugins"] == ["casework", "gis"]
    assert ("plugin.switched", "gis") in [(kind, body.get("plugin")) for kind, _, body in told(node)]
    assert admin.request("PUT", "/api/v1/plugins/gis", json={"enabled": True}).status_code == 422
    assert admin.request("PUT", "/api/v1/plugins/nothing", json={"enabled": True}).status_code == 404


@pytest.mark.parametrize("scope", ["read", "write", "people:read"])
def test_others_see_and_change_nothing(node: Node, scope: str) -> None:
    before = (node.dir / FILE).read_bytes()
    with Browser(build_app(node), token=add_token(node, name="reads", scopes=[scope]).secret) as browser:
        assert browser.get("/api/v1/settings").status_code == 403
        assert browser.get("/api/v1/plugins").status_code == 403
        assert browser.get("/api/v1/settings/orders").status_code == 403
        assert browser.request("POST", "/api/v1/settings/orders", json={}).status_code == 403
        assert browser.request("POST", "/api/v1/restart").status_code == 403
        assert browser.request("PUT", "/api/v1/settings/log.level", json={"value": "debug"}).status_code == 403
        assert browser.request("PUT", "/api/v1/plugins/gis", json={"enabled": True}).status_code == 403
    assert (node.dir / FILE).read_bytes() == before


def test_a_district_orders_a_change_of_an_edge(tmp_path: Path) -> None:
    wanted = {"edge": "21010201", "changes": [{"key": "log.level", "old": "info", "new": "debug"}], "probation": 30}
    with small_city(tmp_path) as nodes, machine(nodes.district) as admin:
        made = admin.request("POST", "/api/v1/settings/orders", json=wanted)
        assert (made.status_code, made.json()["state"], made.json()["changes"]) == (201, "ordered", wanted["changes"])
        assert made.json()["ordered_by"].startswith("token:")
        path = f"/api/v1/settings/orders/{made.json()['change']}"
        assert admin.get(path).json() == made.json()
        assert admin.get("/api/v1/settings/orders?edge=21010201").json() == [made.json()]
        assert admin.get("/api/v1/settings/orders?edge=21010202").json() == []
        assert admin.get("/api/v1/settings/orders/none").status_code == 404
        carry(nodes.district, nodes.edge)
        with machine(nodes.edge) as there:
            assert there.get(path).json() == made.json()
            again = there.request("POST", "/api/v1/settings/orders", json=wanted)
        assert (again.status_code, "admitted here" in again.text) == (404, True)


@pytest.mark.parametrize(
    ("part", "status"),
    [
        ({"edge": "21010299"}, 404), ({"probation": 1}, 422), ({"probation": 4000}, 422), ({"expires_in": 1}, 422),
        ({"changes": []}, 422), ({"changes": [{"key": "log.level", "new": "debug"}]}, 422),
        ({"changes": [{"key": "log.level", "old": "info", "new": "loud"}]}, 422),
        ({"changes": [{"key": "database.url", "old": "", "new": "x"}]}, 422),
        ({"changes": [{"key": "log.level", "old": "info", "new": "debug"}] * 2}, 422),
    ],
)  # fmt: skip
def test_an_order_that_cannot_be_is_no_entry(tmp_path: Path, part: dict[str, object], status: int) -> None:
    wanted = {"edge": "21010201", "changes": [{"key": "log.level", "old": "info", "new": "debug"}], **part}
    with small_city(tmp_path) as nodes, machine(nodes.district) as admin:
        head = nodes.district.journal.cursor("210102")
        answer = admin.request("POST", "/api/v1/settings/orders", json=wanted)
        assert answer.status_code == status, answer.text
        assert nodes.district.journal.cursor("210102") == head


def test_a_node_that_does_not_run_does_not_restart(admin: Browser) -> None:
    assert admin.request("POST", "/api/v1/restart").json() == {"restarts": False}


def test_of_many_changes_at_once_none_is_lost(node: Node) -> None:
    wanted = {"log.level": '"debug"', "web.port": "8443", "watch.hook": "11.5"}

    def change(one: tuple[str, str]) -> None:
        list(run_action(node, "settings.set", {"key": one[0], "value": one[1], "actor": "p-7"}))

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(change, wanted.items()))
    file = file_of(node)
    assert (file["log"]["level"], file["web"]["port"], file["watch"]["hook"]) == ("debug", 8443, 11.5)  # type: ignore[index]
    assert {key for _, actor, body in told(node) if actor == "p-7" for key in body["keys"]} == {"level", "port", "hook"}  # type: ignore[attr-defined]
