"""Answers to tasks, positions, and which tasks terminals hold: taken by the intake's thread, durable when ``work`` returns.

What comes again after a kill is known: an answer by (terminal, task id) and digest, a batch of positions by its times.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection, select

from wanmi.entries import Cosign
from wanmi.journal.task_rows import AnswerRow, TaskRow, TrackRow
from wanmi.kinds import Attachment, home_district
from wanmi.models import EntryRow, table
from wanmi.mqtt import MqttClient
from wanmi.registry import Draft, NodeContext
from wanmi.reports import AnswerMessage, Reason, Receipt
from wanmi.reports.bodies import TaskAnswered, TaskRefused, answer_subject
from wanmi.reports.envelope import to_b64
from wanmi.store import Sealed, Store, upsert_rows
from wanmi_edge import answers
from wanmi_edge.key_desk import KeyDesk
from wanmi_edge.ledger import Key, Taken, refusal_id
from wanmi_edge.rows import SeenRow, TrackBatchRow
from wanmi_edge.spool import PartSpool
from wanmi_edge.statuses import StatusDesk
from wanmi_edge.tally import ANSWERS, POSITIONS, count_in
from wanmi_edge.task_sender import TaskSender
from wanmi_edge.verdicts import Answered, FieldVerdict, Positions, Rotating, Said, Told

WAITING = 500
"""Answers that may wait for their photos; a terminal whose answer had to go sends it again."""
BYTES = 16 * 1024 * 1024
"""Sealed bytes of answers after which a transaction is made."""


@dataclass(frozen=True)
class OpenTask:
    """A task that this edge knows: whose it is and until when."""

    terminal: str
    deadline: int


@dataclass
class FieldPlan:
    """What one batch writes: entries with their sealed parts, and local rows."""

    drafts: list[Draft] = field(default_factory=list)
    keys: list[tuple[Key, str, Taken]] = field(default_factory=list)
    """Beside each draft: ledger key, report id, and what it comes to (without seq and hash)."""
    sealed: list[Sealed] = field(default_factory=list)
    seen: list[tuple[str, str, str, int]] = field(default_factory=list)
    batches: list[tuple[str, int, int, int, bytes, int]] = field(default_factory=list)
    used_parts: list[tuple[str, str]] = field(default_factory=list)
    receipts: list[Receipt] = field(default_factory=list)

    def touches(self, terminal: str, task_id: str) -> bool:
        """Whether an answer to this task is in the plan, taken or refused."""
        return any(own == terminal and row_id.partition("!")[0] == task_id for (own, row_id), _, _ in self.keys)


class FieldDesk:
    """Takes what terminals say apart from reports."""

    def __init__(
        self,
        node: NodeContext,
        client: MqttClient,
        spool: PartSpool,
        sender: TaskSender,
        statuses: StatusDesk,
        keys: KeyDesk,
    ) -> None:
        self._node = node
        self._client = client
        self._spool = spool
        self._sender = sender
        self.statuses = statuses
        self._keys = keys
        self._by = f"edge@{node.registry.plugins.get('edge', '0')}"
        self._waiting: OrderedDict[Key, tuple[AnswerMessage, frozenset[str]]] = OrderedDict()
        self.kept = self.refused = self.positions = 0

    @property
    def waiting(self) -> int:
        """Answers that wait for parts."""
        return len(self._waiting)

    def waiting_for(self, terminal: str, digest: str) -> list[AnswerMessage]:
        """The answers that waited for this part."""
        return [
            message
            for (whose, _), (message, missing) in self._waiting.items()
            if whose == terminal and digest in missing
        ]

    def work(self, verdicts: Sequence[FieldVerdict]) -> None:
        """Take a batch; raises what the journal raises (nothing of the batch is acknowledged then)."""
        plan = FieldPlan()
        for verdict in verdicts:
            if isinstance(verdict, Answered):
                if plan.touches(verdict.message.answer.terminal, verdict.message.answer.task_id):
                    plan = self._commit(plan)
                self._answer(plan, verdict)
            elif isinstance(verdict, Positions):
                self._positions(plan, verdict)
            elif isinstance(verdict, Said):
                self.statuses.heard(verdict.status)
                self._keys.heard(verdict.status, verdict.public_key)
            elif isinstance(verdict, Rotating):
                self._keys.asked([verdict])
            else:
                self._told(plan, verdict)
            if sum(one.size for one in plan.sealed) > BYTES:
                plan = self._commit(plan)
        self._commit(plan)
        self._sender.heard([verdict.seen for verdict in verdicts if isinstance(verdict, Told)])

    # -- answers ------------------------------------------------------------------------------------------

    def _answer(self, plan: FieldPlan, verdict: Answered) -> None:
        message, said = verdict.message, verdict.message.answer
        key = (said.terminal, said.task_id)
        found = find_answers(self._node.store, self._node.code, said.terminal, said.task_id, message.digest)
        taken = found.get(said.task_id)
        if taken is not None and taken.digest == message.digest:
            plan.receipts.append(self._receipt(said.terminal, said.report_id, taken))
        elif (refusal := found.get(refusal_id(said.task_id, message.digest))) is not None:
            plan.receipts.append(self._receipt(said.terminal, said.report_id, refusal))
        elif verdict.reason is not None or taken is not None:
            self._refuse(plan, message, verdict.reason or Reason.ID_REUSED)
        else:
            self._take(plan, message, key)

    def _take(self, plan: FieldPlan, message: AnswerMessage, key: Key) -> None:
        said = message.answer
        task = find_task(self._node.store, self._node.parent, said.task_id)
        guest = home_district(said.terminal) != self._node.parent  # its tasks are its own district's, unknown here
        if (task is None and not guest) or self._spool.is_full():
            self._say(plan, message, Reason.EDGE_FULL if self._spool.is_full() else Reason.UNKNOWN_TASK)
        elif task is not None and task.terminal != said.terminal:
            self._refuse(plan, message, Reason.NOT_YOUR_TASK)
        else:
            parts, missing = self._parts(message)
            if missing:
                self._wait(plan, message, key, missing)
            else:
                self._keep(plan, message, parts, late=task is not None and said.made_at > task.deadline)

    def _keep(self, plan: FieldPlan, message: AnswerMessage, parts: dict[str, bytes], *, late: bool) -> None:
        said = message.answer
        sealed = {digest: self._node.blobs.seal(content) for digest, content in parts.items()}
        attachments = [
            Attachment(one.role, one.digest, len(parts[one.digest]), one.media, sealed[one.digest].blob)
            for one in said.attachments
        ]
        body = TaskAnswered(
            said.task_id, said.terminal, said.report_id, to_b64(message.envelope), to_b64(message.signature),
            message.digest, said.result, said.made_at, late, attachments,
        )  # fmt: skip
        subject = answer_subject(self._node.code, said.task_id, said.terminal)
        plan.drafts.append(Draft("task.answered", subject, body, by=self._by, actor=said.terminal))
        taken = Taken(message.digest, 0, "", "kept", Reason.TOO_LATE.value if late else None)
        plan.keys.append(((said.terminal, said.task_id), said.report_id, taken))
        plan.sealed += sealed.values()
        plan.seen.append((said.terminal, said.task_id, "open", self._node.clock.now()))
        plan.used_parts += [(said.terminal, digest) for digest in parts if digest not in message.parts]
        self._waiting.pop((said.terminal, said.task_id), None)

    def _refuse(self, plan: FieldPlan, message: AnswerMessage, reason: Reason) -> None:
        """An authentic answer that is not taken: an entry, unless the reason may pass."""
        said = message.answer
        if reason.passing:
            self._say(plan, message, reason)
            return
        body = TaskRefused(
            said.task_id, said.terminal, said.report_id, to_b64(message.envelope), to_b64(message.signature),
            message.digest, reason.value,
        )  # fmt: skip
        subject = f"{answer_subject(self._node.code, said.task_id, said.terminal)}!{message.digest}"
        plan.drafts.append(Draft("task.refused", subject, body, by=self._by, actor=said.terminal))
        key = (said.terminal, refusal_id(said.task_id, message.digest))
        plan.keys.append((key, said.report_id, Taken(message.digest, 0, "", "refused", reason.value)))

    def _say(self, plan: FieldPlan, message: AnswerMessage, reason: Reason) -> None:
        said, now = message.answer, self._node.clock.now()
        plan.receipts.append(answers.refused(self._node.code, said.terminal, said.report_id, reason.value, now))

    def _wait(self, plan: FieldPlan, message: AnswerMessage, key: Key, missing: tuple[str, ...]) -> None:
        self._waiting[key] = (message, frozenset(missing))
        while len(self._waiting) > WAITING:
            self._waiting.popitem(last=False)
        said, now = message.answer, self._node.clock.now()
        plan.receipts.append(answers.wanted(self._node.code, said.terminal, said.report_id, missing, now))

    def _parts(self, message: AnswerMessage) -> tuple[dict[str, bytes], tuple[str, ...]]:
        """The contents of an answer's attachments, inline or spooled, and the digests of those not here."""
        said = message.answer
        parts: dict[str, bytes] = {}
        for digest in dict.fromkeys(one.digest for one in said.attachments):
            content = message.parts.get(digest) or self._spool.get(said.terminal, digest)
            if content is not None:
                parts[digest] = content
        return parts, tuple(one.digest for one in said.attachments if one.digest not in parts)

    # -- positions, and what terminals hold ------------------------------------------------------------------

    def _positions(self, plan: FieldPlan, verdict: Positions) -> None:
        batch = verdict.batch
        start, end = batch.fixes[0].at, batch.fixes[-1].at
        if is_sealed(self._node.store, self._node.code, batch.terminal, start, end):
            return
        row = (batch.terminal, start, end, len(batch.fixes), verdict.payload, self._node.clock.now())
        plan.batches.append(row)

    def _told(self, plan: FieldPlan, verdict: Told) -> None:
        seen, now = verdict.seen, self._node.clock.now()
        plan.seen += [(seen.terminal, ref.task_id, ref.status, now) for ref in seen.tasks]

    # -- writing ------------------------------------------------------------------------------------------

    def _commit(self, plan: FieldPlan) -> FieldPlan:
        """Write the plan and say so; a fresh plan."""

        def write(tx: Connection) -> None:
            for sealed in plan.sealed:
                self._node.blobs.add(tx, sealed)
            upsert_rows(tx, SeenRow, plan.seen)
            count_in(tx, ANSWERS, len(plan.drafts))
            count_in(tx, POSITIONS, _put_batches(tx, plan.batches))

        if plan.drafts:
            stored = self._node.journal.append(*plan.drafts, also=lambda tx, _: write(tx)).result()
            for (key, report_id, taken), item in zip(plan.keys, stored, strict=True):
                kept = Taken(taken.digest, item.seq, item.hash.hex(), taken.status, taken.reason)
                plan.receipts.append(self._receipt(key[0], report_id, kept))
                self._count(taken)
        elif plan.seen or plan.batches:
            self._node.store.write(write).result()
        self.positions += sum(fixes for _, _, _, fixes, _, _ in plan.batches)
        for receipt in plan.receipts:
            answers.send(self._client, receipt)
        for terminal, digest in plan.used_parts:
            self._spool.drop(terminal, digest)
        return FieldPlan()

    def _count(self, taken: Taken) -> None:
        if taken.status == "kept":
            self.kept += 1
        else:
            self.refused += 1

    def _receipt(self, terminal: str, report_id: str, taken: Taken) -> Receipt:
        node = self._node
        cosign: Cosign | None = node.journal.best_cosign(node.code, by=node.parent) if node.parent else None
        return answers.kept(node.code, terminal, report_id, taken, node.clock.now(), cosign)


