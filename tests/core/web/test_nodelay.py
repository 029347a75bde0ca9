"""An answer leaves at once: small answers on a kept connection do not wait for an acknowledgement."""

from __future__ import annotations

import http.client
import time
from pathlib import Path

from wanmi.testing import running, small_node


def test_small_answers_do_not_wait_for_acknowledgements(tmp_path: Path) -> None:
    with small_node(tmp_path / "node") as node, running(node, web=True) as places:
        host, port = places["web"].split("//")[1].split(":")
        connection = http.client.HTTPConnection(host, int(port))
        took = []
        for _ in range(60):
            began = time.perf_counter()
            connection.request("GET", "/healthz")
            connection.getresponse().read()
            took.append(time.perf_counter() - began)
        connection.close()
    assert sorted(took)[30] < 0.03, "a median of 40 ms is Nagle's algorithm with a delayed acknowledgement"
