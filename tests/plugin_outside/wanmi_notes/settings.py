"""The section [notes]."""

from __future__ import annotations

from wanmi.settings import Section


class NotesSettings(Section):
    """Notes on cases."""

    flag: str = "!"
    """Notes that begin with this are flagged."""
