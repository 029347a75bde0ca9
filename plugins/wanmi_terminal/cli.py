"""``wanmi terminal …``: a field terminal at the command line."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from wanmi.clock import SystemClock
from wanmi.coords import Point, parse_datum
from wanmi.errors import BadInput, Conflict
from wanmi.identity.keys import fingerprint
from wanmi.ids import Ids, SeededIds, SystemIds
from wanmi_terminal.admission_cli import add_admission
from wanmi_terminal.answering import AutoAnswer, Going, reached
from wanmi_terminal.broker import BrokerUrl
from wanmi_terminal.duty import sigterm_is_ctrl_c
from wanmi_terminal.duty import stay as stay_on_duty
from wanmi_terminal.field import APP, FieldTerminal, Progress, Route
from wanmi_terminal.home import Home, init_home, open_home
from wanmi_terminal.maker import AnswerDraft, Draft, Place, ReportMaker
from wanmi_terminal.photos import made_up_photo
from wanmi_terminal.spool import Spool
from wanmi_terminal.tasks import keep_answer, parse_mode, parse_result, task_table, task_values, tracked
from wanmi_terminal.telling import LEFT, ProgressLine, short, told
from wanmi_terminal.track import Track, read_gpx, read_nmea, shifted, walk
from wanmi_terminal.walking import BATCH, Round, drafts, go_round, parse_categories, parse_kind

app = typer.Typer(help="A field terminal: make reports, keep them, send them.", no_args_is_help=True)
add_admission(app)

ANSWER_PHOTO = 20_000
"""Bytes of the made-up photo in an answer given by ``--answer-tasks``."""

Dir = Annotated[Path, typer.Argument(metavar="TDIR", help="The terminal's directory.")]
Brokers = Annotated[list[str] | None, typer.Option("--broker", help="Send here instead: mqtts://host:8883.")]
Wait = Annotated[float, typer.Option(help="Seconds to wait at the end until all is safe.")]
AsJson = Annotated[bool, typer.Option("--json", help="One last line of JSON.")]
Lang = Annotated[str, typer.Option(help="zh or en.")]


@app.command()
def init(
    where: Dir,
    terminal: Annotated[str, typer.Option("--id", help="T210102-0001")],
    broker: Brokers = None,
    ca: Annotated[Path | None, typer.Option(help="The CA that the broker's certificate is checked against.")] = None,
    district_key: Annotated[list[str] | None, typer.Option(help="The district's public signing key, 64 hex.")] = None,
) -> None:
    """Make a terminal: its key, its broker password; prints the card for the district."""
    with told():
        home = init_home(where, terminal, SystemIds(), tuple(broker or ()), ca, tuple(district_key or ()))
        typer.echo(home.card())


@app.command()
def card(where: Dir) -> None:
    """Print the card again."""
    with told():
        typer.echo(open_home(where).card())


@app.command()
def run(  # noqa: PLR0913, PLR0917 - a command's options
    where: Dir,
    gpx: Annotated[Path | None, typer.Option(help="Walk this GPX track.")] = None,
    nmea: Annotated[Path | None, typer.Option(help="Walk this receiver's log.")] = None,
    reports: Annotated[int, typer.Option(help="How many reports; 0: until Ctrl-C.")] = 10,
    every: Annotated[float, typer.Option(help="Seconds between reports.")] = 5.0,
    rate: Annotated[float | None, typer.Option(help="Reports a second, instead of --every.")] = None,
    step: Annotated[float, typer.Option(help="Metres between reports.")] = 30.0,
    category: Annotated[str, typer.Option(help="E0102,C0101,…: one of them at each stop.")] = "E0102,C0101",
    kind: Annotated[str, typer.Option(help="For categories without a letter: component or event.")] = "event",
    photo: Annotated[Path | None, typer.Option(help="Attach this photo.")] = None,
    photo_size: Annotated[int | None, typer.Option(help="Attach made-up photos of this many bytes.")] = None,
    photo_every: Annotated[int, typer.Option(help="A photo with every N-th report.")] = 1,
    shift_to: Annotated[str | None, typer.Option(help="LON,LAT: begin the walk here.")] = None,
    datum: Annotated[str, typer.Option(help="Datum to report in.")] = "WGS84",
    seed: Annotated[int | None, typer.Option(help="Repeat what is reported (ids and salts too).")] = None,
    broker: Brokers = None,
    twice_every: Annotated[int, typer.Option(help="Send every N-th report twice.")] = 0,
    other_broker: Annotated[str | None, typer.Option(help="Another edge's broker.")] = None,
    other_every: Annotated[int, typer.Option(help="Send every N-th report there as well.")] = 7,
    other_only: Annotated[bool, typer.Option("--other-only", help="Send those there only.")] = False,
    wait: Wait = 60.0,
    as_json: AsJson = False,
    events: Annotated[bool, typer.Option(help="A line of JSON for reports as they are on disk.")] = False,
    answer_tasks: Annotated[str, typer.Option(help="How tasks are answered: yes, no or ignore.")] = "ignore",
    answer_no_to: Annotated[str, typer.Option(help="Tasks whose remark holds this are answered with no.")] = "",
    speed: Annotated[float, typer.Option(min=0.0, help="Metres a second to stops and tasks; 0: at once.")] = 0.0,
    track: Annotated[bool, typer.Option("--track", help="Send positions as well.")] = False,
    stay: Annotated[bool, typer.Option("--stay", help="After the reports stay for tasks, until Ctrl-C.")] = False,
) -> None:
    """Walk a track and report; then wait until everything is safe."""
    with told(), sigterm_is_ctrl_c():
        home = open_home(where)
        ids: Ids = SystemIds() if seed is None else SeededIds(seed)
        plan = Round(
            parse_categories(category, parse_kind(kind)),
            parse_datum(datum),
            photo_every=photo_every,
            photo=_photo_source(photo, photo_size, ids),
        )
        stops = drafts(walk(_track(gpx, nmea, shift_to), step), plan, ids)
        routes = _routes(home, tuple(broker or ()), twice_every, other_broker, other_every, other_only)
        pace = 1 / rate if rate else every
        tell = _tell_events if events else _tell_nothing
        mode = parse_mode(answer_tasks)
        going, photo_of = Going(speed), lambda: made_up_photo(ANSWER_PHOTO, ids)
        auto = None if mode == "ignore" else AutoAnswer(mode, photo_of, answer_no_to, going)

        def go(terminal: FieldTerminal) -> None:
            walked = reached(stops, going)
            walked = tracked(walked, terminal.track, SystemClock()) if track else walked
            go_round(terminal, walked, reports, pace, tell, 1 if speed else BATCH)
            if stay:
                stay_on_duty()

        _send(home, routes, ids, wait, as_json, go, auto)


@app.command()
def report(  # noqa: PLR0913, PLR0917 - a command's options
    where: Dir,
    category: Annotated[str, typer.Option(help="0102, or E0102")],
    lon: Annotated[str, typer.Option(help="Decimal degrees, east positive.")],
    lat: Annotated[str, typer.Option(help="Decimal degrees, north positive.")],
    kind: Annotated[str, typer.Option(help="component or event")] = "event",
    text: Annotated[str, typer.Option(help="What is to be seen.")] = "",
    photo: Annotated[list[Path] | None, typer.Option(help="JPEG, PNG or WebP.")] = None,
    component: Annotated[str | None, typer.Option(help="The component's code.")] = None,
    datum: Annotated[str, typer.Option(help="Datum of the position.")] = "WGS84",
    self_handled: Annotated[bool, typer.Option(help="Put right on the spot.")] = False,
    broker: Brokers = None,
    wait: Wait = 10.0,
    as_json: AsJson = False,
) -> None:
    """Make one report, keep it, and send it if there is a connection."""
    with told():
        home = open_home(where)
        ((what, code),) = parse_categories(category, parse_kind(kind))
        place = Place(Point.parse(lon, lat), parse_datum(datum), fix="manual")
        photos = tuple(_read(path) for path in photo or ())
        draft = Draft(what, code, place, text, photos, component, self_handled=self_handled)
        _keep(home, draft)
        try:
            _send(home, _routes(home, tuple(broker or ())), SystemIds(), wait, as_json)
        except Conflict:  # the terminal is running: that process finds the report in the spool and sends it
            typer.echo("kept; the running terminal sends it", err=True)


@app.command()
def sync(where: Dir, broker: Brokers = None, wait: Wait = 60.0, as_json: AsJson = False) -> None:
    """Send what waits, make nothing new."""
    with told():
        home = open_home(where)
        _send(home, _routes(home, tuple(broker or ())), SystemIds(), wait, as_json)


@app.command()
def status(where: Dir, lang: Lang = "zh", as_json: AsJson = False) -> None:
    """Counts and open reports; refused ones first, with their reasons."""
    from rich.console import Console

    from wanmi_terminal.status import status_table, status_values

    with told():
        home = open_home(where)
        if as_json:
            typer.echo(json.dumps(status_values(home), ensure_ascii=False))
        else:
            Console().print(status_table(home, "en" if lang == "en" else "zh"))


@app.command()
def tasks(where: Dir, lang: Lang = "zh", as_json: AsJson = False) -> None:
    """The inbox: tasks with their deadlines and what became of them."""
    from rich.console import Console

    from wanmi_terminal.status import texts

    with told():
        home = open_home(where)
        if as_json:
            typer.echo(json.dumps(task_values(home), ensure_ascii=False))
        else:
            Console().print(task_table(home, texts("en" if lang == "en" else "zh")))


@app.command()
def answer(  # noqa: PLR0913, PLR0917 - a command's options
    where: Dir,
    task_id: Annotated[str, typer.Argument(help="The task, as `tasks` shows it.")],
    result: Annotated[str, typer.Argument(help="yes, no or unclear")],
    lon: Annotated[str, typer.Option(help="Decimal degrees, east positive.")],
    lat: Annotated[str, typer.Option(help="Decimal degrees, north positive.")],
    text: Annotated[str, typer.Option(help="What is to be seen.")] = "",
    photo: Annotated[list[Path] | None, typer.Option(help="JPEG, PNG or WebP.")] = None,
    datum: Annotated[str, typer.Option(help="Datum of the position.")] = "WGS84",
    broker: Brokers = None,
    wait: Wait = 10.0,
    as_json: AsJson = False,
) -> None:
    """Answer a task, keep the answer, and send it if there is a connection."""
    with told():
        home = open_home(where)
        place = Place(Point.parse(lon, lat), parse_datum(datum), fix="manual")
        photos = tuple(_read(path) for path in photo or ())
        draft = AnswerDraft(parse_result(result), place, text, photos)
        keep_answer(home, task_id, draft, SystemClock(), SystemIds())
        try:
            _send(home, _routes(home, tuple(broker or ())), SystemIds(), wait, as_json)
        except Conflict:  # the terminal is running: that process finds the answer in the spool and sends it
            typer.echo("kept; the running terminal sends it", err=True)


@app.command()
def resend(
    where: Dir, report_id: Annotated[list[str] | None, typer.Argument(help="All refused if none.")] = None
) -> None:
    """Make refused reports new again: they are sent with the next run or sync."""
    with told(), _spool(where) as spool:
        chosen = report_id or [held.report_id for held in spool.held("refused")]
        spool.send_again(chosen, SystemClock().now())


@app.command()
def discard(where: Dir, report_id: Annotated[list[str], typer.Argument(help="Refused reports to delete.")]) -> None:
    """Delete refused reports for good."""
    with told(), _spool(where) as spool:
        spool.discard(report_id)


@app.command()
def rotate(where: Dir, broker: Brokers = None, wait: Wait = 60.0) -> None:
    """Make a new key and broker password, ask the district for them, and wait for its answer."""
    with told():
        home = open_home(where)
        with home.sending(), FieldTerminal(home, _routes(home, tuple(broker or ()))) as terminal:
            terminal.rotate()
            rotated = terminal.wait_for(lambda _: home.ring.next is None, wait)
        if not rotated:
            typer.echo("asked; the old key is good until the district answers: `run` and `sync` ask on", err=True)
            raise typer.Exit(LEFT)
        typer.echo(f"rotated: {fingerprint(home.ring.current.public)}")


@app.command()
def schemas(where: Annotated[Path, typer.Argument(metavar="DIR", help="Where to write them.")]) -> None:
    """Write the protocol's JSON Schemas."""
    from wanmi_terminal.schemas import schema_files

    where.mkdir(parents=True, exist_ok=True)
    for name, content in schema_files().items():
        (where / name).write_bytes(content)


