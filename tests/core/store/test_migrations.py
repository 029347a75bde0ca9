"""Databases of older schemas: refused when opened, migrated all or nothing, equal to a replay afterwards."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa
from sqlalchemy import Connection, create_engine, func, inspect, select, text

from support.live import wanmi
from support.released import all_plugins, brought, forgotten, schemas, stored_postgresql, stored_sqlite
from wanmi.errors import StoreError
from wanmi.journal import refill
from wanmi.journal.proof import database_source, verify_sources
from wanmi.models import CaseRow, EntryRow, table
from wanmi.registry import Registry
from wanmi.store import Store, schema
from wanmi.store.migrations import SCHEMA, Step, has, projections_anew
from wanmi.testing import small_node

if TYPE_CHECKING:
    from alembic.operations import Operations

COUNT = itertools.count()
POSTGRESQL = pytest.param("postgresql", marks=[pytest.mark.postgresql, pytest.mark.xdist_group("postgresql")])


@pytest.fixture(scope="module")
def registry() -> Registry:
    return all_plugins()


@pytest.fixture(params=["sqlite", POSTGRESQL])
def stored(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[int], str]:
    """URL of a stored database of a schema."""
    if request.param == "sqlite":
        return lambda schema: stored_sqlite(schema, tmp_path)
    base = request.getfixturevalue("postgresql_server")
    return lambda schema: stored_postgresql(schema, base, f"released_{next(COUNT)}")


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Let this program know more steps than it does."""

    def known(*more: Step) -> None:
        monkeypatch.setattr(schema, "STEPS", (*schema.STEPS, *more))
        monkeypatch.setattr(schema, "SCHEMA", SCHEMA + len(more))

    return known


def counted(url: str) -> tuple[int, int]:
    """Entries and cases in a database, whoever can open it."""
    store = Store.open_to_read(url)
    with store.reader() as connection:
        found = tuple(
            connection.execute(select(func.count()).select_from(table(row))).scalar_one() for row in (EntryRow, CaseRow)
        )
    store.close()
    return found  # type: ignore[return-value]


def migrate(url: str, registry: Registry, filled: Callable[[Connection], object] | None = None) -> schema.Migrated:
    """Migrate with the core's and every plugin's tables."""
    return Store.migrate(url, registry.rows.values(), filled or (lambda tx: refill(tx, registry)))


@pytest.mark.parametrize("released", schemas())
def test_a_stored_database_becomes_this_programs(
    stored: Callable[[int], str], released: int, registry: Registry
) -> None:
    url = stored(released)
    store = brought(url, registry)
    assert forgotten(store, registry) == []
    store.close()
    assert verify_sources([database_source("city", url)]).ok
    entries, cases = counted(url)
    assert entries >= 30
    assert cases >= 3


def test_migrating_again_changes_nothing(stored: Callable[[int], str], registry: Registry) -> None:
    url = stored(SCHEMA)
    before = counted(url)
    migrated = migrate(url, registry)
    assert (migrated.before, migrated.after) == (SCHEMA, SCHEMA)
    assert migrated.projections > 20
    store = Store.open(url, registry.rows.values())
    assert forgotten(store, registry) == []
    store.close()
    assert counted(url) == before


def _people_get_a_colour(op: Operations) -> None:
    op.add_column("person", sa.Column("colour", sa.Text(), nullable=False, server_default="red"))


def _people_lose_it(op: Operations) -> None:
    assert has(op, "person")
    assert not has(op, "of_a_plugin_that_was_never_here")
    with op.batch_alter_table("person") as person:
        person.drop_column("colour")


def test_steps_run_in_order_and_once(
    stored: Callable[[int], str], registry: Registry, steps: Callable[..., None]
) -> None:
    url = stored(SCHEMA)
    steps(_people_get_a_colour, _people_lose_it, projections_anew)
    with pytest.raises(StoreError, match=f"has schema {SCHEMA}, this program needs {SCHEMA + 3}: .*wanmi migrate DIR"):
        Store.open(url, registry.rows.values())
    migrated = migrate(url, registry)
    assert (migrated.before, migrated.after) == (SCHEMA, SCHEMA + 3)
    assert migrate(url, registry).before == SCHEMA + 3
    store = Store.open(url, registry.rows.values())
    assert forgotten(store, registry) == []
    store.close()


def test_what_fails_leaves_the_database_as_it_was(
    stored: Callable[[int], str], registry: Registry, steps: Callable[..., None]
) -> None:
    url = stored(SCHEMA)
    before = counted(url)

    def full(tx: Connection) -> None:
        refill(tx, registry)
        tx.execute(text("INSERT INTO nowhere VALUES (1)"))

    steps(_people_get_a_colour)
    with pytest.raises(StoreError, match="it stays as it was"):
        migrate(url, registry, full)
    assert counted(url) == before
    probe = create_engine(url)
    assert "colour" not in {column["name"] for column in inspect(probe).get_columns("person")}
    probe.dispose()


def test_a_newer_database_and_no_database_are_refused(
    stored: Callable[[int], str], registry: Registry, tmp_path: Path
) -> None:
    url = stored(SCHEMA)
    writing = create_engine(url)
    with writing.begin() as tx:
        tx.execute(text("UPDATE wanmi_schema SET version = 99"))
    writing.dispose()
    for attempt in (lambda: Store.open(url, registry.rows.values()), lambda: migrate(url, registry)):
        with pytest.raises(StoreError, match=f"has schema 99, this program knows {SCHEMA}; upgrade the program"):
            attempt()
    with pytest.raises(StoreError, match="wanmi init"):
        migrate(f"sqlite:///{tmp_path / 'empty.db'}", registry)


@pytest.mark.parametrize(
    ("change", "advice"),
    [
        ("ALTER TABLE case_ DROP COLUMN final", "final is missing.*wanmi migrate DIR"),
        ("ALTER TABLE case_ ADD COLUMN more TEXT", "more is not known.*wanmi migrate DIR"),
        ("ALTER TABLE blob ADD COLUMN more TEXT", "more is not known.*another program"),
    ],
)
def test_other_columns_are_refused_when_opened(
    stored: Callable[[int], str], registry: Registry, change: str, advice: str
) -> None:
    url = stored(SCHEMA)
    writing = create_engine(url)
    with writing.begin() as tx:
        tx.execute(text(change))
    writing.dispose()
    with pytest.raises(StoreError, match=advice):
        Store.open(url, registry.rows.values())
    if "case_" in change:
        migrate(url, registry)
        Store.open(url, registry.rows.values()).close()


def test_the_command(tmp_path: Path) -> None:
    with small_node(tmp_path / "node") as node:
        assert "in use by process" in wanmi("migrate", node.dir).stderr
    writing = create_engine(f"sqlite:///{node.dir}/journal.db")
    with writing.begin() as tx:
        tx.execute(text("DROP TABLE node"))
        tx.execute(text("CREATE TABLE node (code VARCHAR(10) PRIMARY KEY)"))
    writing.dispose()
    assert "wanmi migrate DIR" in wanmi("status", node.dir).stderr
    done = wanmi("migrate", node.dir, "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["after"] == SCHEMA
    assert "210102 district" in wanmi("status", node.dir).stdout
