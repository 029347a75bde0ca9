"""A case (案卷): the fold of its entries, the table of steps, and who may do what with it when. Pure.

``StepTable`` is data; ``fold`` adds entries up to a ``Case``; ``decide`` and its sisters answer an ask with the entry to
write, or refuse it with the reason and what may be done instead.
"""

from __future__ import annotations

from wanmi.cases.asking import Ask, Asked, Decision, Due, Known, LinkAsk, OrderSeen, RequestAsk, ReviewAsk, Timing
from wanmi.cases.case import Case, Done, Late, Link, Mark, Request, Review, round_numbers
from wanmi.cases.deciding import May, decide, may_now
from wanmi.cases.folding import CASE_ENTRIES, fold, fold_all
from wanmi.cases.joining import decide_link, decide_merge, decide_unmerge
from wanmi.cases.limiting import going_on
from wanmi.cases.requesting import (
    decide_due_resume,
    decide_expiry,
    decide_overdue,
    decide_request,
    decide_resume,
    decide_review,
)
from wanmi.cases.stages import FIRST_STAGE, FIRST_STATE, STAGES, Stage
from wanmi.cases.table import StepTable

__all__ = [
    "CASE_ENTRIES",
    "FIRST_STAGE",
    "FIRST_STATE",
    "STAGES",
    "Ask",
    "Asked",
    "Case",
    "Decision",
    "Done",
    "Due",
    "Known",
    "Late",
    "Link",
    "LinkAsk",
    "Mark",
    "May",
    "OrderSeen",
    "Request",
    "RequestAsk",
    "Review",
    "ReviewAsk",
    "Stage",
    "StepTable",
    "Timing",
    "decide",
    "decide_due_resume",
    "decide_expiry",
    "decide_link",
    "decide_merge",
    "decide_overdue",
    "decide_request",
    "decide_resume",
    "decide_review",
    "decide_unmerge",
    "fold",
    "fold_all",
    "going_on",
    "may_now",
    "round_numbers",
]
