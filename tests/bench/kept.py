"""A store of very many cases that is written once and used by many runs of the bench.

    WANMI_KEPT=DIR python -m bench.kept      write it (or say that it is there); WANMI_CASES, WANMI_WALKED as in the bench

``DIR/kept.json`` says what the store was made from. It is used again only when that is what is asked for, when the
rows have this program's columns and the newest entry is where it was; else it is an error, and nothing is deleted.
The indexes are brought up to date by ``Store.open``.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path
from time import perf_counter

from sqlalchemy import Connection, func, inspect, select

from bench.million import Written, write_cases
from wanmi.clock import ManualClock
from wanmi.models import CORE_ROWS, CaseRow, EntryRow, table
from wanmi.store import Store
from wanmi.testing import small_node

SEED = 1
BEGIN = 1_500_000_000_000_000
"""µs UTC before everything that is written."""


@dataclass(frozen=True)
class Recipe:
    """What a store is made from: the same recipe, the same lives of cases (ending on the day of writing)."""

    cases: int
    walked: float
    seed: int = SEED


class NotKeptError(Exception):
    """A folder holds another store than the one that is asked for."""


def keep_cases(folder: Path, recipe: Recipe) -> Written:
    """Write the cases into ``folder/node`` and what they are into ``folder/kept.json``, which is written last."""
    node_dir = folder / "node"
    if node_dir.exists():
        raise NotKeptError(f"{node_dir}: was not written to its end; delete it")
    folder.mkdir(parents=True, exist_ok=True)
    with small_node(node_dir, plugins=["casework", "console"], clock=ManualClock(BEGIN)) as node:
        start = perf_counter()
        written = write_cases(node, recipe.cases, seed=recipe.seed, walked=recipe.walked)
        written.seconds = perf_counter() - start
    said = {"recipe": asdict(recipe), "schema": _schema(), "written": asdict(written)}
    (folder / "kept.json").write_text(json.dumps(said), encoding="utf-8")
    return written


def find_kept(folder: Path, recipe: Recipe) -> Written | None:
    """What is kept in the folder, None when nothing is; NotKeptError when it is not what the recipe makes."""
    note = folder / "kept.json"
    if not note.exists():
        return None
    said = json.loads(note.read_text(encoding="utf-8"))
    written = Written(**said["written"])
    for what, held, wanted in (
        ("recipe", said["recipe"], asdict(recipe)),
        ("schema", said["schema"], _schema()),
        ("store", _held(folder / "node"), (written.entries, written.cases, _schema())),
    ):
        if held != wanted:
            raise NotKeptError(f"{folder}: the {what} is {held}, wanted is {wanted}; delete it or name another folder")
    return written


def copy_kept(folder: Path, target: Path) -> None:
    """The kept node at another place, where it may be changed."""
    shutil.copytree(folder / "node", target)


def _schema() -> dict[str, list[str]]:
    """The columns of every core row."""
    return {table(row).name: [column.name for column in table(row).columns] for row in CORE_ROWS}


def _held(node_dir: Path) -> tuple[int, int, dict[str, list[str]]]:
    """(newest position, cases, columns) of the store as it lies there."""
    store = Store.open_to_read(f"sqlite:///{node_dir / 'journal.db'}")
    try:
        with store.reader() as tx:
            newest = tx.execute(select(func.max(table(EntryRow).c.pos))).scalar_one()
            cases = tx.execute(select(func.count()).select_from(table(CaseRow))).scalar_one()
            return newest, cases, _columns(tx)
    finally:
        store.close()


def _columns(tx: Connection) -> dict[str, list[str]]:
    inspector = inspect(tx)
    return {name: [str(one["name"]) for one in inspector.get_columns(name)] for name in _schema()}


if __name__ == "__main__":
    from bench.bench_cases import CASES, KEPT, WALKED

    asked = Recipe(CASES, WALKED)
    done = find_kept(Path(KEPT), asked) or keep_cases(Path(KEPT), asked)
    print(f"{KEPT}: {done.cases} cases, {done.entries} entries, written in {done.seconds:.0f} s")
