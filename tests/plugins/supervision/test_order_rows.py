"""How orders stand, tried with any times; and rows that are the same whichever chain came first."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, delete, insert, select

from wanmi.entries import ENVELOPE_V, Entry
from wanmi.errors import BadInput
from wanmi.journal.order_rows import OrderRow, project_orders
from wanmi.models import table
from wanmi.node import Node
from wanmi.order_kinds import OrderState, is_late, order_state
from wanmi.testing import small_node
from wanmi_supervision.queues import is_state

CITY, DISTRICT = "210100", "210102"
STATES: tuple[OrderState, ...] = ("open", "late", "answered", "closed")
times = st.integers(0, 20)
maybe = st.none() | times


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    dir: Path = tmp_path_factory.mktemp("rows")
    with small_node(dir / "node") as made:
        yield made


@given(times, maybe, maybe, times)
def test_every_order_is_in_one_state(reply_by: int, answered: int | None, closed: int | None, now: int) -> None:
    state = order_state(reply_by, answered, closed, now)
    late = is_late(reply_by, answered, closed, now)
    assert (state == "closed") == (closed is not None)
    assert (state in ("answered", "closed")) or (answered is None)
    if state in ("open", "late"):
        assert late == (state == "late") == (now > reply_by)
    if answered is not None and answered <= reply_by:
        assert not late


@given(times, maybe, maybe, times)
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_queues_say_the_same(node: Node, reply_by: int, answered: int | None, closed: int | None, now: int) -> None:
    row = table(OrderRow)

    def tried(tx: Connection) -> list[str]:
        tx.execute(delete(row))
        tx.execute(insert(row).values(
            order_id="o", district=DISTRICT, reply_by=reply_by, answered_at=answered, closed_at=closed
        ))  # fmt: skip
        found = [one for one in STATES if tx.execute(select(row.c.order_id).where(is_state(one, now))).first()]
        tx.execute(delete(row))
        return list(found)

    assert node.store.write(tried).result() == [order_state(reply_by, answered, closed, now)]


def entry(origin: str, seq: int, version: int, kind: str, body: dict[str, object]) -> Entry:
    subject = f"order:{CITY}:o1"
    return Entry(
        ENVELOPE_V, origin, seq, seq * 10, "*", kind, 1, subject, version, f"p-{seq}", "wanmi@0", None, body, "0" * 32
    )


def issued() -> Entry:
    body: dict[str, object] = {
        "order_id": "o1", "kind": "hand_down", "district": DISTRICT, "case": "210100-E0102-20261124-0001",
        "district_case": None, "press": None, "level": "normal", "demand": "now", "reply_by": 500, "by_place": None,
        "by_matter": None, "case_state": None,
    }  # fmt: skip
    return entry(CITY, 1, 1, "order.issued", body)


def closed() -> Entry:
    return entry(
        CITY, 2, 2, "order.closed", {"order_id": "o1", "district": DISTRICT, "result": "done", "opinion": "thanks"}
    )


def answered(n: int, answer: str) -> Entry:
    case = "210102-E0102-20261124-0001"
    return entry(
        DISTRICT, n, n, "order.answered", {"order_id": "o1", "answer": answer, "case": case, "opinion": f"said {n}"}
    )


def rows_after(node: Node, entries: list[Entry]) -> list[tuple[object, ...]]:
    def applied(tx: Connection) -> list[tuple[object, ...]]:
        tx.execute(delete(table(OrderRow)))
        for one in entries:
            project_orders(tx, [one])
        found = [tuple(row) for row in tx.execute(select(table(OrderRow)))]
        tx.execute(delete(table(OrderRow)))
        return found

    return list(node.store.write(applied).result())


@given(st.lists(st.booleans(), min_size=5, max_size=5), st.lists(st.sampled_from(["done", "returned"]), max_size=3))
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_whichever_chain_comes_first(node: Node, picks: list[bool], answers: list[str]) -> None:
    city = [issued(), closed()]
    district = [answered(1, "accepted"), *(answered(n, one) for n, one in enumerate(answers, 2))]
    mixed, left, right = [], list(city), list(district)
    for pick in picks:
        side = left if (pick and left) or not right else right
        if side:
            mixed.append(side.pop(0))
    mixed += left + right
    [row] = rows_after(node, city + district)
    assert rows_after(node, mixed) == [row]
    names = [column.name for column in table(OrderRow).columns]
    told = dict(zip(names, row, strict=True))
    assert told["answered_at"] == (20 if answers else None)
    assert told["answer"] == (answers[-1] if answers else None)
    assert (told["accepted_at"], told["closed_at"]) == (10, 20)


def test_what_does_not_fit_is_refused(node: Node) -> None:
    for entries, why in (
        ([closed()], "no such open order"),
        ([issued(), closed(), closed()], "no such open order"),
        ([entry("210103", 1, 1, "order.issued", dict(issued().body))], "issued once, under its own subject"),
    ):
        with pytest.raises(BadInput, match=why):
            rows_after(node, entries)


def test_another_districts_answer_is_not_this_ones(node: Node) -> None:
    foreign = entry("210103", 1, 1, "order.answered", dict(answered(1, "done").body))
    rows = rows_after(node, [issued(), foreign])
    by_district = {row[1]: row for row in rows}
    assert set(by_district) == {DISTRICT, "210103"}
    assert by_district["210103"][2] is None, "nobody issued it: no queue shows it"
