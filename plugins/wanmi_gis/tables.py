"""Projections of the imported base data: divisions, unit grids, components, each row with the entry that said so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

import orjson
from sqlalchemy import BigInteger, Connection, Index, Integer, String, Text, bindparam, select, update
from sqlalchemy.orm import Mapped, mapped_column

from wanmi.entries import Entry
from wanmi.errors import BadInput
from wanmi.journal import body_of
from wanmi.models import Row, mark, table
from wanmi.store import upsert_rows
from wanmi_gis.kinds import (
    ComponentItem,
    ComponentsImported,
    DivisionItem,
    DivisionsImported,
    GridItem,
    GridsImported,
)

Item = TypeVar("Item", DivisionItem, ComponentItem)


class DivisionRow(Row):
    """A division as it was from `begins` until `ends` (null: now). `parts` JSON: polygons of rings, or null."""

    __tablename__ = "division"
    code: Mapped[str] = mapped_column(String(12), primary_key=True)
    begins: Mapped[str] = mapped_column(String(10), primary_key=True)
    ends: Mapped[str | None] = mapped_column(String(10))
    level: Mapped[str] = mapped_column(String(10))
    name: Mapped[str] = mapped_column(Text)
    name_en: Mapped[str] = mapped_column(Text)
    parent: Mapped[str] = mapped_column(String(12))
    schematic: Mapped[int] = mapped_column(Integer)
    parts: Mapped[str] = mapped_column(Text)
    origin: Mapped[str] = mapped_column(String(10))
    seq: Mapped[int] = mapped_column(BigInteger)
    __table_args__ = mark("projection", Index("division_parent", "parent"))


class UnitGridRow(Row):
    """A unit grid; its code is its key for ever. `rings` JSON as in the entry; in force while `ends` is null."""

    __tablename__ = "unit_grid"
    code: Mapped[str] = mapped_column(String(15), primary_key=True)
    community: Mapped[str] = mapped_column(String(12))
    district: Mapped[str] = mapped_column(String(6))
    area_m2: Mapped[int] = mapped_column(BigInteger)
    begins: Mapped[str] = mapped_column(String(10))
    ends: Mapped[str | None] = mapped_column(String(10))
    schematic: Mapped[int] = mapped_column(Integer)
    rings: Mapped[str] = mapped_column(Text)
    origin: Mapped[str] = mapped_column(String(10))
    seq: Mapped[int] = mapped_column(BigInteger)
    __table_args__ = mark("projection", Index("unit_grid_community", "community"))


class ComponentRow(Row):
    """A component's state from `begins` until `ends` (null: now). Its `category` has the digits of the catalogue then active."""

    __tablename__ = "component"
    code: Mapped[str] = mapped_column(String(20), primary_key=True)
    begins: Mapped[str] = mapped_column(String(10), primary_key=True)
    ends: Mapped[str | None] = mapped_column(String(10))
    district: Mapped[str] = mapped_column(String(6))
    category: Mapped[str] = mapped_column(String(8))
    name: Mapped[str] = mapped_column(Text)
    grid: Mapped[str] = mapped_column(String(15))
    lon_e7: Mapped[int] = mapped_column(BigInteger)
    lat_e7: Mapped[int] = mapped_column(BigInteger)
    state: Mapped[str] = mapped_column(Text)
    authority: Mapped[str] = mapped_column(Text)
    owner: Mapped[str] = mapped_column(Text)
    keeper: Mapped[str] = mapped_column(Text)
    data_source: Mapped[str] = mapped_column(Text)
    note: Mapped[str] = mapped_column(Text)
    origin: Mapped[str] = mapped_column(String(10))
    seq: Mapped[int] = mapped_column(BigInteger)
    __table_args__ = mark("projection", Index("component_grid", "grid"), Index("component_category", "category"))


DIVISION, UNIT_GRID, COMPONENT = table(DivisionRow), table(UnitGridRow), table(ComponentRow)


def division_subject(parent: str) -> str:
    """The subject of the divisions under a parent."""
    return f"divisions:{parent or 0}"


def grid_subject(code: str) -> str:
    """The subject of a grid: its community's."""
    return f"grids:{code[:12]}"


def component_subject(code: str) -> str:
    """The subject of a component: its district's and category's."""
    return f"components:{code[:6]}:{code[6:-6]}"


def project_divisions(tx: Connection, entries: Sequence[Entry]) -> None:
    """Divisions: a changed one ends the row before it. Only the city (or a node of that region) may say so."""
    for entry in entries:
        items = body_of(entry, DivisionsImported).rows
        for item in items:
            _check_place(entry, item.code, division_subject(item.parent))
            if not item.code.startswith(_region(entry.origin)):
                raise BadInput(f"division {item.code}: not in the region of node {entry.origin}")
        ended, fresh = _successions(_open(tx, DIVISION, [item.code for item in items]), items)
        _end(tx, DIVISION, ended)
        upsert_rows(tx, DivisionRow, [_division_tuple(item, entry) for item in fresh])


