"""A node that sends, in a process of its own: to be killed. ``python -m plugins.messenger.sending_process DIR``."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import wanmi_messenger
from wanmi.node import Node
from wanmi.plugins import Plugin


def main() -> None:
    """Run the node of a directory until it is told, or made, to stop."""
    with Node.open(Path(sys.argv[1]), plugins=[Plugin("messenger", "0", wanmi_messenger)]) as node:
        asyncio.run(node.run(web=False))


if __name__ == "__main__":
    main()
