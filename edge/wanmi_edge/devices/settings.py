"""``[edge.devices]`` of node.toml: how long samples are kept, how patient the edge is."""

from __future__ import annotations

from pydantic import Field

from wanmi.settings import Section


class DevicesSettings(Section):
    """``[edge.devices]``: samples are kept for ``keep_days`` and in at most ``keep_mib``, whichever is less.

    Seconds: ``flush_every`` between two writings of samples; ``health_after`` that a device must be found in a new
    state before that becomes an entry; a lost device is tried again after ``retry_first``, doubled up to ``retry_longest``.
    """

    keep_days: int = Field(default=14, ge=1, le=366)
    keep_mib: int = Field(default=256, ge=1)
    flush_every: float = Field(default=5.0, gt=0)
    health_after: float = Field(default=30.0, ge=0)
    retry_first: float = Field(default=1.0, gt=0)
    retry_longest: float = Field(default=300.0, gt=0)
