"""The health line of casework, and the way from a node to its opener."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from wanmi.registry import Health, NodeContext
from wanmi_casework.opener import CaseOpener

PROBE = "casework"


@dataclass(frozen=True)
class CaseworkHealth:
    """The probe: what the opener of this node did since its start."""

    opener: CaseOpener

    def __call__(self, node: NodeContext) -> Sequence[Health]:
        """One line: cases opened, copies that came by other ways, reports that no case was opened for."""
        counts = self.opener.counts
        facts = {name: counts[name] for name in ("opened", "linked", "guests", "refused")}
        if self.opener.last_refusal:
            return [Health(PROBE, "warn", f"a report got no case: {self.opener.last_refusal}", facts)]
        return [Health(PROBE, "fine", "reports become cases", facts)]