@contextmanager
def _spool(where: Path) -> Iterator[Spool]:
    spool = Spool(open_home(where).spool_path)
    try:
        yield spool
    finally:
        spool.close()


def _keep(home: Home, draft: Draft) -> None:
    """Put one report on disk, whether or not another process sends."""
    maker = ReportMaker(home.terminal, home.key, SystemClock(), SystemIds(), APP)
    with _spool(home.dir) as spool:
        spool.add([maker.make(draft, spool.counts().unsafe)])


def _send(
    home: Home,
    routes: Sequence[Route],
    ids: Ids,
    wait: float,
    as_json: bool,
    work: Callable[[FieldTerminal], None] | None = None,
    auto: AutoAnswer | None = None,
) -> None:
    """Run the terminal: work, then wait until all is safe; Exit(LEFT) if something still waits."""
    began = time.monotonic()
    show = None if as_json or not sys.stderr.isatty() else ProgressLine()
    made = FieldTerminal(home, routes, ids=ids, on_progress=show, on_task=auto)
    if auto is not None:
        auto.terminal = made
    with home.sending(), made as terminal:
        try:
            if auto is not None:
                auto.begin()
            if work is not None:
                work(terminal)
            terminal.wait_quiet(wait)
        finally:
            if auto is not None:
                auto.end()
            progress = terminal.progress()
            _summary(home, progress, time.monotonic() - began, as_json)
    if progress.counts.unsafe:
        raise typer.Exit(LEFT)


