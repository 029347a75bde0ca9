"""Steps that bring the journal and local tables of an older release to this one's: forward only, one after another.

A new database is made as ``models`` and the plugins' rows say. Step *n* of ``STEPS`` brings an existing one from schema
*n* to *n* + 1, with Alembic's operations; ``wanmi migrate`` runs what is missing in one transaction and then makes every
projection anew by replay. So a change of a release that was given to somebody needs:

a new table, a new index          nothing: they are made when the database is opened
a changed journal or local table  a step here (a module ``vN_what.py``); a plugin's table is looked for first: ``has``
a changed projection              nothing if its columns changed: the database is refused until it is migrated. If only
                                  its rows come out otherwise, or a new one takes kinds that were there before:
                                  ``projections_anew``

The tests open a stored database of each released schema and say which of these was forgotten.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from alembic.operations import Operations

Step = Callable[["Operations"], None]


def projections_anew(_op: Operations) -> None:
    """A step that changes no table: projections come out otherwise than before, and migrating makes them anew."""


STEPS: tuple[Step, ...] = ()
SCHEMA = 1 + len(STEPS)
"""Version of the journal and local tables; a database of another one is refused when it is opened."""


def has(op: Operations, table: str) -> bool:
    """Whether the database has the table: a node has those of the plugins that were ever enabled in it."""
    from sqlalchemy import inspect

    return inspect(op.get_bind()).has_table(table)
