"""The section ``[console]``."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class ConsoleSettings(BaseModel):
    """``[console]``: cases on a page, hours that a login lasts."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    page_size: int = Field(default=50, ge=5, le=200)
    session_hours: int = Field(default=12, ge=1, le=72)
