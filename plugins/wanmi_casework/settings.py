"""``[casework]`` of node.toml: when two reports may be about the same thing."""

from __future__ import annotations

from pydantic import Field

from wanmi.settings import Section


class CaseworkSettings(Section):
    """Reports of one category within ``near_m`` metres and ``near_hours`` hours are similar; ``similar`` at most are named."""

    near_m: int = Field(default=50, ge=1, le=50)
    near_hours: int = Field(default=24, ge=1, le=24 * 30)
    similar: int = Field(default=10, ge=0, le=100)
