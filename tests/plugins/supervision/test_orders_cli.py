"""``wanmi orders`` as it is typed, at nodes that run."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import typer

from support.two_tiers import DISTRICT, small_tiers
from wanmi.errors import BadInput, NotAllowed
from wanmi.testing import running
from wanmi_supervision.commands import commands

Run = Callable[..., str]


@pytest.fixture
def orders(capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command; what it prints."""

    def run(*words: object) -> str:
        capsys.readouterr()
        command = typer.main.get_command(commands())
        command(args=[str(word) for word in words], prog_name="wanmi orders", standalone_mode=False)
        return capsys.readouterr().out

    return run


def test_pressed_answered_and_closed(orders: Run, tmp_path: Path) -> None:
    with small_tiers(tmp_path) as tiers:
        number = tiers.district_case()
        city, district = tiers.city.dir, tiers.district.dir
        by = ("--actor", "s-1", "--post", "supervisor")
        press = ("issue", city, "press", number, "--demand", "速办", "--press", "leader", "--level", "urgent")
        with running(tiers.city):
            told = orders(*press, "--reply-by", "2026-11-25 18:00", *by)
            assert told.endswith(f" to {DISTRICT}\n")
            order = told.split()[1]
            with pytest.raises(BadInput, match="is no time like"):
                orders(*press, "--reply-by", "soon", *by)
            with pytest.raises(NotAllowed, match="it is for: supervisor"):
                orders(*press, "--reply-by", "2026-11-25 18:00", "--actor", "o-1", "--post", "operator")
            [line] = orders("list", city, "--state", "open").splitlines()[1:]
            assert line.split()[:6] == [order, "press", DISTRICT, "open", "2026-11-25", "18:00"]
            with pytest.raises(BadInput, match="must be one of open, late, answered, closed"):
                orders("list", city, "--state", "strange")
            counted = {one["node"]: one for one in json.loads(orders("counters", city, "--json"))}
            assert (counted[DISTRICT]["pressed"], counted[DISTRICT]["orders_open"]) == (1, 1)
            assert counted[DISTRICT]["name"] in orders("counters", city)
        tiers.exchange()
        with running(tiers.district):
            said = (
                "answer",
                district,
                order,
                "answered",
                "--opinion",
                "已到场",
                "--actor",
                "l-1",
                "--post",
                "shift_leader",
            )
            assert orders(*said) == f"order {order} is answered\n"
        tiers.exchange()
        with running(tiers.city):
            assert orders("close", city, order, "done", *by) == f"order {order} is closed\n"
            [shown] = json.loads(orders("list", city, "--case", number, "--json"))
            assert (shown["answer"], shown["answer_opinion"], shown["result"]) == ("answered", "已到场", "done")
