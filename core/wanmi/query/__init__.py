"""Questions to a node's tables: filters, keyset cursors, exports that stream. Rows go in, frozen dataclasses come out."""

from wanmi.query.cases import (
    MAX_PAGE,
    CaseLine,
    CasePage,
    Tally,
    count_cases,
    existing_cases,
    find_case,
    iter_cases,
    list_cases,
    newest_cases,
    tally_cases,
)
from wanmi.query.evidence import Evidence, evidence_by_blob, evidence_of
from wanmi.query.federation import (
    Arrival,
    LinkState,
    NodeLine,
    SignedHead,
    arrivals,
    cosigns,
    count_forks,
    count_quarantined,
    heads,
    link_states,
    nodes,
)
from wanmi.query.filters import CaseFilter, day_start, read_cursor, write_cursor
from wanmi.query.naming import CaseNames
from wanmi.query.proofs import Proof, proofs_of, report_in
from wanmi.query.widening import kin_of, widened

__all__ = [
    "MAX_PAGE",
    "Arrival",
    "CaseFilter",
    "CaseLine",
    "CaseNames",
    "CasePage",
    "Evidence",
    "LinkState",
    "NodeLine",
    "Proof",
    "SignedHead",
    "Tally",
    "arrivals",
    "cosigns",
    "count_cases",
    "count_forks",
    "count_quarantined",
    "day_start",
    "evidence_by_blob",
    "evidence_of",
    "existing_cases",
    "find_case",
    "heads",
    "iter_cases",
    "kin_of",
    "link_states",
    "list_cases",
    "newest_cases",
    "nodes",
    "proofs_of",
    "read_cursor",
    "report_in",
    "tally_cases",
    "widened",
    "write_cursor",
]
