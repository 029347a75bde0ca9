"""An edge node as a process of its own: ``python edge_process.py DIR``, until SIGTERM."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from edge.street import open_edge

if __name__ == "__main__":
    with open_edge(Path(sys.argv[1])) as node:
        asyncio.run(node.run(web=False))
