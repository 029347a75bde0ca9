"""How long a terminal stays on duty: until Ctrl-C or SIGTERM, and then it still ends in order."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager


def stay() -> None:
    """On duty until Ctrl-C: what was answered last is then sent like everything else."""
    try:
        while True:
            time.sleep(1.0)
    except KeyboardInterrupt:
        return


@contextmanager
def sigterm_is_ctrl_c() -> Iterator[None]:
    """SIGTERM ends as Ctrl-C does; also where SIGINT is ignored, as a shell does to what it starts in the background."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
