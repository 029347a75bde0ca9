"""What was not taken in: listed with its reason, and looked at again when a person says so.

Three kinds: refused reports and refused answers have an entry (id ``e<seq>``), junk has a row in a ring (``j<n>``). Whether
a second look makes sense is found by looking: by the terminals, the catalogue and the limits of now.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import Connection, select, update

from wanmi.errors import NotFound, WanmiError
from wanmi.journal.projecting import body_of
from wanmi.kinds import ReportRefused
from wanmi.models import ReportRow, table
from wanmi.registry import NodeContext
from wanmi.reports import Reason, encode_message, key_id, reason_text, report_topic
from wanmi.reports.envelope import from_b64
from wanmi_edge.rows import JunkRow
from wanmi_edge.verdicts import Answered, Good, Judge, Junk, Later, No, Positions, Verdict

RETRIED = "retried"
"""The reason of a junk row that was taken in after all."""
What = Literal["report", "junk"]
_NEVER = frozenset({Reason.ID_REUSED})
"""What no second look can change: the id is taken."""
_ADVICE: dict[str, tuple[str, str]] = {
    Reason.UNKNOWN_TERMINAL: ("在区级节点登记该终端后重试", "admit the terminal at the district, then retry"),
    Reason.REVOKED_TERMINAL: (
        "终端已注销；重新登记后可重试",
        "the terminal is revoked; after it is admitted anew, retry",
    ),
    Reason.BAD_SIGNATURE: (
        "核对终端密钥：可能换过机或被冒用",
        "check the terminal's key: exchanged, or somebody else's",
    ),
    Reason.FUTURE_TIME: ("校准终端或本机时钟后重试", "set the clock of the terminal, or of this edge, then retry"),
    Reason.OUTSIDE_CITY: ("核对坐标系与区域设置 region.bbox", "check the datum, and region.bbox of this edge"),
    Reason.UNKNOWN_CATEGORY: ("核对业务配置中的小类", "check the category in the profile"),
    Reason.PHOTO_TOO_BIG: ("核对 edge.intake.photo_mib", "check edge.intake.photo_mib of this edge"),
    Reason.NO_POSITION: ("采集员需在有定位时重新上报", "the collector reports again, with a fix"),
}


@dataclass(frozen=True)
class RefusedItem:
    """Something that was not taken in; times µs UTC. ``again``: a second look would take it in now.

    ``why_not`` says why not, if not. ``payload`` is the message, None where it was not kept whole.
    """

    id: str
    what: What
    at: int
    topic: str
    terminal: str | None
    report_id: str | None
    reason: str
    detail: str
    size: int
    payload: bytes | None

    def text(self, language: Literal["zh", "en"]) -> str:
        """The reason in words."""
        return reason_text(self.reason, language)

    def advice(self, language: Literal["zh", "en"]) -> str:
        """What to do about it; empty where there is nothing."""
        texts = _ADVICE.get(self.reason, ("", ""))
        return texts[0] if language == "zh" else texts[1]


def list_refused(node: NodeContext, limit: int, before: str = "") -> list[RefusedItem]:
    """The newest ``limit`` of each kind, newest first; ``before`` (an id) continues a list of that kind."""
    with node.store.reader() as tx:
        junk = [] if before.startswith("e") else list(_junk(tx, limit, before))
        seqs = [] if before.startswith("j") else _refused_seqs(tx, node.code, limit, before)
    found = [*junk, *(item for seq in seqs if (item := _entry_item(node, seq)) is not None)]
    return sorted(found, key=lambda item: item.at, reverse=True)


def find_refused(node: NodeContext, id: str) -> RefusedItem:
    """One of them; NotFound."""
    number = int(id[1:]) if id[1:].isdecimal() else 0
    item = None
    if id.startswith("e"):
        item = _entry_item(node, number)
    elif id.startswith("j"):
        with node.store.reader() as tx:
            item = next(_junk(tx, 1, f"j{number + 1}"), None)
    if item is None or item.id != id:
        raise NotFound(f"nothing refused has the id {id!r}; the list of refused messages shows what there is")
    return item


def why_not_again(node: NodeContext, judge: Judge, item: RefusedItem) -> str:
    """Why a second look would not take it in now; empty when it would. In English, for logs and the API."""
    if item.reason == RETRIED or (item.what == "report" and _is_kept(node, item)):
        return "it was taken in meanwhile"
    if item.payload is None:
        return "the message was not kept whole: only its terminal can send it again"
    if item.reason in _NEVER:
        return reason_text(item.reason, "en")
    verdict = judge.judge(item.topic, item.payload, "application/json", node.clock.now())
    return "" if takes_in(verdict) else f"still refused: {reason_text(reason_of(verdict), 'en')}"


def takes_in(verdict: Verdict) -> bool:
    """Whether a verdict takes something in that is durable then."""
    return isinstance(verdict, Good | Positions) or (isinstance(verdict, Answered) and verdict.reason is None)


def reason_of(verdict: Verdict) -> str:
    """Why a verdict does not take something in."""
    if isinstance(verdict, No | Later | Junk | Answered):
        return str(verdict.reason)
    return "bad_topic"


class Retries:
    """Second looks that wait for the intake's thread: only that one takes things in."""

    def __init__(self) -> None:
        self._asked: list[tuple[RefusedItem, Future[str]]] = []

    def ask(self, item: RefusedItem) -> Future[str]:
        """Ask for a second look: ``taken``, or the reason why not, when it is durable."""
        future: Future[str] = Future()
        self._asked.append((item, future))
        return future

    def work(self, look: Callable[[RefusedItem], str]) -> None:
        """In the intake's thread: look at what was asked for."""
        while self._asked:
            item, future = self._asked.pop(0)
            try:
                future.set_result(look(item))
            except (
                WanmiError
            ) as error:  # the journal is held, the disk is full: told to who asked; anything else ends the task
                future.set_exception(error)


