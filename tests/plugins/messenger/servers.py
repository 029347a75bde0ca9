"""Real peers on loopback: SMTP servers, good and bad, and an HTTP server that fails on purpose."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from aiosmtpd.controller import Controller

Act = Callable[[socket.socket], None]


class Mailbox:
    """A handler for aiosmtpd: keeps what came, answers as told (by recipient, then by message)."""

    def __init__(self) -> None:
        self.mails: list[Any] = []
        self.rcpt_answers: list[str] = []
        self.data_answers: list[str] = []

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:
        answer = self.rcpt_answers.pop(0) if self.rcpt_answers else "250 OK"
        if answer.startswith("250"):
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        answer = self.data_answers.pop(0) if self.data_answers else "250 kept"
        if answer.startswith("250"):
            self.mails.append(envelope)
        return answer


@contextmanager
def smtp_server() -> Iterator[tuple[Mailbox, int]]:
    """A real SMTP server; its mailbox and port."""
    box = Mailbox()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    controller = Controller(box, hostname="127.0.0.1", port=port)
    controller.start()
    try:
        yield box, port
    finally:
        controller.stop()


@dataclass
class RawSmtp:
    """Speaks just enough SMTP to take a whole message; what it does then is ``after_data`` (given the connection)."""

    after_data: list[Act]
    bodies: list[bytes] = field(default_factory=list)

    def serve(self, listening: socket.socket) -> None:
        while True:
            try:
                connection, _ = listening.accept()
            except OSError:
                return
            threading.Thread(target=self._speak, args=(connection,), daemon=True).start()

    def _speak(self, connection: socket.socket) -> None:
        with connection, connection.makefile("rb") as lines:
            connection.sendall(b"220 raw\r\n")
            for line in lines:
                word = line[:4].upper()
                if word == b"DATA":
                    connection.sendall(b"354 go on\r\n")
                    body = b""
                    for part in lines:
                        if part == b".\r\n":
                            break
                        body += part
                    self.bodies.append(body)
                    act = self.after_data.pop(0) if self.after_data else accept
                    act(connection)
                    if act is not accept:
                        return
                elif word == b"QUIT":
                    return
                else:
                    connection.sendall(b"250 raw\r\n")


def accept(connection: socket.socket) -> None:
    """The message is kept."""
    connection.sendall(b"250 kept\r\n")


def drop(connection: socket.socket) -> None:
    """The connection breaks before a word is said."""
    connection.shutdown(socket.SHUT_RDWR)


def break_off(connection: socket.socket) -> None:
    """The connection breaks within the answer."""
    connection.sendall(b"250 kep")
    connection.shutdown(socket.SHUT_RDWR)


def drip(connection: socket.socket) -> None:
    """An answer that comes a byte a moment and never ends: no read of it takes long."""
    try:
        for _ in range(1000):
            connection.sendall(b"2")
            time.sleep(0.05)
    except OSError:
        return


@contextmanager
def raw_smtp(*after_data: Act) -> Iterator[tuple[RawSmtp, int]]:
    """A ``RawSmtp`` and its port."""
    server = RawSmtp(list(after_data))
    with socket.create_server(("127.0.0.1", 0)) as listening:
        threading.Thread(target=server.serve, args=(listening,), daemon=True).start()
        yield server, listening.getsockname()[1]
        listening.shutdown(socket.SHUT_RDWR)


@dataclass(frozen=True)
class Asked:
    """A request as the server got it."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


Answer = tuple[int, dict[str, str], bytes] | str
"""Status, headers, body; or ``drop``, ``cut`` (half an answer), ``drip``."""


class Endpoint:
    """An HTTP server that answers as scripted, then 200; keeps what it was asked."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.answers: list[Answer] = []
        self.usual: Answer = (200, {}, b'{"ok":true}')
        self.gate = threading.Event()
        self.gate.set()

    def handler(endpoint) -> type[BaseHTTPRequestHandler]:  # noqa: N805
        class Handler(BaseHTTPRequestHandler):
            def answer(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length") or 0))
                headers = {name.lower(): value for name, value in self.headers.items()}
                endpoint.asked.append(Asked(self.command, self.path, headers, body))
                endpoint.gate.wait(30)
                given = endpoint.answers.pop(0) if endpoint.answers else endpoint.usual
                if isinstance(given, str):
                    self.misbehave(given)
                    return
                status, more, content = given
                self.send_response(status)
                for name, value in {"content-length": str(len(content)), **more}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(content)

            def do_GET(self) -> None:
                self.answer()

            def do_POST(self) -> None:
                self.answer()

            def misbehave(self, how: str) -> None:
                self.close_connection = True
                if how == "cut":
                    self.wfile.write(b"HTTP/1.1 200 OK\r\ncontent-length: 50\r\n\r\nhalf")
                    self.wfile.flush()
                if how == "drip":
                    drip(self.connection)
                else:
                    drop(self.connection)

            def log_message(self, *_: Any) -> None:
                return

        return Handler


@contextmanager
def http_server() -> Iterator[tuple[Endpoint, str]]:
    """An ``Endpoint`` and its address."""
    endpoint = Endpoint()
    server = ThreadingHTTPServer(("127.0.0.1", 0), endpoint.handler())
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield endpoint, f"http://127.0.0.1:{server.server_address[1]}/in"
    finally:
        endpoint.gate.set()
        server.shutdown()
        server.server_close()
