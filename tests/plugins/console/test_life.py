"""A case that was worked: its page tells who did what when, its clocks and requests, in the words of its own profile."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import wanmi_casework
import wanmi_console
from core.cases.worked import START
from plugins.casework.office import DAY, HOUR, Office
from support.browser import Browser
from wanmi.clock import ManualClock
from wanmi.identity import add_person
from wanmi.testing import small_node
from wanmi.web import build_app

PASSWORD = "correct horse battery"


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    clock = ManualClock(START)
    with small_node(tmp_path / "node", plugins=[wanmi_casework, wanmi_console], clock=clock) as node:
        office = Office(tmp_path, node)
        office.clock = clock
        add_person(node, login="wang", name="王敏", posts=("shift_leader",), password=PASSWORD)
        yield office


def test_a_worked_case_tells_its_course(office: Office) -> None:
    number = office.open_case()
    office.to(number, "handling")
    office.clock.advance(HOUR)
    office.review(number, office.ask(number, "extension"), True)
    office.ask(number, "suspension", until=office.clock.now() + 3 * DAY, opinion="等待开挖许可 <b>")
    told = {
        "zh": (
            "处置中",
            "派遣",
            "部门：dep-1",
            "时限：4 紧急工作时",
            "计时中 · 未超时",
            "延期",
            "挂账",
            "待审批",
            "开始计时",
            "派遣员",
        ),
        "en": ("being handled", "dispatch", "Department: dep-1", "Limit: 4 urgent hours", "running · in time", "waits"),
    }
    with Browser(build_app(office.node)) as browser:
        browser.log_in("wang", PASSWORD)
        for lang, words in told.items():
            page = browser.page(f"/cases/{number}?lang={lang}")
            assert [word for word in words if word not in page] == []
            assert "等待开挖许可 &lt;b&gt;" in page


def test_the_list_names_states_and_lights(office: Office) -> None:
    fresh, waiting, handled = (office.open_case() for _ in range(3))
    office.to(waiting, "pending_dispatch")
    office.to(handled, "handling")
    office.clock.advance(DAY)
    with Browser(build_app(office.node)) as browser:
        browser.log_in("wang", PASSWORD)
        page = browser.page("/cases?lang=zh")
        assert fresh in page
        assert all(word in page for word in ("待受理", "待派遣", "处置中", "已超时"))
        english = browser.page("/cases?lang=en")
        assert all(word in english for word in ("filed, waiting for dispatch", "being handled", "overdue"))
        assert "已派遣" not in english
        assert "待派遣" in browser.get("/cases.csv?lang=zh").text