def mark_retried(node: NodeContext, item: RefusedItem) -> None:
    """A junk message was taken in after all: say so in its row."""
    row = table(JunkRow)
    n = int(item.id[1:])
    node.store.write(lambda tx: tx.execute(update(row).where(row.c.n == n).values(reason=RETRIED))).result()


def _refused_seqs(tx: Connection, edge: str, limit: int, before: str) -> list[int]:
    row = table(ReportRow).c
    query = select(row.seq).where(row.edge == edge, row.status == "refused").order_by(row.seq.desc()).limit(limit)
    if before:
        query = query.where(row.seq < int(before[1:] or 0))
    return list(tx.execute(query).scalars())


def _entry_item(node: NodeContext, seq: int) -> RefusedItem | None:
    stored = node.journal.entry(node.code, seq)
    entry = stored.entry if stored is not None else None
    if entry is None or entry.kind != "report.refused":
        return None
    said = body_of(entry, ReportRefused)
    return RefusedItem(
        f"e{seq}", "report", entry.at, report_topic(said.terminal), said.terminal, said.report_id, said.reason, "",
        len(said.envelope), _message(said),
    )  # fmt: skip


def _message(said: ReportRefused) -> bytes:
    """The terminal's message without its inline parts: those it sends again when it is asked for them."""
    return encode_message(from_b64(said.envelope), from_b64(said.sig), key_id(b""), {})


def _is_kept(node: NodeContext, item: RefusedItem) -> bool:
    row = table(ReportRow).c
    query = select(row.seq).where(
        row.edge == node.code, row.report_id == item.report_id, row.terminal == item.terminal, row.status == "kept"
    )
    with node.store.reader() as tx:
        return tx.execute(query).first() is not None


def _junk(tx: Connection, limit: int, before: str) -> Iterator[RefusedItem]:
    row = table(JunkRow).c
    query = select(table(JunkRow)).order_by(row.n.desc()).limit(limit)
    if before:
        query = query.where(row.n < int(before[1:] or 0))
    for one in tx.execute(query):
        parts = one.topic.split("/")
        terminal = parts[2] if len(parts) > 3 and parts[:2] == ["wanmi", "v1"] else None
        whole = bytes(one.sample) if len(one.sample) == one.size else None
        yield RefusedItem(
            f"j{one.n}", "junk", one.at, one.topic, terminal, None, one.reason, one.detail, one.size, whole
        )