def project_components(tx: Connection, entries: Sequence[Entry]) -> None:
    """Components: a changed one ends the row before it. Only their district may say so."""
    for entry in entries:
        items = body_of(entry, ComponentsImported).rows
        for item in items:
            _check_place(entry, item.code, component_subject(item.code))
            _check_owner(entry, item.code)
        ended, fresh = _successions(_open(tx, COMPONENT, [item.code for item in items]), items)
        _end(tx, COMPONENT, ended)
        upsert_rows(tx, ComponentRow, [_component_tuple(item, entry) for item in fresh])


def project_grids(tx: Connection, entries: Sequence[Entry]) -> None:
    """Unit grids: new ones, and ends of old ones; a code never gets another border. Only their district may say so."""
    for entry in entries:
        items = body_of(entry, GridsImported).rows
        known = _grids(tx, [item.code for item in items])
        for item in items:
            _check_place(entry, item.code, grid_subject(item.code))
            _check_owner(entry, item.code)
            check_grid_change(item, known.get(item.code))
        upsert_rows(tx, UnitGridRow, [_grid_tuple(item, entry) for item in items])


def check_grid_change(item: GridItem, known: Any) -> None:
    """BadInput if a grid's code is used again: with another border, or after it ended."""
    if known is None:
        return
    if orjson.loads(known.rings) != item.rings or known.begins != item.begins:
        raise BadInput(
            f"grid {item.code}: its code has another border since {known.begins}; codes are not used again: "
            f"end it and give the changed grid a new number"
        )
    if known.ends is not None and known.ends != item.ends:
        raise BadInput(f"grid {item.code}: ended on {known.ends}; codes are not used again, take a new number")


def _check_place(entry: Entry, code: str, subject: str) -> None:
    if entry.subject != subject:
        raise BadInput(f"{code}: belongs to subject {subject}, not {entry.subject}")


def _check_owner(entry: Entry, code: str) -> None:
    if not code.startswith(entry.origin):
        raise BadInput(f"{code}: belongs to district {code[:6]}; node {entry.origin} cannot speak for it")


def _region(origin: str) -> str:
    """The code prefix of a node's region: a city's four digits, a district's six."""
    return origin[:4] if origin.endswith("00") else origin


def _open(tx: Connection, target: Any, codes: Sequence[str]) -> Mapping[str, str]:
    """`begins` of the rows in force of some codes."""
    query = select(target.c.code, target.c.begins).where(target.c.code.in_(codes), target.c.ends.is_(None))
    return {row.code: row.begins for row in tx.execute(query)}


def _successions(known: Mapping[str, str], items: Sequence[Item]) -> tuple[list[dict[str, str]], list[Item]]:
    """What ends (key and date), and the items that become rows; an item of the row's own date replaces it."""
    ended = []
    for item in items:
        begins = known.get(item.code, item.begins)
        if item.begins < begins:
            raise BadInput(f"{item.code}: begins {item.begins}, before the row in force since {begins}; mend the date")
        if item.begins > begins:
            ended.append({"of": item.code, "since": begins, "until": item.begins})
    return ended, list(items)


def _end(tx: Connection, target: Any, ended: list[dict[str, str]]) -> None:
    if ended:
        which = (target.c.code == bindparam("of")) & (target.c.begins == bindparam("since"))
        tx.execute(update(target).where(which).values(ends=bindparam("until")), ended)


def _grids(tx: Connection, codes: Sequence[str]) -> Mapping[str, Any]:
    return {row.code: row for row in tx.execute(select(UNIT_GRID).where(UNIT_GRID.c.code.in_(codes)))}


def _division_tuple(item: DivisionItem, entry: Entry) -> tuple[Any, ...]:
    return (
        item.code, item.begins, item.ends, item.level, item.name, item.name_en, item.parent, int(item.schematic),
        orjson.dumps(item.parts).decode(), entry.origin, entry.seq,
    )  # fmt: skip


def _grid_tuple(item: GridItem, entry: Entry) -> tuple[Any, ...]:
    return (
        item.code, item.code[:12], item.code[:6], item.area_m2, item.begins, item.ends, int(item.schematic),
        orjson.dumps(item.rings).decode(), entry.origin, entry.seq,
    )  # fmt: skip


def _component_tuple(item: ComponentItem, entry: Entry) -> tuple[Any, ...]:
    return (
        item.code, item.begins, item.ends, item.code[:6], item.code[6:-6], item.name, item.grid, item.lon_e7,
        item.lat_e7, item.state, item.authority, item.owner, item.keeper, item.data_source, item.note, entry.origin,
        entry.seq,
    )  # fmt: skip
