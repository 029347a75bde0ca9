"""A department sees its own cases only; opened sealed data leaves a trace; people's routes; changed settings."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from fastapi import FastAPI
from sqlalchemy import update

from support.browser import PAGE, Browser
from support.small_town import PASSWORD
from support.town_fixture import Shown, shown_town
from wanmi.clock import SECOND, ManualClock
from wanmi.hookspecs import Actor
from wanmi.identity import add_person, add_token, add_unit, list_people, set_unit
from wanmi.identity.views import note_view
from wanmi.models import CaseRow, table
from wanmi.node import Node
from wanmi.registry import Stored
from wanmi.web import build_app


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shown]:
    """A town of one's own: these tests change it."""
    built = shown_town(tmp_path_factory.mktemp("own"))
    city = built.town.nodes["210100"]
    add_unit(city, code="roads", name="市政")
    for login, unit in (("roads", "roads"), ("lost", None)):
        add_person(city, login=login, name=login, posts=["department"], password=PASSWORD)
        set_unit(city, login, unit)
    cases = table(CaseRow)
    of_roads = cases.c.number.in_([built.with_photo, built.plain])
    city.store.write(lambda tx: tx.execute(update(cases).where(of_roads).values(department="roads"))).result()
    yield built
    built.town.close()


@pytest.fixture(scope="module")
def node(own: Shown) -> Node:
    return own.town.nodes["210100"]


@pytest.fixture(scope="module")
def its_app(node: Node) -> FastAPI:
    return build_app(node)


@pytest.fixture
def browser(its_app: FastAPI) -> Iterator[Browser]:
    with Browser(its_app) as made:
        yield made


def views(node: Node) -> list[Stored]:
    return [
        one for one in node.journal.read(node.code, 0) if one.entry is not None and one.entry.kind == "sealed.viewed"
    ]


def photo_of(browser: Browser, number: str) -> str:
    evidence = browser.get(f"/api/v1/cases/{number}").json()["evidence"]
    return str(next(one["url"] for one in evidence if one["role"] == "photo"))


def test_a_department_sees_its_own_cases_only(browser: Browser, own: Shown) -> None:
    browser.log_in("roads", PASSWORD)
    page = browser.get("/api/v1/cases?count=true").json()
    assert {case["number"] for case in page["cases"]} == {own.with_photo, own.plain}
    assert page["count"] == 2
    for path in ("/", "/cases", "/cases.csv"):
        text = browser.request("GET", path, headers=PAGE).text
        assert own.with_photo in text or own.plain in text
        assert own.hostile not in text
        assert own.outside not in text
    assert browser.get(f"/api/v1/cases/{own.plain}").status_code == 200
    assert browser.get(f"/cases/{own.plain}").status_code == 200


def test_what_is_not_its_own_is_not_there(its_app: FastAPI, browser: Browser, own: Shown) -> None:
    with Browser(its_app) as operator:
        operator.log_in("wangmin", PASSWORD)
        foreign = photo_of(operator, own.hostile)
    browser.log_in("roads", PASSWORD)
    there_is_none = browser.get("/api/v1/cases/210102-E0102-20200101-0001").json()["detail"]
    hidden = browser.get(f"/api/v1/cases/{own.hostile}")
    assert hidden.status_code == 404
    assert hidden.json()["detail"].replace(own.hostile, "210102-E0102-20200101-0001") == there_is_none
    assert browser.get(f"/cases/{own.hostile}").status_code == 404
    assert browser.get(foreign).status_code == 404
    for path in (
        f"/subjects?s=case:{own.hostile}",
        "/api/v1/entries?origin=210102",
        "/api/v1/subjects/entries?subject=x",
    ):
        assert browser.get(path).status_code == 403, path


def test_no_route_under_a_case_reaches_a_foreign_one(its_app: FastAPI, browser: Browser, own: Shown) -> None:
    browser.log_in("roads", PASSWORD)
    headers = {"x-csrf-token": browser.form_token()}
    doors = [door for door in its_app.state.doors.all if "/cases/{number}" in door.path]
    assert doors
    for door in doors:
        for method in door.methods - {"HEAD"}:
            answer = browser.request(method, door.path.replace("{number}", own.hostile), headers=headers)
            assert answer.status_code in (403, 404), (method, door.path)
            assert own.hostile in answer.text or answer.status_code == 403


def test_a_department_without_unit_sees_nothing(browser: Browser) -> None:
    browser.log_in("lost", PASSWORD)
    page = browser.get("/api/v1/cases?count=true").json()
    assert (page["cases"], page["next"], page["count"]) == ([], None, 0)


def test_a_machine_without_the_scope_opens_nothing(its_app: FastAPI, node: Node, own: Shown) -> None:
    secret = add_token(node, name="screen", scopes=["cases:read"]).secret
    with Browser(its_app, token=secret) as machine:
        url = photo_of(machine, own.with_photo)
        answer = machine.get(url)
        assert answer.status_code == 403
        assert "evidence:read" in answer.json()["detail"]


