"""The intake: one thread that turns messages into entries, a batch at a time.

take -> judge -> plan -> one transaction -> receipts -> acknowledgements. Answers, positions and what terminals have
seen go to the field desk, which has written them before their batch is acknowledged. While one plan is being made durable the
next one is prepared. What was not acknowledged when the process dies comes again and is known by its report id.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field

from sqlalchemy import Connection, func, select

from wanmi.entries import Cosign
from wanmi.errors import NotFound
from wanmi.models import table
from wanmi.mqtt import Message, MqttClient, ack_all
from wanmi.registry import NodeContext, Stored
from wanmi.reports import Reason, Receipt, ReportMessage, encode_message, report_topic
from wanmi_edge import answers
from wanmi_edge.field_desk import FieldDesk
from wanmi_edge.ledger import Key, Ledger, Taken, refusal_id
from wanmi_edge.plan import MAX_BYTES, Plan
from wanmi_edge.retrying import RefusedItem, Retries, mark_retried, reason_of, takes_in
from wanmi_edge.rows import JunkRow
from wanmi_edge.settings import IntakeSettings
from wanmi_edge.spool import PartSpool
from wanmi_edge.terminals import TerminalBook
from wanmi_edge.verdicts import Answered, FieldVerdict, Good, Judge, Junk, Later, No, Part, Verdict
from wanmi_edge.waiting import WaitingRoom, load_waiting

IDLE = 0.5
"""Seconds that the intake waits for a message before it looks around."""
JUNK_A_PLAN = 50
"""Junk rows written in one transaction; the rest of a flood is only counted."""


@dataclass
class Counts:
    """What the intake did since its start."""

    kept: int = 0
    again: int = 0
    parts: int = 0
    wanted: int = 0
    junk: int = 0
    refused: Counter[str] = field(default_factory=Counter)

    def refuse(self, reason: str) -> None:
        """One more refusal for this reason."""
        self.refused[reason] += 1


class Rate:
    """How many reports got their entry in the last minute."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._counted: deque[tuple[float, int]] = deque(maxlen=10_000)

    def add(self, n: int) -> None:
        """``n`` more."""
        if n:
            self._counted.append((self._monotonic(), n))

    def per_minute(self) -> int:
        """The sum over the last 60 seconds."""
        since = self._monotonic() - 60
        return sum(n for at, n in list(self._counted) if at >= since)


