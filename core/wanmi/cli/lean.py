"""What a node's process does without, to stay small: an edge is a small computer."""

from __future__ import annotations

import sys


def import_structlog() -> None:
    """Import structlog without rich, which it takes along when it is installed, and pygments and attrs with it.

    That is 5 MB of a process that colours no traceback; and rich would write every local variable of every frame into
    the log, secrets too. Nothing happens when either is imported already.
    """
    if "rich" in sys.modules or "structlog" in sys.modules:
        return
    sys.modules["rich"] = None  # type: ignore[assignment]  # how Python spells "there is none"
    try:
        import structlog  # noqa: F401
    finally:
        del sys.modules["rich"]
