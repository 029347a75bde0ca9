"""``wanmi demo``."""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from wanmi.errors import Conflict, WanmiError
from wanmi.ids import Ids, SeededIds, SystemIds
from wanmi_demo.city import CITY, DISTRICTS, LOGIN, DemoCity, build_city
from wanmi_demo.counts import Counts, prove
from wanmi_demo.day import Day
from wanmi_demo.day_proof import prove_day
from wanmi_demo.faults import Faults
from wanmi_demo.playing import CASES, day_plugins, play, tell_day
from wanmi_demo.screen import Screen
from wanmi_demo.street import EDGE, Street, open_street
from wanmi_demo.street_scene import prove_scene, tell_scene, wait_shown
from wanmi_demo.walkers import Walker, make_walkers, walk_arguments

app = typer.Typer(add_completion=False)
LIVE_RATE = 0.5
"""Reports a second in all of a live day: scripted staff keep up with them easily."""
QUIET = 180.0
"""Seconds that the city may take to hold everything once the last report was made."""


@dataclass(frozen=True)
class Plan:
    """What is asked for: ``reports`` 0 until interrupted, ``rate`` a second in all."""

    reports: int
    seed: int
    terminals: int
    rate: float
    day: bool
    short: bool = False


@app.callback(invoke_without_command=True)
def demo(  # noqa: PLR0913, PLR0917 - a command's options
    once: Annotated[bool, typer.Option("--once", help="Send the reports, do the faults, prove, end.")] = False,
    reports: Annotated[int, typer.Option(min=4, help="Reports in all, with --once.")] = 300,
    as_json: Annotated[bool, typer.Option("--json", help="One last line of JSON.")] = False,
    dir: Annotated[Path | None, typer.Option(help="Keep the nodes here, one directory a node.")] = None,
    seed: Annotated[int, typer.Option(help="Fixes what is reported and where.")] = 1,
    terminals: Annotated[int, typer.Option(min=2, max=40, help="Field terminals in all.")] = 4,
    rate: Annotated[float | None, typer.Option(help="Reports a second in all.")] = None,
    day: Annotated[
        bool | None, typer.Option("--day/--no-day", help="Scripted staff work the cases; default: unless --once.")
    ] = None,
    short: Annotated[
        bool, typer.Option("--short", help="With --once --day: few cases, no faults, nothing that waits.")
    ] = False,
) -> None:
    """A city in a box: a city, two districts, two edges, terminals walking; --once proves that nothing is lost."""
    from wanmi.cli.logs import quiet_logging

    quiet_logging()
    try:
        with _root(dir) as root:
            if once:
                good = _once(root, Plan(reports, seed, terminals, rate or 20.0, bool(day), short), as_json)
            else:
                played = day is not False
                good = _live(root, Plan(0, seed, terminals, rate or (LIVE_RATE if played else 1.0), played))
    except WanmiError as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(1) from None
    raise typer.Exit(0 if good else 1)


@contextmanager
def _root(dir: Path | None) -> Iterator[Path]:
    """Where the nodes are: kept where it was asked for, else gone at the end."""
    if dir is not None:
        if dir.exists() and any(dir.iterdir()):
            raise Conflict(f"{dir}: something is there already; give a new or empty directory")
        yield dir
        return
    with tempfile.TemporaryDirectory(prefix="wanmi-demo-", ignore_cleanup_errors=True) as made:
        yield Path(made)


def _once(root: Path, plan: Plan, as_json: bool) -> bool:
    screen = Screen()
    city, walkers = _standing(root, SeededIds(plan.seed), screen, plan)
    day: Day | None = None
    street: Street | None = None
    try:
        with screen.step("devices and scene 设备与场景"):
            street = open_street(city, everything=False)
        if plan.day:
            with screen.step("staff 人员与派遣规则"):
                day = Day.begin(city, plan.seed, screen, CASES, short=plan.short)
        _walk_all(city, walkers, plan)
        _watch(city, walkers, plan, screen, day)
        if day is not None:
            with screen.step("a day 一天"):
                _play(city, walkers, day, screen)
        with screen.step("quiet 收齐"):
            _until_quiet(city, walkers, screen)
        with screen.step("scene 场景"):
            wait_shown(city, EDGE)
        screen.say(tell_scene(city, EDGE, street.wall))
    finally:
        if street is not None:
            street.end()
        _end(city, walkers)
        if day is not None:
            day.close()
    with screen.step("verify and replay 校验与重放"):
        proof, wrong = prove(city, walkers, screen.seconds)
        scene, unshown = prove_scene(city, EDGE, street.wall)
        good, values, wrong = proof.good and not unshown, proof.values() | scene.values(), wrong + unshown
        if day is not None:
            told, unfinished = prove_day(city, day)
            good, values, wrong = good and not unfinished, values | told.values(), wrong + unfinished
    for line in wrong[:50]:
        screen.say(line)
    _tell(values, as_json)
    return good


def _tell(values: Mapping[str, object], as_json: bool) -> None:
    if as_json:
        sys.stdout.write(json.dumps(values) + "\n")
    else:
        for name, value in values.items():
            sys.stdout.write(f"{name:20} {value}\n")
    sys.stdout.flush()


def _play(city: DemoCity, walkers: list[Walker], day: Day, screen: Screen) -> None:
    counts = Counts(city)
    try:
        play(city, walkers, day, counts, screen)
    finally:
        counts.close()
    for walker in walkers:
        walker.dismiss()


