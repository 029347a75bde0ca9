"""Tasks at the command line: lists and answers; the positions of a walk."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Literal, cast

from wanmi.clock import Clock, iso
from wanmi.coords import to_wgs84
from wanmi.errors import BadInput
from wanmi.reports import Result, TrackFix
from wanmi_terminal.field import APP
from wanmi_terminal.home import Home
from wanmi_terminal.inbox import Inbox
from wanmi_terminal.maker import AnswerDraft, Draft, ReportMaker
from wanmi_terminal.spool import Spool

if TYPE_CHECKING:
    from rich.console import RenderableType

    from wanmi.ids import Ids

RESULTS = ("yes", "no", "unclear")
BATCH = 10
"""Stops of a walk that go into one batch of positions."""


def parse_result(text: str) -> Result:
    """``yes``, ``no`` or ``unclear``; BadInput for anything else."""
    if text not in RESULTS:
        raise BadInput(f"result {text!r}: one of {', '.join(RESULTS)}")
    return cast(Result, text)


def parse_mode(text: str) -> Literal["yes", "no", "ignore"]:
    """How ``run`` answers tasks; BadInput for anything else."""
    if text not in ("yes", "no", "ignore"):
        raise BadInput(f"--answer-tasks {text!r}: yes, no or ignore")
    return cast(Literal["yes", "no", "ignore"], text)


def keep_answer(home: Home, task_id: str, draft: AnswerDraft, clock: Clock, ids: Ids) -> str:
    """Put an answer on disk, whether or not another process sends; its report id."""
    spool = Spool(home.spool_path)
    try:
        inbox = Inbox(spool)
        task = inbox.open_task(task_id)
        maker = ReportMaker(home.terminal, home.key, clock, ids, APP)
        signed = maker.answer(task, draft, spool.counts().unsafe)
        spool.add([signed], also=lambda db: inbox.answered(db, task, signed.report_id))
    finally:
        spool.close()
    return signed.report_id


def task_values(home: Home) -> list[dict[str, object]]:
    """The inbox as JSON values, the earliest deadline first."""
    spool = Spool(home.spool_path)
    try:
        held = Inbox(spool).held()
    finally:
        spool.close()
    return [
        {
            "task_id": one.task.task_id,
            "state": one.state,
            "kind": one.task.kind,
            "category": one.task.category,
            "lon": one.task.lon_e7 / 10_000_000,
            "lat": one.task.lat_e7 / 10_000_000,
            "grid": one.task.grid,
            "deadline": iso(one.task.deadline),
            "remark": one.task.remark,
            "report_id": one.report_id,
        }
        for one in held
    ]


def task_table(home: Home, words: Mapping[str, str]) -> RenderableType:
    """The inbox for people."""
    from rich.table import Table
    from rich.text import Text

    values = task_values(home)
    if not values:
        return Text(words["no_tasks"])
    table = Table(title=words["tasks"])
    for name in ("task", "kind", "category", "place", "deadline", "state", "remark"):
        table.add_column(words[name], overflow="fold")
    for value in values:
        place = f"{value['lon']}, {value['lat']}"
        table.add_row(
            str(value["task_id"]), words[str(value["kind"])], str(value["category"]), place,
            f"{str(value['deadline'])[:19]}Z", words[f"task_{value['state']}"], str(value["remark"] or ""),
        )  # fmt: skip
    return table


def tracked(stops: Iterator[Draft], tell: Callable[[list[TrackFix]], None], clock: Clock) -> Iterator[Draft]:
    """The same stops, their positions told in batches of BATCH."""
    fixes: list[TrackFix] = []
    for draft in stops:
        at = max(clock.now(), fixes[-1].at + 1 if fixes else 0)
        point = to_wgs84(draft.place.point, draft.place.datum)
        fixes.append(TrackFix(at, point.lon_e7, point.lat_e7, draft.place.accuracy_cm))
        if len(fixes) == BATCH:
            tell(fixes)
            fixes = []
        yield draft