def _put_batches(tx: Connection, batches: Sequence[tuple[str, int, int, int, bytes, int]]) -> int:
    """Keep batches of positions; how many positions more there are than before (a batch may come again)."""
    row = table(TrackBatchRow).c
    newest = {(terminal, start): (terminal, start, *rest) for terminal, start, *rest in batches}
    more = 0
    for (terminal, start), batch in newest.items():
        query = select(row.fixes).where(row.terminal == terminal, row.start == start)
        more += int(batch[3]) - int(tx.execute(query).scalar() or 0)  # type: ignore[call-overload]
    upsert_rows(tx, TrackBatchRow, list(newest.values()))
    return more


def find_task(store: Store, district: str | None, task_id: str) -> OpenTask | None:
    """A task of this edge's district, whatever its state."""
    row = table(TaskRow).c
    query = select(row.terminal, row.deadline).where(row.district == district, row.task_id == task_id)
    with store.reader() as connection:
        found = connection.execute(query).one_or_none()
    return None if found is None else OpenTask(found.terminal, found.deadline)


def find_answers(store: Store, edge: str, terminal: str, task_id: str, digest: str) -> dict[str, Taken]:
    """What this edge journaled about an answer: under the task's id, and under its refusal's."""
    row, entry = table(AnswerRow).c, table(EntryRow).c
    query = (
        select(row.task_id, row.digest, row.seq, entry.hash, row.status, row.reason)
        .join_from(table(AnswerRow), table(EntryRow), (entry.origin == row.edge) & (entry.seq == row.seq))
        .where(row.edge == edge, row.terminal == terminal, row.task_id.in_([task_id, refusal_id(task_id, digest)]))
    )
    with store.reader() as connection:
        return {
            key: Taken(held, seq, bytes(hash_).hex(), status, reason)
            for key, held, seq, hash_, status, reason in connection.execute(query)
        }


def is_sealed(store: Store, edge: str, terminal: str, start: int, end: int) -> bool:
    """Whether positions of these times are in a segment of this edge already."""
    row = table(TrackRow).c
    query = select(row.seq).where(row.edge == edge, row.terminal == terminal, row.start <= start, row.end >= end)
    with store.reader() as connection:
        return connection.execute(query.limit(1)).first() is not None
