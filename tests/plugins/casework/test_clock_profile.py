"""A city sets what its clocks count and when their lights turn: desk, page, list and handbook follow; old cases do not."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import wanmi_casework
import wanmi_console
from core.cases.worked import START
from plugins.casework.office import HOUR, Office
from support.browser import Browser
from wanmi.clock import ManualClock
from wanmi.codes import Profile
from wanmi.identity import add_person
from wanmi.profiles import ProfileStore, activate_profile, print_book
from wanmi.query import CaseFilter, list_cases
from wanmi.testing import SmallCity, carry, replay_differences, small_city
from wanmi.web import build_app

PASSWORD = "a long enough secret"
DEPARTMENT = "[clocks.department]"
SHIPPED, OWN = "从派遣到部门反馈", "从派单到部门回单（本市）"


@pytest.fixture(name="town")
def _town(tmp_path: Path) -> Iterator[SmallCity]:
    clock = ManualClock(START)
    with small_city(tmp_path, district=[wanmi_casework, wanmi_console], clock=clock) as town:
        carry(town.city, town.district)
        yield town
        assert replay_differences(town.district) == []


@pytest.fixture(name="browser")
def _browser(town: SmallCity) -> Iterator[Browser]:
    """An operator's."""
    add_person(town.district, login="op", name="op", posts=["operator"], password=PASSWORD)
    with Browser(build_app(town.district)) as browser:
        assert browser.log_in("op", PASSWORD).status_code == 303
        yield browser


def activate(town: SmallCity, yellow_after: int) -> str:
    """A version of the city's own, with another mark and other words for the department's clock; as cases name it."""
    files = dict(Profile.load().files)
    before, found, rest = files["steps.toml"].decode().partition(DEPARTMENT)
    rest = rest.replace("yellow_after = 80", f"yellow_after = {yellow_after}", 1).replace(SHIPPED, OWN, 1)
    version = activate_profile(town.city, files | {"steps.toml": f"{before}{found}{rest}".encode()})
    carry(town.city, town.district)
    return version.ref


def test_the_mark_of_a_light_is_the_profile_s_and_running_cases_keep_theirs(town: SmallCity, browser: Browser) -> None:
    office = Office(Path(), town.district)
    old = office.open_case()
    new = office.open_case(profile=activate(town, 50))
    newest = office.open_case(profile=activate(town, 90))
    for number in (old, new, newest):
        office.to(number, "handling")
    started = {number: office.desk.case(number).marks[-1].at for number in (old, new, newest)}
    marks = {number: (office.desk.case(number).warn or 0) - at for number, at in started.items()}
    assert marks == {old: 4 * HOUR * 80 // 100, new: 4 * HOUR * 50 // 100, newest: 4 * HOUR * 90 // 100}

    clock = town.district.clock
    assert isinstance(clock, ManualClock)
    for percent, lights in (
        (49, "green green green"),
        (51, "green yellow green"),
        (81, "yellow yellow green"),
        (91, "yellow " * 3),
    ):
        clock.advance(max(started.values()) + 4 * HOUR * percent // 100 - clock.now())
        with town.district.store.reader() as tx:
            lines = {line.number: line.light(clock.now()) for line in list_cases(tx, CaseFilter(), limit=10).cases}
        told = desk_tells(browser, (old, new, newest))
        assert [lines[number] for number in told] == lights.split()
        assert [light for light, _ in told.values()] == lights.split()
    assert [SHIPPED in rule for _, rule in told.values()] == [True, False, False]
    assert [OWN in rule for _, rule in told.values()] == [False, True, True]


def test_cases_of_a_version_from_before_the_words_are_told_by_the_steps(town: SmallCity, browser: Browser) -> None:
    """Such versions are in cities' journals: they are read, checked with warnings only, and printed."""
    files = dict(Profile.load().files)
    lines = files["steps.toml"].decode().splitlines(keepends=True)
    since = ("rule_zh", "rule_en", "source", "yellow_after", "earlier_department")
    old = "".join(line for line in lines if not line.startswith(since))
    version = activate_profile(town.city, files | {"steps.toml": old.encode()})
    carry(town.city, town.district)
    office = Office(Path(), town.district)
    number = office.open_case(profile=version.ref)
    case = office.to(number, "handling")
    assert case.warn == case.marks[-1].at + 4 * HOUR * 80 // 100
    light, rule = desk_tells(browser, (number,))[number]
    assert light == "green"
    assert rule.startswith("处置时限 4 个紧急工作时：开始计时：派遣、改派、返工；停止计时：改派"), rule
    active = ProfileStore(town.district).active()
    book = print_book(active, ProfileStore(town.district).steps(active), "supervision", "zh", markdown=True)
    assert (
        "| 受理 | 开始计时：提交、核实回复、退回坐席；停止计时：派核实、不予受理、受理、移交市级 | 15 分钟 | 80% |"
        in book
    )


def desk_tells(browser: Browser, numbers: tuple[str, ...]) -> dict[str, tuple[str, str]]:
    """What the API says of the department's clock of each case: its light, and the line of its rule, which the page has."""
    told = {}
    for number in numbers:
        clocks = {one["clock"]: one for one in browser.get(f"/api/v1/cases/{number}/clock").json()}
        rule = clocks["department"]["lines_zh"][0]
        assert rule in browser.page(f"/cases/{number}")
        told[number] = (clocks["department"]["light"], rule)
    return told


def test_the_handbooks_print_the_mark(town: SmallCity) -> None:
    activate(town, 65)
    store = ProfileStore(town.district)
    active = store.active()
    for lang, row in (("zh", f"| 处置 | {OWN}"), ("en", "| handling by the department | from dispatch")):
        book = print_book(active, store.steps(active), "command", lang, markdown=True)  # type: ignore[arg-type]
        [line] = [line for line in book.splitlines() if line.startswith(row)]
        assert line.replace(" %", "%").endswith("| 65% |"), line
        assert "80" not in line
