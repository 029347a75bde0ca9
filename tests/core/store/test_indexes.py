"""A database that an older program made gets this program's indexes."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import inspect, text

from wanmi.models import CaseRow
from wanmi.store import Store


def indexes(store: Store) -> dict[str, list[str | None]]:
    return {str(one["name"]): one["column_names"] for one in inspect(store.writing).get_indexes("case_")}


@pytest.fixture
def old(tmp_path: Path) -> tuple[str, dict[str, list[str | None]]]:
    """A database with an index less, one more, and one that is another than today's; and how they are today."""
    url = f"sqlite:///{tmp_path}/journal.db"
    store = Store.open(url, [CaseRow])
    today = indexes(store)
    changes = ("DROP INDEX case_stage", "DROP INDEX case_opened", "CREATE INDEX case_opened ON case_ (opened_at)")
    for change in (*changes, "CREATE INDEX case_old ON case_ (district, stage)"):
        store.write(lambda tx, change=change: tx.execute(text(change))).result()  # type: ignore[misc]
    assert indexes(store) != today
    store.close()
    return url, today


def test_the_indexes_become_those_of_this_program(old: tuple[str, dict[str, list[str | None]]]) -> None:
    url, today = old
    store = Store.open(url, [CaseRow])
    assert indexes(store) == today
    assert today["case_opened"][:2] == ["opened_at", "number"]
    store.close()
