"""The process in which iotcore (rumqttd) runs: ``python iotcore_child.py CONFIG.toml``.

rumqttd cannot be stopped from within, so it gets a process of its own; that one ends when its standard input is
closed, which the end of the edge's process does.
"""

from __future__ import annotations

import logging
import os
import sys
import threading


def main(config: str) -> None:
    """Serve until standard input ends or the process is told to end."""
    from iotcore.iotcore import IotCoreBroker

    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    # rumqttd reports every packet at the level of errors.
    logging.getLogger("rumqttd").setLevel(logging.CRITICAL)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    IotCoreBroker(config_path=config).run_forever()


def _end_with_parent() -> None:
    try:
        sys.stdin.buffer.read()
    finally:
        os._exit(0)


if __name__ == "__main__":
    main(sys.argv[1])
