"""Whatever the API's description allows is answered without a failure of the node, for a stranger, machines and every post."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings

from house.tree import plugin_packages
from rights.walk import NO_ROUTES
from support.browser import Browser
from wanmi.identity import POSTS, add_person, add_token, add_unit, set_unit
from wanmi.kinds import Role
from wanmi.node import Node
from wanmi.testing import replay_differences, small_node
from wanmi.web import build_app

PASSWORD = "a long enough secret"
CODES: dict[Role, str] = {"city": "210100", "district": "210102"}
ENDLESS = {"/api/v1/events"}
"""Streams; tests/core/web/test_events.py listens to them."""
EXAMPLES = 6
"""Requests for each operation and caller in `make test`."""
DEEP = 40
"""The same in `make faults`."""


@contextmanager
def staffed(folder: Path, role: Role = "district") -> Iterator[Node]:
    """A node with every plugin that has routes, and somebody at every post."""
    plugins = [import_module(name) for name in sorted(plugin_packages().keys() - NO_ROUTES)]
    with small_node(folder, role=role, code=CODES[role], plugins=plugins) as made:
        add_unit(made, code="roads", name="roads")
        for post in POSTS:
            login = post.replace("_", "-")
            add_person(made, login=login, name=post, posts=[post], password=PASSWORD)
            if post == "department":
                set_unit(made, login, "roads")
        yield made


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    with staffed(tmp_path_factory.mktemp("schema") / "node") as made:
        yield made


@pytest.fixture(scope="module")
def app(node: Node) -> Any:
    return build_app(node)


@pytest.fixture(scope="module")
def described(app: Any) -> dict[str, Any]:
    found: dict[str, Any] = app.openapi()
    return found


def operations(described: dict[str, Any]) -> list[Any]:
    """Every operation under /api/v1 but the endless ones."""
    schema = schemathesis.openapi.from_dict(described)
    found = [one.ok() for one in schema.get_all_operations()]
    return [one for one in found if one.path.startswith("/api/v1/") and one.path not in ENDLESS]


def ask(browser: Browser, case: Any, headers: dict[str, str]) -> tuple[int, str, str]:
    """Send what schemathesis made; status, media type and text."""
    path = case.formatted_path if "{" in case.path else case.path
    kwargs = case.as_transport_kwargs()
    given = {k: v for k, v in dict(kwargs.get("headers") or {}).items() if k.lower() not in ("authorization", "cookie")}
    sent: dict[str, Any] = {"params": kwargs.get("params"), "headers": {**given, **headers}}
    for name in ("json", "data"):
        if kwargs.get(name) is not None:
            sent["content" if name == "data" else name] = kwargs[name]
    answer = browser.request(case.method, path, **sent)
    return answer.status_code, answer.headers.get("content-type", ""), answer.text


def try_all(
    browser: Browser, described: dict[str, Any], headers: dict[str, str], examples: int = EXAMPLES
) -> tuple[list[str], Counter[int]]:
    """Failures as (operation, status, text), and how often which status came."""
    failures: list[str] = []
    counts: Counter[int] = Counter()

    for operation in operations(described):

        @settings(
            max_examples=examples, deadline=None, database=None, derandomize=True, phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )  # fmt: skip
        @given(operation.as_strategy())
        def one(case: Any) -> None:
            status, media, text = ask(browser, case, headers)
            counts[status] += 1
            if status >= 500 or (status >= 400 and not media.startswith("application/problem+json")):
                failures.append(
                    f"{case.method} {case.formatted_path} {case.query} {case.body!r}: {status} {text[:300]}"
                )

        one()
    return failures, counts


CALLERS = ("stranger", "token read", "token write", "token admin", *(f"post {post}" for post in POSTS))


@pytest.fixture
def browser(app: Any) -> Iterator[Browser]:
    with Browser(app) as made:
        yield made


def log_in(browser: Browser, node: Node, caller: str) -> dict[str, str]:
    """The headers of a caller."""
    kind, _, name = caller.partition(" ")
    if kind == "token":
        return {"authorization": f"Bearer {add_token(node, name=caller, scopes=[name]).secret}"}
    if kind == "post":
        assert browser.log_in(name.replace("_", "-"), PASSWORD).status_code == 303
        return {"x-csrf-token": browser.form_token()}
    return {}


@pytest.mark.parametrize("caller", CALLERS)
def test_no_request_makes_the_node_fail(node: Node, browser: Browser, described: dict[str, Any], caller: str) -> None:
    failures, counts = try_all(browser, described, log_in(browser, node, caller))
    assert failures == []
    assert sum(counts.values()) >= EXAMPLES * len(operations(described)) // 2
    if caller == "stranger":
        assert set(counts) == {401}
    elif caller != "token read":
        assert counts[200] or counts[201], counts


@pytest.mark.long
@pytest.mark.timeout(3600)
@pytest.mark.parametrize(("role", "caller"), [("district", "post operator"), ("city", "post administrator")])
def test_no_request_of_very_many_makes_the_node_fail(tmp_path: Path, role: Role, caller: str) -> None:
    """Deeper, and at the city too; what they did replays alike."""
    with staffed(tmp_path / "node", role) as node, Browser(build_app(node)) as browser:
        described: dict[str, Any] = build_app(node).openapi()
        failures, counts = try_all(browser, described, log_in(browser, node, caller), DEEP)
        assert failures == []
        assert sum(counts.values()) >= DEEP * len(operations(described)) // 2
        assert counts[200] or counts[201], counts
        assert replay_differences(node) == []


def test_the_description_tells_of_logins_problems_and_keys(described: dict[str, Any]) -> None:
    assert set(described["components"]["securitySchemes"]) == {"token", "session"}
    told = [(path, name, one) for path, item in described["paths"].items() for name, one in item.items()]
    assert len(told) > 50
    for path, name, one in told:
        assert "4XX" in one["responses"], (path, name)
        if path.startswith("/api/v1/"):
            assert one["summary"], path
            assert one["security"], path
        if name == "post" and path.startswith("/api/v1/") and not path.startswith("/api/v1/self/"):
            keys = [p for p in one["parameters"] if p["name"].lower() == "idempotency-key"]
            assert len(keys) == 1, path


def unbounded(schema: dict[str, Any], where: str, named: dict[str, Any]) -> Iterator[str]:
    """Where a request may bring any number, or a text or list of any length; a reference that leads nowhere."""
    for kind in ("anyOf", "oneOf", "allOf"):
        for one in schema.get(kind, ()):
            yield from unbounded(one, where, named)
    if "$ref" in schema:
        name = schema["$ref"].removeprefix("#/components/schemas/")
        yield from unbounded(named[name], where, named) if name in named else (f"{where}: {schema['$ref']}",)
    elif "enum" not in schema and "const" not in schema:
        yield from (where for needed in BOUNDS.get(schema.get("type", ""), ()) if not needed & schema.keys())
    for name, one in schema.get("properties", {}).items():
        yield from unbounded(one, f"{where}.{name}", named)
    for inside in ("items", "additionalProperties"):
        if isinstance(schema.get(inside), dict):
            yield from unbounded(schema[inside], f"{where}[]", named)


BOUNDS: dict[str, tuple[set[str], ...]] = {
    "integer": ({"minimum", "exclusiveMinimum"}, {"maximum", "exclusiveMaximum"}),
    "number": ({"minimum", "exclusiveMinimum"}, {"maximum", "exclusiveMaximum"}),
    "string": ({"maxLength", "pattern", "format"},),
    "array": ({"maxItems"},),
}


def all_unbounded(described: dict[str, Any]) -> list[str]:
    """Every part of a request of an API that may be of any size."""
    named, found = described["components"]["schemas"], []
    for path, item in described["paths"].items():
        for method, one in item.items():
            bodies = one.get("requestBody", {}).get("content", {})
            asked = [(f"{method} {path} {p['name']}", p["schema"]) for p in one.get("parameters", ())]
            asked += [(f"{method} {path} body", body["schema"]) for body in bodies.values()]
            found += [wrong for where, schema in asked for wrong in unbounded(schema, where, named)]
    return found


def test_whatever_a_request_brings_is_bounded(described: dict[str, Any]) -> None:
    """More than 64 bits fit no database, more than 64 KiB no entry."""
    assert all_unbounded(described) == []


def test_whatever_a_request_brings_to_an_edge_is_bounded(tmp_path: Path) -> None:
    plugins = [import_module(name) for name in ("wanmi_console", "wanmi_edge", "wanmi_hardware")]
    with small_node(tmp_path / "edge", role="edge", code="21010201", plugins=plugins) as edge:
        assert all_unbounded(build_app(edge).openapi()) == []


def test_a_walk_over_bounds_finds_what_has_none() -> None:
    half = {
        "type": "object",
        "properties": {"n": {"type": "integer", "minimum": 0}, "s": {"type": "string", "maxLength": 3}},
    }
    assert list(unbounded({"anyOf": [{"$ref": "#/components/schemas/H"}, {"$ref": "#/$defs/E"}]}, "b", {"H": half})) == [
        "b.n", "b: #/$defs/E",
    ]  # fmt: skip
