"""Routing that explains itself: category × place × time × source to department, collector and limit.

The desk asks ``suggest(node, case, at)``; rules and their matching are pure (``route``).
"""

from __future__ import annotations

from wanmi_casework.routing.answer import Claim, Limit, Line, NearMiss, Route
from wanmi_casework.routing.arbitration import arbitrate, contest_draft, find_arbitration, queue, refuse_contested
from wanmi_casework.routing.book import Book
from wanmi_casework.routing.conditions import Facts
from wanmi_casework.routing.kept import book_of_version, current_book
from wanmi_casework.routing.matching import route
from wanmi_casework.routing.suggesting import facts_of, suggest

__all__ = [
    "Book",
    "Claim",
    "Facts",
    "Limit",
    "Line",
    "NearMiss",
    "Route",
    "arbitrate",
    "book_of_version",
    "contest_draft",
    "current_book",
    "facts_of",
    "find_arbitration",
    "queue",
    "refuse_contested",
    "route",
    "suggest",
]
