"""The case page tells its tasks: to whom, the answer, whether the collector was there; a department sees its own cases' only."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import wanmi_casework
import wanmi_console
from plugins.casework.office import DEPARTMENT
from plugins.casework.test_task_weighing import FAR, HOLDER, Round
from plugins.casework.test_tasks import START, Town
from support.browser import Browser
from wanmi.clock import ManualClock
from wanmi.identity import add_person, add_unit, set_unit
from wanmi.reports.presence import Doubt
from wanmi.testing import small_city
from wanmi.web import build_app
from wanmi_console.case_tasks import DOUBTS

PASSWORD = "correct horse battery"


@pytest.fixture
def round_(tmp_path: Path) -> Iterator[Round]:
    plugins, clock = [wanmi_casework, wanmi_console], ManualClock(START)
    with small_city(tmp_path / "city", city=plugins, district=plugins, clock=clock) as city:
        for login, post in (("wang", "shift_leader"), ("own", "department"), ("other", "department")):
            add_person(city.district, login=login, name=login, posts=(post,), password=PASSWORD)
        for login, unit in (("own", DEPARTMENT), ("other", "dep-9")):
            add_unit(city.district, code=unit, name=unit)
            set_unit(city.district, login, unit)
        made = Round(Town(city, clock), tmp_path)
        yield made


def page_of(round_: Round, login: str, number: str, lang: str = "en") -> tuple[int, str]:
    with Browser(build_app(round_.town.district)) as browser:
        browser.log_in(login, PASSWORD)
        answer = browser.get(f"/cases/{number}?lang={lang}", headers={"accept": "text/html"})
        return answer.status_code, answer.text


def test_a_task_is_told_with_its_answer_and_doubts(round_: Round) -> None:
    number = round_.answered("check", lat_e7=FAR).number
    told = {
        "zh": ("核查任务", "已回复", "已处置到位", "不在现场", "距现场过远", "待人工认定", round_.town.street.id, HOLDER),
        "en": ("Check task", "answered", "the work is done", "was not there", "too far from the place",
               "waits for a decision", "m from the place"),
    }  # fmt: skip
    for lang, words in told.items():
        status, page = page_of(round_, "wang", number, lang)
        assert (status, [word for word in words if word not in page]) == (200, [])


def test_an_open_task_is_late_once_its_time_is_over(round_: Round) -> None:
    number, _ = round_.sent("verify")
    assert 'mark-bad">late' not in page_of(round_, "wang", number)[1]
    round_.town.clock.advance(10 * 24 * 3_600_000_000)
    page = page_of(round_, "wang", number)[1]
    assert [word for word in ("Verify task", "no answer yet", 'mark-bad">late') if word not in page] == []


def test_a_case_without_tasks_says_nothing_of_them(round_: Round) -> None:
    assert 'id="tasks"' not in page_of(round_, "wang", round_.office.open_case(terminal=None))[1]


def test_a_department_sees_its_own_cases_tasks_only(round_: Round) -> None:
    number = round_.answered("check", lat_e7=FAR).number
    status, page = page_of(round_, "own", number)
    assert (status, "was not there" in page) == (200, True)
    status, page = page_of(round_, "other", number)
    assert (status, round_.town.street.id in page, "was not there" in page) == (404, False, False)


def test_every_doubt_has_words() -> None:
    assert set(DOUBTS) == {str(doubt) for doubt in Doubt}
