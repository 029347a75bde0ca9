"""ZeroMQ sockets as the links need them: CURVE, no promises, small queues, quick to notice a dead wire."""

from __future__ import annotations

from dataclasses import dataclass

import zmq

from wanmi.links.frames import MAX_FRAME

HEARTBEAT_MS = 2_000
DEAD_MS = 6_000
HANDSHAKE_MS = 5_000
RECONNECT_MS = 500
RECONNECT_MOST_MS = 30_000
QUEUE = 64
"""Frames that ZeroMQ queues for a peer; what is beyond is dropped here and sent again by the streams."""


@dataclass(frozen=True)
class CurveKeys:
    """A CURVE key pair, z85 (40 bytes each)."""

    public: bytes
    secret: bytes


def listen(context: zmq.Context[zmq.Socket[bytes]], endpoint: str, keys: CurveKeys) -> tuple[zmq.Socket[bytes], str]:
    """A ROUTER that children dial; answers it and the endpoint that it really listens at. Raises zmq.ZMQError."""
    socket = context.socket(zmq.ROUTER)
    _common(socket, keys)
    socket.setsockopt(zmq.CURVE_SERVER, 1)
    socket.setsockopt(zmq.ROUTER_MANDATORY, 1)
    if endpoint.startswith("tcp://["):
        socket.setsockopt(zmq.IPV6, 1)
    try:
        socket.bind(endpoint.replace(":0", ":*") if endpoint.endswith(":0") else endpoint)
    except zmq.ZMQError:
        socket.close(0)
        raise
    return socket, socket.getsockopt(zmq.LAST_ENDPOINT).rstrip(b"\0").decode()  # type: ignore[union-attr]


def dial(
    context: zmq.Context[zmq.Socket[bytes]], endpoint: str, keys: CurveKeys, server: bytes
) -> tuple[zmq.Socket[bytes], zmq.Socket[bytes]]:
    """A DEALER that dials the parent (``server``: its pinned CURVE key), and the monitor of its connection."""
    socket = context.socket(zmq.DEALER)
    _common(socket, keys)
    socket.setsockopt(zmq.CURVE_SERVERKEY, server)
    socket.setsockopt(zmq.IMMEDIATE, 1)
    socket.setsockopt(zmq.RECONNECT_IVL, RECONNECT_MS)
    socket.setsockopt(zmq.RECONNECT_IVL_MAX, RECONNECT_MOST_MS)
    socket.setsockopt(zmq.CONNECT_TIMEOUT, HANDSHAKE_MS)
    if endpoint.startswith("tcp://["):
        socket.setsockopt(zmq.IPV6, 1)
    monitor = socket.get_monitor_socket()
    socket.connect(endpoint)
    return socket, monitor


def _common(socket: zmq.Socket[bytes], keys: CurveKeys) -> None:
    socket.setsockopt(zmq.CURVE_PUBLICKEY, keys.public)
    socket.setsockopt(zmq.CURVE_SECRETKEY, keys.secret)
    socket.setsockopt(zmq.LINGER, 0)
    socket.setsockopt(zmq.SNDHWM, QUEUE)
    socket.setsockopt(zmq.RCVHWM, QUEUE)
    socket.setsockopt(zmq.MAXMSGSIZE, MAX_FRAME)
    socket.setsockopt(zmq.HEARTBEAT_IVL, HEARTBEAT_MS)
    socket.setsockopt(zmq.HEARTBEAT_TIMEOUT, DEAD_MS)
    socket.setsockopt(zmq.HANDSHAKE_IVL, HANDSHAKE_MS)
    socket.setsockopt(zmq.TCP_KEEPALIVE, 1)
