"""A collector's round: walk a track and report at an even pace."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Literal, cast

from wanmi.coords import Datum, from_wgs84
from wanmi.errors import BadInput
from wanmi.ids import Ids
from wanmi_terminal.field import FieldTerminal
from wanmi_terminal.maker import Draft, Place
from wanmi_terminal.nmea import Fix

Kind = Literal["component", "event"]
KINDS: dict[str, Kind] = {"C": "component", "E": "event"}
BATCH = 100
"""Reports kept in one transaction at most."""

SEEN = (
    "人行道上堆放垃圾，影响通行",
    "井盖松动，车辆经过有响声",
    "路灯白天未关",
    "店外经营占用盲道",
    "树枝折断，搭在围栏上",
    "墙面张贴小广告",
)
"""What a collector might write: for rounds that nobody really walks."""


@dataclass(frozen=True)
class Round:
    """What to report on the way: one of ``categories`` at each stop, a photo at every ``photo_every``-th (0: never)."""

    categories: tuple[tuple[Kind, str], ...]
    datum: Datum = "WGS84"
    with_text: bool = True
    photo_every: int = 0
    photo: Callable[[], bytes] | None = None


def parse_categories(text: str, kind: Kind) -> tuple[tuple[Kind, str], ...]:
    """Categories from ``E0102,C0101`` or, with ``kind``, from ``0102``; BadInput for anything else."""
    found = []
    for code in text.split(","):
        match = re.fullmatch(r"([CE]?)([0-9]{4,8})", code.strip().upper())
        if match is None:
            raise BadInput(
                f"category {code.strip()!r}: write E0102 for an event, C0102 for a component, with the digits of the city's catalogue"
            )
        found.append((KINDS.get(match[1], kind), match[2]))
    return tuple(found)


def drafts(fixes: Iterator[Fix], plan: Round, ids: Ids) -> Iterator[Draft]:
    """What is reported at each stop; chosen by ``ids``, so that a seed repeats it."""
    for number, fix in enumerate(fixes, 1):
        dice = ids.token(2)
        kind, category = plan.categories[dice[0] % len(plan.categories)]
        with_photo = plan.photo is not None and plan.photo_every > 0 and number % plan.photo_every == 0
        photos = (plan.photo(),) if with_photo and plan.photo is not None else ()
        text = SEEN[dice[1] % len(SEEN)] if plan.with_text else ""
        yield Draft(kind, category, place_of(fix, plan.datum), text, photos)


def place_of(fix: Fix, datum: Datum) -> Place:
    """The fix as a report's place; its time is now: a recorded walk is walked again."""
    point = from_wgs84(fix.point, datum)
    return Place(point, datum, accuracy_cm=fix.accuracy_cm, satellites=fix.satellites)


def go_round(
    terminal: FieldTerminal,
    stops: Iterator[Draft],
    reports: int,
    every: float,
    tell: Callable[[Sequence[str]], None],
    batch: int = BATCH,
) -> None:
    """Make ``reports`` reports (0: until interrupted), one each ``every`` seconds; ``tell`` hears the ids that are on disk.

    At most ``batch`` of those that are due are kept at once.
    """
    began, made = time.monotonic(), 0
    while reports == 0 or made < reports:
        due = min(batch, _due(began, every, made, reports))
        if due == 0:
            time.sleep(min(every, max(began + made * every - time.monotonic(), 0.001)))
            continue
        signed = [terminal.sign(draft) for draft in islice(stops, due)]  # signed where it is made
        terminal.add(signed)
        made += len(signed)
        tell([report.report_id for report in signed])


def _due(began: float, every: float, made: int, reports: int) -> int:
    """How many reports should be made now: the first at once."""
    should = BATCH + made if every <= 0 else int((time.monotonic() - began) / every) + 1
    left = reports - made if reports else BATCH
    return max(min(should - made, left, BATCH), 0)


def parse_kind(text: str) -> Kind:
    """``component`` or ``event``; BadInput for anything else."""
    if text not in KINDS.values():
        raise BadInput(f"kind {text!r}: component or event")
    return cast(Kind, text)