class Intake:
    """Turns a broker's messages into entries of this edge."""

    def __init__(
        self,
        node: NodeContext,
        client: MqttClient,
        judge: Judge,
        spool: PartSpool,
        book: TerminalBook,
        field: FieldDesk,
        settings: IntakeSettings,
        retries: Retries | None = None,
    ) -> None:
        self._node = node
        self._client = client
        self._judge = judge
        self._spool = spool
        self._book = book
        self._field = field
        self._settings = settings
        self._retries = retries or Retries()
        self._by = f"edge@{node.registry.plugins.get('edge', '0')}"
        self._ledger = Ledger(node.store, node.code)
        self._room = WaitingRoom(settings.waiting)
        self._flying: deque[tuple[Plan, Future[list[Stored]] | None]] = deque()
        self._junk_n = self._last_junk()
        self._cosign: Cosign | None = node.journal.best_cosign(node.code, by=node.parent) if node.parent else None
        self.counts = Counts()
        self.rate = Rate(node.clock.monotonic)

    @property
    def in_hand(self) -> int:
        """Messages taken and not acknowledged yet."""
        return sum(len(plan.messages) for plan, _ in list(self._flying))

    @property
    def waiting(self) -> int:
        """Reports that wait for parts."""
        return len(self._room)

    @property
    def junk_seen(self) -> int:
        """Junk messages since the node began."""
        return self._junk_n

    def heard_cosign(self, cosign: Cosign) -> None:
        """The parent countersigned this node's chain: repeated receipts may say so."""
        if cosign.origin == self._node.code and cosign.by == self._node.parent:
            self._cosign = cosign

    def run(self, ended: Callable[[], bool]) -> None:
        """Take messages until ``ended``; raises what the journal raises (nothing was acknowledged then)."""
        self._resume()
        while not ended():
            messages = self._client.take(self._settings.batch, 0.0 if self._flying else IDLE)
            if messages:
                self.work(messages)
            self._settle(leave=1 if messages else 0)
            self._retries.work(self.look_again)
        self._settle(leave=0)

    def work(self, messages: Sequence[Message]) -> None:
        """Judge and plan a batch, and hand it to the journal; what the field desk takes is durable at once."""
        self._book.refresh_if_stale()
        judged: list[tuple[Message | None, Verdict]] = []
        for message in messages:
            verdict = self._verdict(message.topic, message.payload, message.content_type)
            judged.append((message, verdict))
            if isinstance(verdict, Part):
                judged.extend((None, one) for one in self._put_part(verdict))
        self._field.work([verdict for _, verdict in judged if isinstance(verdict, FieldVerdict)])
        self._ledger.load(key for _, verdict in judged for key in _keys(verdict))
        self._plan(judged)

    def look_again(self, item: RefusedItem) -> str:
        """Take in what was refused before, if it is good now: ``taken``, else the reason; durable when it returns."""
        verdict = self._verdict(item.topic, item.payload or b"")
        if not takes_in(verdict):
            return reason_of(verdict)
        self._settle(leave=0)
        if isinstance(verdict, Good):
            self._ledger.load(_keys(verdict))
            plan = Plan(self._node.code, self._by)
            if self._known(plan, _keys(verdict)[0]) is None:
                self._take_new(plan, verdict.report)
            self._submit(plan)
            self._settle(leave=0)
        elif isinstance(verdict, FieldVerdict):
            self._field.work([verdict])
        if item.what == "junk":
            mark_retried(self._node, item)
        return "taken"

    def _verdict(self, topic: str, payload: bytes, content_type: str = "") -> Verdict:
        return self._judge.judge(topic, payload, content_type, self._node.clock.now())

    def _put_part(self, part: Part) -> list[Verdict]:
        """Keep a part; the reports that waited for it are looked at again."""
        self.counts.parts += 1
        where = part.topic
        if self._spool.is_full() or not self._spool.put(where, part.content):
            return []
        waiting = self._room.for_part(where.terminal, where.digest)
        reports = [self._verdict(report_topic(where.terminal), payload) for payload in waiting]
        return reports + [Answered(answer) for answer in self._field.waiting_for(where.terminal, where.digest)]

    def _plan(self, judged: Sequence[tuple[Message | None, Verdict]]) -> None:
        plan = Plan(self._node.code, self._by)
        for message, verdict in judged:
            if self._is_flying(verdict, plan):
                self._submit(plan)
                self._settle(leave=0)
                plan = Plan(self._node.code, self._by)
            self._decide(plan, verdict)
            if message is not None:
                plan.messages.append(message)
            if plan.size > MAX_BYTES:
                self._submit(plan)
                plan = Plan(self._node.code, self._by)
        self._submit(plan)

    def _is_flying(self, verdict: Verdict, current: Plan) -> bool:
        """Whether the report is in a plan that is not durable yet (the current one knows its own)."""
        keys = _keys(verdict)
        return any(key in plan.keys for plan, _ in self._flying for key in keys if plan is not current)

    def _decide(self, plan: Plan, verdict: Verdict) -> None:
        if isinstance(verdict, Good):
            self._take(plan, verdict.report)
        elif isinstance(verdict, No):
            self._refuse(plan, verdict.report, verdict.reason)
        elif isinstance(verdict, Later):
            self._answer(plan, verdict.report.report.terminal, verdict.report.report.report_id, verdict.reason)
        elif isinstance(verdict, Junk):
            self._note_junk(plan, verdict)

    def _take(self, plan: Plan, report: ReportMessage) -> None:
        terminal, report_id = report.report.terminal, report.report.report_id
        known = self._known(plan, (terminal, report_id))
        if known is not None and known != report.digest:
            self._refuse(plan, report, Reason.ID_REUSED)
        elif known is not None:
            self._repeat(plan, (terminal, report_id))
        elif (terminal, report_id) not in self._room and self._is_refused(plan, report):
            self._repeat(plan, (terminal, refusal_id(report_id, report.digest)))
        else:
            self._take_new(plan, report)

    def _take_new(self, plan: Plan, report: ReportMessage) -> None:
        said = report.report
        key = (said.terminal, said.report_id)
        if self._spool.is_full():
            self._answer(plan, *key, Reason.EDGE_FULL)
            return
        parts, missing = self._parts(report)
        if missing:
            self._wait(plan, report, missing)
            return
        sealed = {digest: self._node.blobs.seal(content) for digest, content in parts.items()}
        plan.take(report, sealed, {digest: len(content) for digest, content in parts.items()})
        plan.used_parts += [(said.terminal, digest) for digest in parts if digest not in report.parts]
        if self._room.remove(key):
            plan.stop_waiting.append(key)
        else:
            plan.newcomers += 1

    def _parts(self, report: ReportMessage) -> tuple[dict[str, bytes], tuple[str, ...]]:
        """The contents of a report's attachments, inline or spooled, and the digests of those not here."""
        parts: dict[str, bytes] = {}
        missing: list[str] = []
        for digest in dict.fromkeys(one.digest for one in report.report.attachments):
            content = report.parts.get(digest)
            if content is None:
                content = self._spool.get(report.report.terminal, digest)
            if content is None:
                missing.append(digest)
            else:
                parts[digest] = content
        return parts, tuple(missing)

    def _wait(self, plan: Plan, report: ReportMessage, missing: tuple[str, ...]) -> None:
        said = report.report
        key = (said.terminal, said.report_id)
        payload = encode_message(report.envelope, report.signature, report.key_id, report.parts)
        now = self._node.clock.now()
        plan.newcomers += key not in self._room
        gone = self._room.add(key, payload, missing)
        plan.stop_waiting += gone
        plan.let_go += len(gone)
        plan.wait.append((*key, payload, now))
        plan.answers.append(answers.wanted(self._node.code, *key, missing, now))
        self.counts.wanted += 1

    def _refuse(self, plan: Plan, report: ReportMessage, reason: Reason) -> None:
        terminal, report_id = report.report.terminal, report.report.report_id
        taken = (terminal, report_id)
        row = (terminal, refusal_id(report_id, report.digest))
        if self._known(plan, taken) == report.digest:
            self._repeat(plan, taken)
        elif self._known(plan, row) is not None:
            self._repeat(plan, row)
        else:
            plan.refuse(report, reason)
            plan.newcomers += 1

    def _is_refused(self, plan: Plan, report: ReportMessage) -> bool:
        row = refusal_id(report.report.report_id, report.digest)
        return self._known(plan, (report.report.terminal, row)) is not None

    def _known(self, plan: Plan, key: Key) -> str | None:
        """The digest that has an entry (or gets one with this plan) under a ledger key."""
        digest = plan.keys.get(key)
        if digest is not None:
            return digest
        taken = self._ledger.find(*key)
        return taken.digest if taken is not None else None

    def _repeat(self, plan: Plan, key: Key) -> None:
        plan.again.append(key)
        self.counts.again += 1

    def _answer(self, plan: Plan, terminal: str, report_id: str | None, reason: str) -> None:
        plan.answers.append(answers.refused(self._node.code, terminal, report_id, str(reason), self._node.clock.now()))
        self.counts.refuse(str(reason))

    def _note_junk(self, plan: Plan, junk: Junk) -> None:
        self._junk_n += 1
        self.counts.junk += 1
        if len(plan.junk) < JUNK_A_PLAN:
            plan.junk.append((self._junk_n, junk))
        if junk.terminal is not None:
            self._answer(plan, junk.terminal, junk.report_id, junk.reason)
        else:
            self.counts.refuse(junk.reason)

    def _submit(self, plan: Plan) -> None:
        future: Future[list[Stored]] | None = None
        at, slots = self._node.clock.now(), self._settings.junk_rows

        def write(tx: Connection) -> list[Stored]:
            plan.write(tx, self._node.blobs, at, slots)
            return []

        if plan.drafts:
            future = self._node.journal.append(
                *plan.drafts, also=lambda tx, _: plan.write(tx, self._node.blobs, at, slots)
            )
        elif plan.writes:
            future = self._node.store.write(write)
        self._flying.append((plan, future))

    def _settle(self, leave: int) -> None:
        """Finish plans, oldest first: those that are durable, and as many more that only ``leave`` stay."""
        while self._flying:
            plan, future = self._flying[0]
            if len(self._flying) <= leave and future is not None and not future.done():
                return
            stored = future.result() if future is not None else []
            self._flying.popleft()
            self._finish(plan, stored)

    def _finish(self, plan: Plan, stored: list[Stored]) -> None:
        """The plan is durable: say so."""
        for key, taken in plan.outcomes(stored):
            self._ledger.add(*key, taken)
            self._count(taken)
        at = self._node.clock.now()
        for key in [*plan.keys, *plan.again]:
            self._send(self._receipt(key, at))
        for receipt in plan.answers:
            self._send(receipt)
        for terminal, digest in plan.used_parts:
            self._spool.drop(terminal, digest)
        ack_all(plan.messages)
        self.rate.add(len(plan.drafts))

    def _receipt(self, key: Key, at: int) -> Receipt:
        terminal, row_id = key
        taken = self._ledger.find(terminal, row_id)
        if taken is None:
            raise NotFound(f"report {row_id} of {terminal}: its entry was made, but it is not in the ledger")
        return answers.kept(self._node.code, terminal, row_id.partition("!")[0], taken, at, self._cosign)

    def _send(self, receipt: Receipt) -> None:
        # A receipt that the broker cannot take is not lost: the terminal asks again by sending its report again.
        answers.send(self._client, receipt)

    def _count(self, taken: Taken) -> None:
        if taken.reason is None:
            self.counts.kept += 1
        else:
            self.counts.refuse(taken.reason)

    def _resume(self) -> None:
        """Reports that waited for parts when the node stopped: look at them again, forget those no longer good."""
        verdicts: list[tuple[None, Verdict]] = []
        plan = Plan(self._node.code, self._by)
        for key, payload in load_waiting(self._node.store):
            verdict = self._verdict(report_topic(key[0]), payload)
            if isinstance(verdict, Good):
                self._room.add(key, payload, ())
                verdicts.append((None, verdict))
            else:
                plan.stop_waiting.append(key)
                plan.let_go += 1
        self._ledger.load(key for _, verdict in verdicts for key in _keys(verdict))
        self._submit(plan)
        self._plan(verdicts)
        self._settle(leave=0)

    def _last_junk(self) -> int:
        with self._node.store.reader() as connection:
            return int(connection.execute(select(func.coalesce(func.max(table(JunkRow).c.n), 0))).scalar_one())


def _keys(verdict: Verdict) -> tuple[Key, ...]:
    """The ledger keys that a verdict may meet."""
    if not isinstance(verdict, Good | No):
        return ()
    said = verdict.report.report
    return (said.terminal, said.report_id), (said.terminal, refusal_id(said.report_id, verdict.report.digest))