def test_opening_sealed_data_is_journaled_once_an_hour(browser: Browser, node: Node, own: Shown) -> None:
    browser.log_in("root", PASSWORD)
    before = len(views(node))
    url = photo_of(browser, own.with_photo)
    assert len(views(node)) == before, "a list opens nothing"
    for _ in range(3):
        assert browser.get(url).status_code == 200
    assert browser.get(f"/cases/{own.with_photo}").status_code == 200
    [view] = views(node)[before:]
    entry = view.entry
    assert entry is not None
    assert entry.actor is not None
    assert entry.actor.startswith("p-")
    assert entry.body["blobs"] == [url.rpartition("/")[2]]
    assert (entry.body["post"], entry.subject) == ("administrator", f"viewed:{entry.body['of']}")
    assert view.audience == (node.code,)
    assert isinstance(node.clock, ManualClock)
    node.clock.advance(3600 * SECOND)
    browser.get(url)
    assert len(views(node)) == before + 2


def test_views_at_the_same_moment_are_one_entry(node: Node, own: Shown) -> None:
    before, told = len(views(node)), []
    blob, actor = "ab" * 32, Actor("p-many", "operator")
    threads = [
        threading.Thread(target=lambda: told.append(note_view(node, actor, blobs=[blob], subject="report:many")))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(told) == [False] * 7 + [True]
    assert len(views(node)) == before + 1


def test_a_page_that_shows_the_text_is_a_view(browser: Browser, node: Node, own: Shown) -> None:
    browser.log_in("mallory", PASSWORD)
    before = len(views(node))
    for _ in range(2):
        assert "井盖破损" in browser.page(f"/cases/{own.with_photo}")
    assert len(views(node)) == before + 1
    browser.page(f"/cases/{own.plain}")
    assert len(views(node)) == before + 1, "nothing sealed was opened there"


def test_who_may_not_open_leaves_no_view(browser: Browser, node: Node, own: Shown) -> None:
    browser.log_in("zhang", PASSWORD)
    cases, zhang = table(CaseRow), next(one.id for one in list_people(node) if one.login == "zhang")
    given = update(cases).where(cases.c.number == own.with_photo).values(collector=zhang)
    node.store.write(lambda tx: tx.execute(given)).result()
    before = len(views(node))
    assert browser.get(photo_of(browser, own.with_photo)).status_code == 403
    assert "井盖破损" not in browser.page(f"/cases/{own.with_photo}")
    assert len(views(node)) == before


def test_an_administrator_sees_and_releases(browser: Browser, its_app: FastAPI) -> None:
    browser.log_in("root", PASSWORD)
    token = browser.form_token()
    headers = {"x-csrf-token": token}
    with Browser(its_app) as other:
        other.log_in("mallory", PASSWORD)
        locked = browser.request(
            "POST", "/api/v1/people/mallory/lock", json={"seconds": 600, "reason": "a try"}, headers=headers
        )
        assert (locked.status_code, locked.json()["reason"]) == (200, "a try")
        assert other.get("/api/v1/cases").status_code == 401
        assert other.log_in("mallory", PASSWORD).status_code == 423
        assert [one["login"] for one in browser.get("/api/v1/people/locks").json()] == ["mallory"]
        assert browser.request("POST", "/api/v1/people/mallory/release", headers=headers).status_code == 204
        assert other.log_in("mallory", PASSWORD).status_code == 303
        [session] = [one for one in browser.get("/api/v1/people/sessions").json() if one["login"] == "mallory"]
        ended = browser.request("DELETE", f"/api/v1/people/sessions/{session['id']}", headers=headers)
        assert ended.status_code == 204
        assert other.get("/api/v1/cases").status_code == 401
    people = {one["login"]: one for one in browser.get("/api/v1/people").json()}
    assert (people["roads"]["unit"], people["mallory"]["second_factor"]) == ("roads", False)
    assert "password" not in str(people)


@pytest.mark.parametrize(
    "body", [{}, {"seconds": 0}, {"seconds": -1}, {"seconds": 10**12}, {"seconds": "x"}, {"seconds": 5, "reason": "x" * 300}, {"seconds": 5, "more": 1}]
)  # fmt: skip
def test_hostile_locks_are_refused(browser: Browser, body: dict[str, object]) -> None:
    browser.log_in("root", PASSWORD)
    headers = {"x-csrf-token": browser.form_token()}
    assert browser.request("POST", "/api/v1/people/mallory/lock", json=body, headers=headers).status_code == 422
    hostile = "/api/v1/people/%27%20or%201=1/lock"
    assert browser.request("POST", hostile, json={"seconds": 5}, headers=headers).status_code == 404
    assert browser.get("/api/v1/shifts?since=-1").status_code == 422
    assert browser.get("/api/v1/shifts?until=99999999999999999999").status_code == 422


def test_a_plugins_route_without_a_declaration_is_closed(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    from fastapi import APIRouter

    from wanmi.registry import Routes
    from wanmi.web import needs

    inner, router = APIRouter(prefix="/inner"), APIRouter()

    @router.get("/silent")
    def silent() -> str:
        return "secret"

    @inner.get("/typo")
    @needs("case.raed")
    def typo() -> str:
        return "secret"

    router.include_router(inner)
    monkeypatch.setattr(node.registry, "routes", [*node.registry.routes, Routes("/api/v1", lambda _: router, "test")])
    with Browser(build_app(node)) as browser:
        browser.log_in("root", PASSWORD)
        for path, said in (("silent", "declares no right"), ("inner/typo", "case.raed")):
            answer = browser.get(f"/api/v1/{path}")
            assert (answer.status_code, "secret" in answer.text) == (403, False)
            assert said in answer.json()["detail"]
        assert browser.get("/api/v1/inner/none").status_code == 404
