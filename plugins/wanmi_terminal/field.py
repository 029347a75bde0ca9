"""The field terminal as a library: reports in, each on disk first, sent and resent until it is safe.

with FieldTerminal(open_home(dir)) as terminal:
    terminal.report(draft)
    terminal.wait_quiet(60)
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Any, Self

from wanmi import __version__
from wanmi.clock import SECOND, Clock, SystemClock
from wanmi.ids import Ids, SystemIds
from wanmi.reports import Receipt, Seen, Task, TrackFix, is_safe, sign_status
from wanmi_terminal.broker import BrokerUrl
from wanmi_terminal.heart import Beat, Heart
from wanmi_terminal.home import Home
from wanmi_terminal.inbox import Inbox
from wanmi_terminal.link import Link, LinkState
from wanmi_terminal.maker import AnswerDraft, Draft, ReportMaker
from wanmi_terminal.schedule import Retry, Schedule
from wanmi_terminal.spool import Counts, SignedReport, Spool

APP = f"wanmi-terminal {__version__}"
DAY = 86_400 * SECOND


@dataclass(frozen=True)
class Route:
    """A broker to send to: every ``every``-th report but not each ``without``-th, and each ``twice_every``-th twice.

    ``without`` and ``twice_every`` 0: none.
    """

    broker: BrokerUrl
    every: int = 1
    twice_every: int = 0
    without: int = 0

    def takes(self, n: int) -> bool:
        """Whether report number ``n`` goes this way."""
        return n % self.every == 0 and not (self.without and n % self.without == 0)

    def copies(self, n: int) -> int:
        """How often report number ``n`` is sent at a time."""
        return 2 if self.twice_every and n % self.twice_every == 0 else 1


@dataclass(frozen=True)
class Progress:
    """Where a terminal stands. ``sent`` counts report messages since start, ``bad_safe`` safe receipts that did not verify."""

    counts: Counts
    sent: int
    receipts: int
    bad_safe: int
    links: tuple[LinkState, ...]


class FieldTerminal:
    """One terminal that sends from its spool, with a thread a broker.

    ``on_progress`` is called from those threads after receipts were applied, ``on_task`` for each task (or withdrawal)
    that is new here, after it is on disk; both must return at once.
    """

    def __init__(
        self,
        home: Home,
        routes: Sequence[Route] = (),
        *,
        retry: Retry | None = None,
        clock: Clock | None = None,
        ids: Ids | None = None,
        on_progress: Callable[[Progress], None] | None = None,
        on_task: Callable[[Task], None] | None = None,
        beat: Beat | None = None,
    ) -> None:
        self.home = home
        self.spool = Spool(home.spool_path)
        self.inbox = Inbox(self.spool)
        self._clock = clock or SystemClock()
        self._ids = ids or SystemIds()
        self._maker = ReportMaker(home.terminal, lambda: home.key, self._clock, self._ids, APP)
        self.heart = Heart(home.terminal, APP, beat or Beat())
        self._on_progress = on_progress
        self._on_task = on_task
        self.lock = threading.Condition()
        """Guards spool, schedules and counts; told of every change."""
        self._counts = self.spool.counts()
        self.tracked = 0
        """Counts batches of positions, so that the link looks for them only when there are new ones."""
        self._last_n = 0
        self._receipts = self._bad_safe = 0
        chosen = routes or [Route(broker) for broker in home.brokers()[:1]]
        self._links = [Link(self, i, route, Schedule(retry or Retry())) for i, route in enumerate(chosen)]

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def start(self) -> None:
        """Take up what lies in the spool and connect; works offline, reports then wait."""
        self.load()
        for link in self._links:
            link.start()

    def close(self) -> None:
        """Disconnect and close the spool; nothing is lost by it."""
        for link in self._links:
            link.stop()
        self.spool.close()

    def sign(self, draft: Draft) -> SignedReport:
        """Make and sign a report without keeping it yet: for `add`."""
        return self._maker.make(draft, self._counts.unsafe)

    def report(self, draft: Draft) -> str:
        """Make a report and keep it: it is on disk when its id is returned."""
        signed = self.sign(draft)
        self.add([signed])
        return signed.report_id

    def add(self, reports: Sequence[SignedReport], also: Callable[[Any], None] | None = None) -> None:
        """Keep signed reports, all in one transaction (with what ``also`` writes), and send them."""
        with self.lock:
            self.spool.add(reports, also)
            self._counts = replace(self._counts, new=self._counts.new + len(reports))
            self._schedule_after(self._last_n)
            self.lock.notify_all()

    def answer(self, task_id: str, draft: AnswerDraft) -> str:
        """Answer an open task: the answer is on disk, and goes as reports do, when its report id is returned.

        NotFound for a task that is not here, Conflict for one that was answered or withdrawn.
        """
        with self.lock:
            task = self.inbox.open_task(task_id)
            signed = self._maker.answer(task, draft, self._counts.unsafe)
            self.add([signed], also=lambda db: self.inbox.answered(db, task, signed.report_id))
        return signed.report_id

    def track(self, fixes: Sequence[TrackFix]) -> None:
        """Keep a batch of positions (times growing) and send it: until a broker has it, no longer."""
        self.inbox.add_track(self._maker.track(fixes))
        with self.lock:
            self.tracked += 1
            self.heart.fix = fixes[-1]

    def status(self) -> bytes:
        """The signed message that says how the terminal is now."""
        with self.lock:
            now, counts = self._clock.now(), self._counts
            id = "S" + self._ids.token(12).hex()
            tasks = len(self.inbox.held("open"))
            return sign_status(self.heart.beat(id, now, counts.new + counts.kept, counts.refused, tasks), self.home.key)

    def rotate(self) -> None:
        """Make a new key, and ask for it with the next status."""
        with self.lock:
            self.home.ring.begin(self.home.terminal, self._ids, self._clock.now())

    def rotation(self) -> bytes:
        """The request for a new key that waits for its answer, if there is one or it is time for one; else nothing."""
        ring, days = self.home.ring, self.home.config.rotate_days
        if ring.next is None and days and self._clock.now() - ring.current.since >= days * DAY:
            self.rotate()
        return ring.request

    def heard_key(self, public: bytes, *, rotate: bool) -> None:
        """An edge says which key it holds for this terminal's, and whether the district wants another one."""
        with self.lock:
            if not self.home.ring.promote(public) and rotate and public == self.home.ring.current.public:
                self.rotate()
            self.lock.notify_all()

    def load(self) -> None:
        """Take up the whole spool: at start, and when another process changed it."""
        with self.lock:
            self._counts = self.spool.counts()
            self._schedule_after(0)
            self.lock.notify_all()

    def look(self) -> None:
        """Take up what another process added or made new again, if any did."""
        with self.lock:
            if self.spool.changed_elsewhere():
                self.load()

    def took(self, receipts: Sequence[Receipt]) -> None:
        """Apply receipts from any broker: on disk first, then in every link's schedule."""
        with self.lock:
            good = [self._judged(receipt) for receipt in receipts if receipt.terminal == self.home.terminal]
            now = self._clock.now()
            good = [receipt for receipt in good if not self.heart.heard(receipt, now)]
            changes = self.spool.apply(good, now)
            for receipt in good:
                change = changes.get(receipt.report_id or "")
                for link in self._links:
                    link.answered(receipt, change.new if change else None)
            self._receipts += len(receipts)
            self._counts = self._counts.after(changes.values())
            if any(change.old == "refused" for change in changes.values()):
                self._schedule_after(0)  # one edge refused it, another keeps it: follow it again
            self.lock.notify_all()
        self._tell()

    def took_tasks(self, tasks: Sequence[Task]) -> Seen:
        """Keep tasks that came; what to tell the edge that sent them."""
        own = [task for task in tasks if task.terminal == self.home.terminal]
        with self.lock:
            fresh = self.inbox.take(own, self._clock.now())
            self.lock.notify_all()
        if self._on_task is not None:
            for task in fresh:
                self._on_task(task)
        return self.inbox.seen(self.home.terminal, own)

    def link_changed(self) -> None:
        """A connection came up, went down, or could not be made."""
        with self.lock:
            self.lock.notify_all()
        self._tell()

    def progress(self) -> Progress:
        """Where the terminal stands now."""
        with self.lock:
            links = tuple(link.state() for link in self._links)
            return Progress(self._counts, sum(s.sent for s in links), self._receipts, self._bad_safe, links)

    def wait_for(self, done: Callable[[Progress], bool], seconds: float) -> bool:
        """Wait until ``done`` holds; False when the time is over first."""
        with self.lock:
            return self.lock.wait_for(lambda: done(self.progress()), seconds)

    def wait_quiet(self, seconds: float) -> bool:
        """Wait until no report waits for anybody; False when the time is over first."""
        return self.wait_for(lambda progress: progress.counts.unsafe == 0, seconds)

    def send_again(self, report_ids: Sequence[str]) -> None:
        """Send refused reports again, by a person's wish."""
        with self.lock:
            self.spool.send_again(report_ids, self._clock.now())
            self.load()

    def _schedule_after(self, n: int) -> None:
        for held in self.spool.held("new", "kept", after=n):
            self._last_n = max(self._last_n, held.n)
            for link in self._links:
                link.schedule(held)

    def _judged(self, receipt: Receipt) -> Receipt:
        """A safe receipt that does not verify is only worth a ``kept``: the report is not forgotten for it."""
        if receipt.status != "safe" or self._is_safe(receipt):
            return receipt
        self._bad_safe += 1
        return Receipt(1, receipt.terminal, receipt.report_id, "kept", receipt.edge, receipt.at, receipt.entry)

    def _is_safe(self, receipt: Receipt) -> bool:
        keys = self.home.district_keys
        return any(is_safe(receipt, key) for key in keys) if keys else is_safe(receipt, None)

    def _tell(self) -> None:
        if self._on_progress is not None:
            self._on_progress(self.progress())
