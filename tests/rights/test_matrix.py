"""Every route × post, token scope and stranger, compared with the reviewed matrix."""

from __future__ import annotations

from pathlib import Path

import pytest

from rights.walk import Line, as_csv, as_docs, open_node, walk
from wanmi.identity import POSTS

HERE = Path(__file__).parent
ROOT = HERE.parent.parent


@pytest.fixture(scope="module")
def lines(tmp_path_factory: pytest.TempPathFactory) -> list[Line]:
    return walk(tmp_path_factory.mktemp("tiers"))


def test_the_matrix_is_the_reviewed_one(lines: list[Line]) -> None:
    kept = (HERE / "matrix.csv").read_text(encoding="utf-8")
    assert as_csv(lines).splitlines() == kept.splitlines(), "a right changed: run tools/matrix.py and review the diff"


def test_the_page_tells_the_same(lines: list[Line], tmp_path: Path) -> None:
    with open_node(tmp_path / "node", "district") as node:
        assert as_docs(lines, node) == (ROOT / "docs/rights.md").read_text(encoding="utf-8")


def test_every_route_declares_who_may_pass(lines: list[Line]) -> None:
    silent = [f"{line.method} {line.path}" for line in lines if not line.right and not line.stranger]
    assert silent == []


def test_strangers_reach_the_login_and_health_only(lines: list[Line]) -> None:
    reached = {line.path for line in lines if line.stranger and not line.path.startswith("/static/")}
    assert reached == {"/healthz", "/login", "/login/code", "/login/enrol"}


def test_whoever_reads_changes_nothing(lines: list[Line]) -> None:
    readers = [line for line in lines if line.method != "GET" and "read" in line.tokens and not line.stranger]
    assert readers == []


def test_the_wide_scopes_hold_each_other(lines: list[Line]) -> None:
    for line in lines:
        wide = [scope for scope in ("read", "write", "admin") if scope in line.tokens]
        assert wide in ([], ["admin"], ["write", "admin"], ["read", "write", "admin"]), line


def test_what_changes_people_is_the_administrators(lines: list[Line]) -> None:
    of_people = [line for line in lines if line.path.startswith("/api/v1/people/") and line.method != "GET"]
    assert of_people
    assert {line.posts for line in of_people} == {("administrator",)}
    assert {line.tokens for line in of_people} == {("admin",)}


def test_no_post_is_without_a_page(lines: list[Line]) -> None:
    for post in POSTS:
        assert any(post in line.posts and line.path == "/" for line in lines), post
