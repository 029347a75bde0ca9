"""A table that was changed without a migration is noticed here: stored databases of released schemas are opened."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.released import all_plugins, brought, forgotten, schemas, stored_sqlite
from wanmi.store.migrations import SCHEMA


@pytest.mark.parametrize("schema", schemas())
def test_databases_of_released_schemas_become_this_programs(schema: int, tmp_path: Path) -> None:
    registry = all_plugins()
    store = brought(stored_sqlite(schema, tmp_path), registry)
    told = forgotten(store, registry)
    store.close()
    assert told == [], "read the docstring of wanmi.store.migrations: a step is missing"


def test_stored_schemas_are_known() -> None:
    assert schemas()[0] == 1
    assert schemas()[-1] <= SCHEMA