def _summary(home: Home, progress: Progress, seconds: float, as_json: bool) -> None:
    counts = progress.counts
    values: dict[str, Any] = {
        "terminal": home.terminal,
        "new": counts.new,
        "kept": counts.kept,
        "safe": counts.safe,
        "refused": counts.refused,
        "sent": progress.sent,
        "receipts": progress.receipts,
        "bad_safe": progress.bad_safe,
        "problems": [link.problem for link in progress.links if link.problem],
        "without": {link.broker: list(link.without) for link in progress.links if link.without},
        "seconds": round(seconds, 3),
    }
    if as_json:
        typer.echo(json.dumps(values, ensure_ascii=False))
        return
    typer.echo(short(progress))
    for problem in values["problems"]:
        typer.echo(f"! {problem}", err=True)
    for broker, words in values["without"].items():
        typer.echo(f"! {broker} does not take {', '.join(words)}: an older edge; all else goes on", err=True)


def _tell_events(report_ids: Sequence[str]) -> None:
    sys.stdout.write("".join(json.dumps({"on_disk": report_id}) + "\n" for report_id in report_ids))
    sys.stdout.flush()


def _tell_nothing(_report_ids: Sequence[str]) -> None:
    """Nobody listens."""


def _routes(
    home: Home,
    brokers: tuple[str, ...],
    twice_every: int = 0,
    other: str | None = None,
    other_every: int = 7,
    other_only: bool = False,
) -> list[Route]:
    chosen = home.brokers(brokers)
    if not chosen:
        raise BadInput(f"terminal {home.terminal}: no broker; give one with --broker mqtts://host:8883")
    if twice_every < 0 or other_every < 1:
        raise BadInput("--twice-every counts from 0 (never), --other-every from 1")
    without = other_every if other and other_only else 0
    routes = [Route(broker, twice_every=twice_every, without=without) for broker in chosen]
    ca = Path(home.config.ca) if home.config.ca else None
    return routes + ([Route(BrokerUrl.parse(other, ca), every=other_every)] if other else [])


def _track(gpx: Path | None, nmea: Path | None, shift_to: str | None) -> Track:
    if (gpx is None) == (nmea is None):
        raise BadInput("give either --gpx FILE or --nmea FILE")
    track = read_gpx(gpx) if gpx is not None else read_nmea(nmea or Path())
    if shift_to is None:
        return track
    lon, _, lat = shift_to.partition(",")
    return shifted(track, Point.parse(lon.strip(), lat.strip()))


def _photo_source(path: Path | None, size: int | None, ids: Ids) -> Callable[[], bytes] | None:
    if path is not None:
        content = _read(path)
        return lambda: content
    return (lambda: made_up_photo(size, ids)) if size is not None else None


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise BadInput(f"{path}: cannot be read: {error.strerror}") from error
