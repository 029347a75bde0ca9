"""A report placed by a unit grid or a community, and a case of the same matter near by."""

from __future__ import annotations

from pathlib import Path

from plugins.hotline.desk import REPORT, desk, popup, send
from wanmi.coords import Point
from wanmi.hookspecs import Located, hookimpl
from wanmi.plugins import Plugin
from wanmi.testing import quick_plugin, react, replay_differences

COMMUNITY, GRID = "210102001002", "210102001002007"
MIDDLE = Point(1_234_331_000, 417_901_000)


def grids() -> Plugin:
    """A plugin that knows one grid."""

    @hookimpl
    def point_in_area(code: str) -> Point | None:
        return MIDDLE if code in (GRID, COMMUNITY) else None

    @hookimpl
    def locate_point(lon_e7: int, lat_e7: int) -> Located | None:
        return Located(GRID, "grids-1") if (lon_e7, lat_e7) == (MIDDLE.lon_e7, MIDDLE.lat_e7) else None

    return quick_plugin("testgrids", point_in_area, locate_point)


def test_by_grid_and_by_community(tmp_path: Path) -> None:
    import wanmi_casework
    import wanmi_console
    import wanmi_hotline

    with desk(tmp_path, plugins=(wanmi_console, wanmi_casework, wanmi_hotline, grids())) as made:
        pbx, operator = made.machine(), made.operator()
        for n, area in enumerate((GRID, COMMUNITY)):
            events = [made.event("ringing", f"c-{n}"), made.event("answered", f"c-{n}", seat="8001")]
            assert send(pbx, "POST", "/api/v1/hotline/events", {"events": events}).status_code == 200
            [call] = popup(operator)["calls"]
            answer = send(
                operator,
                "POST",
                f"/api/v1/hotline/calls/{call['call']}/wrap-up",
                REPORT | {"point": None, "area": area},
            )
            assert answer.status_code == 200, answer.text
        react(made.node)
        first, second = made.cases()
        assert (first.grid, first.community, first.lon_e7, first.lat_e7) == (
            GRID,
            COMMUNITY,
            MIDDLE.lon_e7,
            MIDDLE.lat_e7,
        )
        assert (second.grid, second.similar) == (GRID, f'["{first.number}"]')
        places = [one.entry.body["place"]["by"] for one in made.entries("report.registered") if one.entry]
        assert places == ["grid", "community"]
        assert replay_differences(made.node) == []
