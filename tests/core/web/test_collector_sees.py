"""A collector sees their own cases only: reported from their terminal, given to them, asked of them, worked on by them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, update

import wanmi_casework
import wanmi_console
from plugins.casework.office import Office
from support.browser import PAGE, Browser
from wanmi.identity import add_person
from wanmi.journal.case_rows import CaseActorRow
from wanmi.journal.task_rows import TaskRow
from wanmi.models import CaseRow, TerminalRow, table
from wanmi.testing import small_node
from wanmi.web import build_app

PASSWORD = "correct horse battery"
MINE, ANOTHERS = "T210102-0001", "T210102-0002"


def blank(row: type[Any], **values: object) -> dict[str, object]:
    return {c.name: c.type.python_type() for c in table(row).columns if not c.nullable} | values


class Street:
    """Cases that are a collector's in each of the ways, and two that are not."""

    def __init__(self, office: Office, me: str, other: str) -> None:
        self.node = office.node
        self.reported, self.given, self.asked, self.worked, self.anothers, self.nobodys = (
            office.open_case(terminal=None) for _ in range(6)
        )
        self.mine = {self.reported, self.given, self.asked, self.worked}
        for terminal, holder in ((MINE, me), (ANOTHERS, other)):
            self._add(TerminalRow, district="210102", terminal=terminal, holder=holder)
        self._set(self.reported, terminal=MINE)
        self._set(self.given, collector=me)
        self._set(self.anothers, terminal=ANOTHERS, collector=other)
        self._add(TaskRow, district="210102", task_id="t-1", terminal=MINE, case=self.asked)
        self._add(TaskRow, district="210102", task_id="t-2", terminal=ANOTHERS, case=self.anothers)
        self._add(TaskRow, district="210102", task_id="t-3", terminal=MINE, case=None)
        self._add(CaseActorRow, number=self.worked, actor=me, axis="supervision")
        self._add(CaseActorRow, number=self.nobodys, actor=other, axis="supervision")

    def _add(self, row: type[Any], **values: object) -> None:
        self.node.store.write(lambda tx: tx.execute(insert(table(row)), [blank(row, **values)])).result()

    def _set(self, number: str, **values: object) -> None:
        which = table(CaseRow).c.number == number
        self.node.store.write(lambda tx: tx.execute(update(table(CaseRow)).where(which).values(**values))).result()


@pytest.fixture(scope="module")
def street(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Street]:
    folder: Path = tmp_path_factory.mktemp("street")
    with small_node(folder / "node", plugins=[wanmi_casework, wanmi_console]) as node:
        people = [
            add_person(node, login=login, name=login, posts=["collector"], password=PASSWORD) for login in ("mine", "other")
        ]  # fmt: skip
        yield Street(Office(folder, node), people[0].id, people[1].id)


@pytest.fixture(scope="module")
def collector(street: Street) -> Iterator[Browser]:
    with Browser(build_app(street.node)) as browser:
        assert browser.log_in("mine", PASSWORD).status_code == 303
        yield browser


def test_the_list_has_their_own_only(street: Street, collector: Browser) -> None:
    page = collector.get("/api/v1/cases?count=true").json()
    assert {case["number"] for case in page["cases"]} == street.mine
    assert page["count"] == len(street.mine)
    shown = collector.page("/cases")
    assert all(number in shown for number in street.mine)
    assert street.anothers not in shown
    assert street.nobodys not in shown


@pytest.mark.parametrize("path", ["/api/v1/cases/{}", "/api/v1/cases/{}/work", "/api/v1/cases/{}/can", "/cases/{}"])
def test_another_case_is_not_there(street: Street, collector: Browser, path: str) -> None:
    for number in street.mine:
        assert collector.get(path.format(number), headers=PAGE).status_code == 200, number
    for number in (street.anothers, street.nobodys):
        assert collector.get(path.format(number), headers=PAGE).status_code == 404, number


def test_another_case_is_not_stepped(street: Street, collector: Browser) -> None:
    headers = {"x-csrf-token": collector.form_token("/")}
    step = {"step": "answer_verify", "opinion": "x"}
    for number, hidden in ((street.anothers, True), (street.reported, False)):
        answer = collector.request("POST", f"/api/v1/cases/{number}/steps", json=step, headers=headers)
        assert (answer.status_code == 404) is hidden, answer.text


def test_a_collector_without_a_terminal_sees_nothing(street: Street) -> None:
    add_person(street.node, login="new.one", name="new", posts=["collector"], password=PASSWORD)
    with Browser(build_app(street.node)) as browser:
        browser.log_in("new.one", PASSWORD)
        assert browser.get("/api/v1/cases?count=true").json()["cases"] == []
