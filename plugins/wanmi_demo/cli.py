"""``wanmi demo``."""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from wanmi.errors import Conflict, WanmiError
from wanmi.ids import Ids, SeededIds, SystemIds
from wanmi_demo.city import CITY, DISTRICTS, LOGIN, DemoCity, build_city
from wanmi_demo.counts import Counts, prove
from wanmi_demo.faults import Faults
from wanmi_demo.screen import Screen
from wanmi_demo.walkers import Walker, make_walkers, walk_arguments

app = typer.Typer(add_completion=False)
QUIET = 180.0
"""Seconds that the city may take to hold everything once the last report was made."""


@app.callback(invoke_without_command=True)
def demo(
    once: Annotated[bool, typer.Option("--once", help="Send the reports, do the faults, prove, end.")] = False,
    reports: Annotated[int, typer.Option(min=4, help="Reports in all, with --once.")] = 300,
    as_json: Annotated[bool, typer.Option("--json", help="One last line of JSON.")] = False,
    dir: Annotated[Path | None, typer.Option(help="Keep the nodes here, one directory a node.")] = None,
    seed: Annotated[int, typer.Option(help="Fixes what is reported and where.")] = 1,
    terminals: Annotated[int, typer.Option(min=2, max=40, help="Field terminals in all.")] = 4,
    rate: Annotated[float | None, typer.Option(help="Reports a second in all.")] = None,
) -> None:
    """A city in a box: a city, two districts, two edges, terminals walking; --once proves that nothing is lost."""
    from wanmi.cli.logs import quiet_logging

    quiet_logging()
    try:
        with _root(dir) as root:
            if once:
                good = _once(root, reports, as_json, seed, terminals, rate or 20.0)
            else:
                good = _live(root, seed, terminals, rate or 1.0)
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


def _once(root: Path, reports: int, as_json: bool, seed: int, terminals: int, rate: float) -> bool:
    screen = Screen()
    city, walkers = _standing(root, SeededIds(seed), screen, terminals)
    try:
        _walk_all(city, walkers, seed, reports, rate)
        faults = Faults.plan(city, screen)
        _watch(city, walkers, reports, faults, screen)
        with screen.step("quiet 收齐"):
            _until_quiet(city, walkers, screen)
    finally:
        _end(city, walkers)
    with screen.step("verify and replay 校验与重放"):
        proof, wrong = prove(city, walkers, screen.seconds)
    for line in wrong[:50]:
        screen.say(line)
    if as_json:
        sys.stdout.write(json.dumps(proof.values()) + "\n")
    else:
        for name, value in proof.values().items():
            sys.stdout.write(f"{name:20} {value}\n")
    sys.stdout.flush()
    return proof.good


def _live(root: Path, seed: int, terminals: int, rate: float) -> bool:
    screen = Screen()
    city, walkers = _standing(root, SystemIds(), screen, terminals)
    counts = Counts(city)
    try:
        _tell_places(city)
        for n, walker in enumerate(walkers):
            walker.start(walk_arguments(city, walker, n, seed, reports=0, rate=rate / len(walkers)))
        while True:
            screen.live(_progress(counts, walkers))
            time.sleep(1.0)
    except KeyboardInterrupt:
        screen.say("stopping 正在停止")
    finally:
        counts.close()
        _end(city, walkers)
    screen.say("stopped 已停止")
    return True


def _standing(root: Path, ids: Ids, screen: Screen, terminals: int) -> tuple[DemoCity, list[Walker]]:
    """The city, running, with its terminals admitted and known at the edges."""
    city = build_city(root, ids, screen)
    try:
        with screen.step("start 启动"):
            city.start()
        with screen.step("terminals 终端准入"):
            walkers = make_walkers(city, root, terminals)
            _until_known(city, len(walkers))
    except BaseException:
        city.stop()
        raise
    return city, walkers


def _walk_all(city: DemoCity, walkers: list[Walker], seed: int, reports: int, rate: float) -> None:
    for n, walker in enumerate(walkers):
        share = reports // len(walkers) + (1 if n < reports % len(walkers) else 0)
        walker.start(walk_arguments(city, walker, n, seed, reports=share, rate=rate / len(walkers)))


def _watch(city: DemoCity, walkers: list[Walker], reports: int, faults: Faults, screen: Screen) -> None:
    """Do the faults while reports are made; ends when all were made (or the terminals ended)."""
    counts = Counts(city)
    try:
        while True:
            made = sum(len(walker.made) for walker in walkers)
            faults.due(made / reports)
            if made >= reports or not any(walker.walking for walker in walkers):
                faults.due(1.0)
                return
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
            if opened >= wanted and counts.cases(CITY) >= opened:
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


def _tell_places(city: DemoCity) -> None:
    typer.echo("")
    for code, node in city.nodes.items():
        typer.echo(f"  {code:9} {node.facts().get('web', '')}")
    typer.echo(f"  login 登录 {LOGIN}, password 密码 {city.password}; Ctrl-C stops 按 Ctrl-C 停止")
    typer.echo("")
