"""A city's own day list: entries, replicas, the calendar of a node, the command."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from wanmi.calendar import CalendarImported, Day, WorkHours, YearList, chunks_of, shipped_calendar
from wanmi.cli import build_app
from wanmi.errors import BadInput, NotAllowed
from wanmi.node import Node, run_action
from wanmi.registry import Draft
from wanmi.testing import carry, replay_differences, small_city, small_node
from wanmi.workdays import KIND, CalendarKeeper, node_calendar

HEAD = "date,is_workday,name,source\n"
LIST = HEAD + "2027-01-01,0,元旦,notice\n2027-10-02,1,国庆节,notice\n"


def act(node: Node, name: str, **args: Any) -> dict[str, Any]:
    """The result of an action."""
    (result,) = [item for item in run_action(node, name, args) if isinstance(item, dict)]
    return result


def file(tmp_path: Path, text: str) -> str:
    """A day list on disk."""
    path = tmp_path / "days.csv"
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_a_node_counts_with_the_package_until_its_city_imports(tmp_path: Path) -> None:
    with small_city(tmp_path) as town:
        keepers = [CalendarKeeper(node) for node in (town.city, town.district)]
        assert {keeper.calendar().digest for keeper in keepers} == {shipped_calendar().digest}
        told = act(town.city, "calendar.import", file=file(tmp_path, LIST), hours="09:00-12:00,13:00-17:00")
        assert [(one["year"], one["days"]) for one in told["years"]] == [(2027, 2)]
        carry(town.city, town.district)
        calendars = [keeper.calendar() for keeper in keepers]
        assert len({calendar.digest for calendar in calendars}) == 1
        assert all(calendar.is_workday(date(2027, 10, 2)) and calendar.known(2027) for calendar in calendars)
        assert calendars[1].day(date(2027, 1, 1)) == Day(date(2027, 1, 1), False, "元旦", "notice")
        assert calendars[1].hours_of(2027).text == "09:00-12:00,13:00-17:00"
        assert keepers[0].calendar() is calendars[0]
        assert [replay_differences(node) for node in (town.city, town.district)] == [[], []]


def test_the_calendar_is_the_citys_to_import(tmp_path: Path) -> None:
    with small_city(tmp_path) as town, pytest.raises(NotAllowed, match="the one without a parent"):
        act(town.district, "calendar.import", file=file(tmp_path, LIST))


def test_an_import_replaces_its_year_and_the_same_again_adds_nothing(tmp_path: Path) -> None:
    with small_node(tmp_path / "node") as node:
        first = act(node, "calendar.import", file=file(tmp_path, LIST))
        before = node.journal.cursor(node.code)
        assert act(node, "calendar.import", file=file(tmp_path, LIST))["unchanged"] == [2027]
        assert node.journal.cursor(node.code) == before
        act(node, "calendar.import", file=file(tmp_path, HEAD + "2027-05-03,0,劳动节,\n"))
        assert not node_calendar(node).is_workday(date(2027, 5, 3))
        assert node_calendar(node).is_workday(date(2027, 1, 1)), "the first list of 2027 was replaced"
        upto = int(first["years"][0]["entries"][0].split(":")[1])
        assert not node_calendar(node, upto).is_workday(date(2027, 1, 1)), "and can be had again"
        act(node, "calendar.import", file=file(tmp_path, LIST))
        assert not node_calendar(node).is_workday(date(2027, 1, 1))
        assert replay_differences(node) == []


def test_bad_rows_are_told_and_strict_takes_nothing(tmp_path: Path) -> None:
    with small_node(tmp_path / "node") as node:
        path = file(tmp_path, LIST + "2027-13-01,0,x,\n")
        strict = act(node, "calendar.import", file=path, strict=True)
        assert (strict["taken"], strict["years"], [bad["row"] for bad in strict["refused"]]) == (False, [], [4])
        assert not node_calendar(node).known(2027)
        assert act(node, "calendar.import", file=path)["years"][0]["days"] == 2
        with pytest.raises(BadInput, match="cannot be read"):
            act(node, "calendar.import", file=str(tmp_path / "none.csv"))


def full_year(year: int) -> YearList:
    """Every day of a year named: more than one entry holds."""
    first = date(year, 1, 1).toordinal()
    days = tuple(Day(date.fromordinal(first + n), n % 2 == 0, "", "s") for n in range(365))
    return YearList(year, days, WorkHours.parse("08:00-12:00"))


def test_a_list_in_chunks_counts_once_all_are_here(tmp_path: Path) -> None:
    with small_city(tmp_path) as town:
        bodies = list(chunks_of(full_year(2030), "s", "0" * 64))
        drafts = [Draft(KIND, "calendar:2030", body) for body in bodies]
        stored = town.city.journal.append(*drafts).result()
        after = stored[0].seq - 1
        carry_to = town.district
        while carry_to.journal.cursor("210100").seq < after + 3:
            have = carry_to.journal.cursor("210100").seq
            batch = town.city.journal.batch_for("210102", "210100", have, limit=min(3, after + 3 - have))
            assert batch is not None
            carry_to.journal.apply(batch, "210100").result()
        assert not node_calendar(carry_to).known(2030)
        carry(town.city, carry_to)
        assert node_calendar(carry_to).known(2030)
        assert node_calendar(carry_to).digest == node_calendar(town.city).digest
        assert replay_differences(carry_to) == []


@pytest.mark.parametrize(
    ("subject", "change"),
    [
        ("calendar:2031", {}),
        ("calendar:2030", {"chunk": 2}),
        ("calendar:2030", {"hours": "08:00"}),
        ("calendar:2030", {"rows": [Day(date(2031, 1, 1), True, "", "")]}),
        ("calendar:2030", {"rows": [Day(date(2030, 1, 2), True, "", ""), Day(date(2030, 1, 1), True, "", "")]}),
    ],
)
def test_a_body_that_is_no_list_of_its_year_is_refused(tmp_path: Path, subject: str, change: dict[str, Any]) -> None:
    good: dict[str, Any] = {"year": 2030, "source": "s", "sha256": "0" * 64, "chunk": 1, "chunks": 1, "hours": None}
    good["rows"] = [Day(date(2030, 1, 1), True, "", "")]
    with small_node(tmp_path / "node") as node, pytest.raises(BadInput):
        node.journal.append(Draft(KIND, subject, CalendarImported(**{**good, **change}))).result()


def test_the_command_imports_and_shows(tmp_path: Path) -> None:
    small_node(tmp_path / "node").close()
    path = file(tmp_path, LIST + "2027-10-02,1,again,\n")
    out = run("import", str(tmp_path / "node"), path)
    assert "row 4: 2027-10-02: stands twice" in out
    assert "2027: 2 days journaled as 210102:" in out
    lines = run("show", str(tmp_path / "node")).splitlines()
    assert lines[-1].split() == ["2027", "2", "08:00-12:00,14:00-18:00", "imported", "at", "210102"]
    assert lines[1].endswith("the package")
    assert "2027-10-02  work  国庆节  notice" in run("show", str(tmp_path / "node"), "2027")
    assert "no day list" in run("show", str(tmp_path / "node"), "2031")
    refused = CliRunner().invoke(
        build_app(complete=False), ["calendar", "import", str(tmp_path / "node"), path, "--strict"]
    )
    assert "nothing was taken" in str(refused.exception)


def run(*words: str) -> str:
    """What the command prints."""
    result = CliRunner().invoke(build_app(complete=False), ["calendar", *words], catch_exceptions=False)
    assert result.exit_code == 0
    return result.output