def _live(root: Path, plan: Plan) -> bool:
    screen = Screen()
    city, walkers = _standing(root, SystemIds(), screen, plan)
    counts, day, street, told = Counts(city), None, None, ""
    try:
        with screen.step("devices 设备"):
            street = open_street(city)
        if plan.day:
            with screen.step("staff 人员与派遣规则"):
                day = Day.begin(city, plan.seed, screen, limit=0)
        _tell_places(city, day, street)
        _walk_all(city, walkers, plan)
        while True:
            moved = 0 if day is None else day.turn()
            told = _tell_scene(street, told, screen)
            screen.live(_progress(counts, walkers) + ("" if day is None else f" · {tell_day(day, counts)}"))
            time.sleep(0.2 if moved else 1.0)
    except KeyboardInterrupt:
        screen.say("stopping 正在停止")
    finally:
        counts.close()
        if street is not None:
            street.end()
        _end(city, walkers)
        if day is not None:
            day.close()
    screen.say("stopped 已停止")
    return True


def _tell_scene(street: Street, told: str, screen: Screen) -> str:
    """Say once what the wall shows when that has changed."""
    pages = [] if street.wall is None else street.wall.shown()
    page = pages[-1] if pages else ""
    if page != told:
        screen.say(f"power is gone: the wall shows 断电，显示墙显示 {page}")
    return page


def _standing(root: Path, ids: Ids, screen: Screen, plan: Plan) -> tuple[DemoCity, list[Walker]]:
    """The city, running, with its terminals admitted and known at the edges."""
    city = build_city(root, ids, screen, day_plugins() if plan.day else ())
    try:
        with screen.step("start 启动"):
            city.start()
        with screen.step("terminals 终端准入"):
            walkers = make_walkers(city, root, plan.terminals)
            _until_known(city, len(walkers))
    except BaseException:
        city.stop()
        raise
    return city, walkers


def _walk_all(city: DemoCity, walkers: list[Walker], plan: Plan) -> None:
    for n, walker in enumerate(walkers):
        share = plan.reports // len(walkers) + (1 if n < plan.reports % len(walkers) else 0)
        rate = plan.rate / len(walkers)
        walker.start(walk_arguments(city, walker, n, plan.seed, reports=share, rate=rate, stay=plan.day))


def _watch(city: DemoCity, walkers: list[Walker], plan: Plan, screen: Screen, day: Day | None) -> None:
    """Do the faults while reports are made; ends when all were made (or the terminals ended)."""
    counts, faults = Counts(city), Faults(city, screen) if plan.short else Faults.plan(city, screen)
    try:
        while True:
            made = sum(len(walker.made) for walker in walkers)
            faults.due(made / plan.reports)
            if made >= plan.reports or not any(walker.walking for walker in walkers):
                faults.due(1.0)
                return
            if day is not None:
                day.turn()
            screen.live(_progress(counts, walkers))
            time.sleep(0.1)
    finally:
        counts.close()


def _until_quiet(city: DemoCity, walkers: list[Walker], screen: Screen) -> None:
    """Wait until the terminals have all receipts and the city holds every case, or the time is up."""
    until = time.monotonic() + QUIET
    for walker in walkers:
        walker.end(max(1.0, until - time.monotonic()))
    counts = Counts(city)
    wanted = sum(len(walker.made) for walker in walkers)
    try:
        while time.monotonic() < until:
            screen.live(_progress(counts, walkers))
            opened = sum(counts.cases(code) for code in DISTRICTS)
            if opened >= wanted and counts.cases(CITY) >= opened and counts.city_has_all():
                break
            time.sleep(0.2)
        time.sleep(1.0)
    finally:
        counts.close()


def _until_known(city: DemoCity, terminals: int, seconds: float = 60.0) -> None:
    """Wait until every edge has heard of every terminal by its link."""
    until = time.monotonic() + seconds
    edges = [code for code in city.nodes if len(code) == 8]
    while time.monotonic() < until:
        if all(len(city.action(edge, "terminal.list")["terminals"]) >= terminals for edge in edges):
            return
        time.sleep(0.2)
    raise Conflict(f"the edges do not know the terminals after {seconds:.0f} s; see the nodes' logs")


def _end(city: DemoCity, walkers: list[Walker]) -> None:
    for walker in walkers:
        walker.end(0.1 if walker.walking else 10.0)
    city.stop()


def _progress(counts: Counts, walkers: list[Walker]) -> str:
    made = sum(len(walker.made) for walker in walkers)
    opened = sum(counts.cases(code) for code in DISTRICTS)
    return f"reports 上报 {made} · cases at districts 区 {opened} · at the city 市 {counts.cases(CITY)}"


def _tell_places(city: DemoCity, day: Day | None, street: Street) -> None:
    typer.echo("")
    for code, node in city.nodes.items():
        typer.echo(f"  {code:9} {node.facts().get('web', '')}")
    also = "" if day is None else f" ({', '.join(day.staff.logins())} at the districts 区级)"
    typer.echo(f"  login 登录 {LOGIN}{also}, password 密码 {city.password}; Ctrl-C stops 按 Ctrl-C 停止")
    typer.echo(
        f"  devices 设备: {', '.join(street.devices)}; one UPS goes on battery soon 一台不间断电源即将转电池供电"
    )
    typer.echo(f"  technicians 运维: {street.screen_command}")
    typer.echo("")
