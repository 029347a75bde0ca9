"""PJLink, class 1 and 2: projectors and displays over TCP 4352."""

from __future__ import annotations

from wanmi_hardware.pjlink.driver import PJLINK, PjlinkSettings

__all__ = ["PJLINK", "PjlinkSettings"]
