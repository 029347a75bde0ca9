"""A collector who answers tasks by himself, and goes from place to place no faster than he is told: for demos and tests."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from queue import SimpleQueue

from wanmi.coords import Point, distance_m, to_wgs84
from wanmi.errors import Conflict
from wanmi.reports import Result, Task
from wanmi_terminal.field import FieldTerminal
from wanmi_terminal.maker import AnswerDraft, Draft, Place


class Going:
    """Where the collector is, who goes ``mps`` metres a second (0: is there at once); several threads may send him."""

    def __init__(self, mps: float = 0.0, monotonic: Callable[[], float] = time.monotonic) -> None:
        self.mps = mps
        self._monotonic = monotonic
        self._called_off = threading.Event()
        self._one_way = threading.Lock()
        self._at: Point | None = None
        self._since = 0.0

    def go(self, to: Point) -> bool:
        """Go to ``to`` (WGS-84) and return on arrival; False when called off on the way."""
        with self._one_way:
            if self._called_off.wait(self.seconds_to(to)):
                return False
            self._at, self._since = to, self._monotonic()
            return True

    def seconds_to(self, to: Point) -> float:
        """How long it is until he can be there."""
        if self._at is None or self.mps <= 0:
            return 0.0
        arrives = self._since + distance_m(self._at, to) / self.mps
        return max(0.0, arrives - self._monotonic())

    def call_off(self) -> None:
        """He goes nowhere any more."""
        self._called_off.set()


def reached(stops: Iterator[Draft], going: Going) -> Iterator[Draft]:
    """The same stops, each once the collector is there."""
    for draft in stops:
        going.go(to_wgs84(draft.place.point, draft.place.datum))
        yield draft


@dataclass
class AutoAnswer:
    """Goes where a task sends him and answers ``result``; a task whose remark holds ``no_to`` is answered with no.

    Told to go at a speed, he answers in a thread of his own; what is not answered at the end stays open for the next time.
    """

    result: Result
    photo: Callable[[], bytes] | None = None
    no_to: str = ""
    going: Going = field(default_factory=Going)
    terminal: FieldTerminal | None = None
    _waiting: SimpleQueue[Task | None] = field(default_factory=SimpleQueue)
    _thread: threading.Thread | None = None

    def begin(self) -> None:
        """Answer what lies open from before, then what comes."""
        if self.going.mps > 0:
            self._thread = threading.Thread(target=self._work, name="answers", daemon=True)
            self._thread.start()
        if self.terminal is not None:
            for held in self.terminal.inbox.held("open"):
                self(held.task)

    def end(self) -> None:
        """Answer nothing more; the one on his way turns back."""
        self.going.call_off()
        self._waiting.put(None)
        if self._thread is not None:
            self._thread.join()

    def __call__(self, task: Task) -> None:
        """Answer one task, now or once he is there; a withdrawn one is left."""
        if task.status != "open":
            return
        if self.going.mps > 0:
            self._waiting.put(task)
        else:
            self._answer(task)

    def _work(self) -> None:
        while (task := self._waiting.get()) is not None:
            self._answer(task)

    def _answer(self, task: Task) -> None:
        at = Point(task.lon_e7, task.lat_e7)
        if self.terminal is None or not self.going.go(at):
            return
        place = Place(at, accuracy_cm=400, satellites=9)
        photos = (self.photo(),) if self.photo is not None else ()
        said: Result = "no" if self.no_to and self.no_to in (task.remark or "") else self.result
        try:
            self.terminal.answer(task.task_id, AnswerDraft(said, place, photos=photos))
        except Conflict:  # answered at the beginning and told of again, or withdrawn while he was on his way
            return
