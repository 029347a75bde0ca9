"""Samsung displays by MDC (Multiple Display Control), over TCP 1515 or RS-232."""

from __future__ import annotations

from wanmi_hardware.samsung_mdc.driver import MDC, MdcSettings

__all__ = ["MDC", "MdcSettings"]
