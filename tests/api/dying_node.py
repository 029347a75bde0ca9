"""A node that kills itself between the effect of a request and its answer. ``python -m api.dying_node DIR FAULT``.

Faults: ``entry`` after the commit of a ``message.handled`` entry, before anybody learns of it; ``local`` after the
effect, before the answer is kept; ``none``.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path
from typing import NoReturn

import wanmi.web.idempotency as idempotency
import wanmi_messenger
from wanmi.node import Node
from wanmi.plugins import Plugin
from wanmi.registry import Stored


def die(*_: object) -> NoReturn:
    """As if the power went."""
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("still alive")


def die_of_an_entry(new: list[Stored]) -> None:
    """Called in the writer's thread after the commit, before whoever waits is told."""
    if any(stored.entry is not None and stored.entry.kind == "message.handled" for stored in new):
        die()


def main() -> None:
    """Run the node of a directory until the fault."""
    dir, fault = sys.argv[1:]
    with Node.open(Path(dir), plugins=[Plugin("messenger", "0", wanmi_messenger)]) as node:
        if fault == "entry":
            node.journal.listen(die_of_an_entry)
        if fault == "local":
            idempotency.keep_answer = die
        asyncio.run(node.run())


if __name__ == "__main__":
    main()
