"""`wanmi import divisions|grids|components FILE`: a file's good rows become entries, its bad rows are told one by one.

Rows that the node already has, unchanged, make no entry, so the same file again adds nothing. The rest goes by subject
into chunks below the entry's limit. With `strict` one bad row refuses the file.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import msgspec

from wanmi.codes import BadRow
from wanmi.coords import Datum, parse_datum
from wanmi.entries import EVERYONE, MAX_RAW, Audience
from wanmi.errors import BadInput, NotAllowed
from wanmi.registry import AdminResult, Draft, Progress
from wanmi_gis import component_import, division_import, grid_import
from wanmi_gis.kinds import (
    ComponentItem,
    ComponentsImported,
    Dataset,
    DivisionItem,
    DivisionsImported,
    GridItem,
    GridsImported,
)
from wanmi_gis.reading import Source, read_source
from wanmi_gis.tables import component_subject, division_subject, grid_subject

if TYPE_CHECKING:
    from wanmi.registry import NodeContext

ENVELOPE_ROOM = 2048
"""Bytes kept free in an entry for the envelope and the body's other fields."""
CHUNK = MAX_RAW - ENVELOPE_ROOM
GROUP = 32
"""Entries that are appended, and reported on, at a time."""
AnyItem = DivisionItem | GridItem | ComponentItem


@dataclass(frozen=True)
class Plan:
    """What a file comes to: items to journal, rows refused, and how many are here already."""

    items: Sequence[AnyItem]
    bad: Sequence[BadRow]
    unchanged: int


def run_import(node: NodeContext, arguments: Mapping[str, Any]) -> Iterator[Progress | AdminResult]:
    """The admin action: {dataset, file, datum?, strict?}; `file` is a path on the node's machine.

    Answers {dataset, file, sha256, datum, journaled, unchanged, refused: [{row, reason}], entries, taken}.
    """
    dataset = _dataset(arguments.get("dataset"))
    _check_right(node, dataset)
    named = arguments.get("datum")
    datum: Datum | None = parse_datum(str(named)) if named else None
    source = read_source(Path(str(arguments.get("file", ""))), datum)
    yield Progress(0, len(source.rows), f"{source.name}: {len(source.rows)} rows read, checking")
    plan = _plan(node, dataset, source)
    taken = not (plan.bad and arguments.get("strict"))
    drafts = list(_drafts(node, dataset, source.sha256, plan.items)) if taken else []
    done = 0
    for start in range(0, len(drafts), GROUP):
        group = drafts[start : start + GROUP]
        node.journal.append(*group).result()
        done += len(group)
        yield Progress(done, len(drafts), f"{source.name}: {done} of {len(drafts)} entries journaled")
    yield {
        "dataset": dataset, "file": source.name, "sha256": source.sha256, "datum": source.datum, "taken": taken,
        "journaled": len(plan.items) if taken else 0, "unchanged": plan.unchanged, "entries": len(drafts),
        "refused": [{"row": bad.row, "reason": bad.reason} for bad in plan.bad],
    }  # fmt: skip


def _plan(node: NodeContext, dataset: Dataset, source: Source) -> Plan:
    if dataset == "divisions":
        return Plan(*division_import.plan(node, source))
    return Plan(*(grid_import.plan(node, source) if dataset == "grids" else component_import.plan(node, source)))


def _dataset(name: object) -> Dataset:
    known: tuple[Dataset, ...] = get_args(Dataset)
    for dataset in known:
        if dataset == name:
            return dataset
    raise BadInput(f"dataset {name!r}: unknown; one of {', '.join(known)}")


def _check_right(node: NodeContext, dataset: Dataset) -> None:
    """Divisions belong to the city (or to a district without one), grids and components to their district."""
    if dataset == "divisions":
        if node.role == "edge" or node.parent is not None:
            raise NotAllowed(f"node {node.code}: divisions are the city's; import them at node {node.parent}")
    elif node.role != "district":
        raise NotAllowed(f"node {node.code}: {dataset} belong to a district; import them at its node")


def _audience(node: NodeContext, dataset: Dataset) -> Audience:
    if dataset == "divisions":
        return EVERYONE
    return (node.parent,) if node.parent else ()


def _drafts(node: NodeContext, dataset: Dataset, sha256: str, items: Sequence[AnyItem]) -> Iterator[Draft]:
    subjects: dict[str, list[AnyItem]] = {}
    for item in items:
        subjects.setdefault(_subject(item), []).append(item)
    for subject in sorted(subjects):
        chunks = list(chunked(subjects[subject]))
        for number, chunk in enumerate(chunks, start=1):
            body = _body(dataset, sha256, number, len(chunks), chunk)
            yield Draft(f"{dataset}.imported", subject, body, audience=_audience(node, dataset))


def _subject(item: AnyItem) -> str:
    if isinstance(item, DivisionItem):
        return division_subject(item.parent)
    return grid_subject(item.code) if isinstance(item, GridItem) else component_subject(item.code)


def _body(dataset: Dataset, sha256: str, chunk: int, chunks: int, rows: Sequence[Any]) -> msgspec.Struct:
    kinds: dict[Dataset, type[DivisionsImported | GridsImported | ComponentsImported]] = {
        "divisions": DivisionsImported,
        "grids": GridsImported,
        "components": ComponentsImported,
    }
    return kinds[dataset](dataset, sha256, chunk, chunks, "WGS84", list(rows))


def chunked(items: Sequence[AnyItem]) -> Iterator[list[AnyItem]]:
    """The items in lists whose JSON stays below CHUNK bytes; each item alone must."""
    chunk: list[AnyItem] = []
    size = 0
    for item in items:
        bytes_ = item_size(item)
        if chunk and size + bytes_ > CHUNK:
            yield chunk
            chunk, size = [], 0
        chunk.append(item)
        size += bytes_
    if chunk:
        yield chunk


def item_size(item: AnyItem) -> int:
    """Bytes of an item in an entry, its comma counted."""
    return len(msgspec.json.encode(item)) + 1
