"""The gate (ZAP, ZeroMQ RFC 27): only CURVE keys of admitted children get in, and the key is who they are."""

from __future__ import annotations

from collections.abc import Callable

import zmq

from wanmi.identity import z85_encode

ENDPOINT = "inproc://zeromq.zap.01"


class Gate:
    """Answers libzmq's question "may this key come in?"; in the loop's own thread, so nothing is shared."""

    def __init__(self, context: zmq.Context[zmq.Socket[bytes]], admitted: Callable[[bytes], bool]) -> None:
        self._admitted = admitted
        self.refused = 0
        self.socket: zmq.Socket[bytes] = context.socket(zmq.REP)
        self.socket.setsockopt(zmq.LINGER, 0)
        self.socket.bind(ENDPOINT)

    def answer(self) -> None:
        """Answer one request; the User-Id of every later frame is the key (z85)."""
        request = self.socket.recv_multipart()
        version, number = request[0], request[1]
        curve = request[5] == b"CURVE" and len(request) == 7 and len(request[6]) == 32
        key = z85_encode(request[6]) if curve else b""
        if curve and self._admitted(key):
            self.socket.send_multipart([version, number, b"200", b"OK", key, b""])
        else:
            self.refused += 1
            self.socket.send_multipart([version, number, b"400", b"not admitted", b"", b""])

    def close(self) -> None:
        """Stop answering: whoever asks then waits until its handshake times out."""
        self.socket.close(0)
