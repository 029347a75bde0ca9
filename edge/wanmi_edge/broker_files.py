"""What a managed broker is given: its configuration, access rules and password file. Pure text."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from wanmi.devices.walls import ORDERS, STATUSES
from wanmi.reports import CHUNK
from wanmi.reports.asks import ANSWERS, ASK_FILTER, ASK_USER

if TYPE_CHECKING:
    from wanmi.identity.ca import TlsFiles

MESSAGE_LIMIT = CHUNK + 4096
"""Bytes of the largest payload: a chunk of a photo. What is larger than a report may be is answered by the intake."""
SESSION_DAYS = 14
IN_FLIGHT = 1000
QUEUED = 100_000
QUEUED_BYTES = 256 * 1024 * 1024


@dataclass(frozen=True)
class Listener:
    """Where a broker listens; with ``tls`` it speaks MQTTS."""

    host: str
    port: int
    tls: TlsFiles | None = None


@dataclass(frozen=True)
class BrokerFiles:
    """Paths of a managed broker, all in DIR/broker."""

    folder: Path

    @property
    def config(self) -> Path:
        """The broker's configuration, written at each start."""
        return self.folder / "mosquitto.conf"

    @property
    def toml(self) -> Path:
        """The same for iotcore."""
        return self.folder / "iotcore.toml"

    @property
    def acl(self) -> Path:
        """Who may publish and read what."""
        return self.folder / "acl"

    @property
    def passwords(self) -> Path:
        """Users and password hashes, from the terminals that are admitted."""
        return self.folder / "passwords"

    @property
    def own_password(self) -> Path:
        """The password of the node itself at its broker."""
        return self.folder / "own.password"

    @property
    def local_users(self) -> Path:
        """Users and plain passwords for iotcore, which knows no hashes: JSON, for terminals on this machine."""
        return self.folder / "local_users.json"

    @property
    def port(self) -> Path:
        """The port that was chosen."""
        return self.folder / "port"

    @property
    def pid(self) -> Path:
        """The broker's process."""
        return self.folder / "broker.pid"

    @property
    def log(self) -> Path:
        """What the broker said since its start."""
        return self.folder / "broker.log"

    @property
    def address(self) -> Path:
        """Where terminals reach the broker, as JSON: kind, url, ca, pid."""
        return self.folder / "address.json"


def mosquitto_config(files: BrokerFiles, listeners: list[Listener], user: str) -> str:
    """mosquitto.conf: nobody without a password, access rules, queues that hold, sessions that last."""
    lines = [
        "# Written by the edge at each start; change node.toml instead.",
        f"user {user}",
        f"pid_file {files.pid}",
        "per_listener_settings false",
        "allow_anonymous false",
        f"password_file {files.passwords}",
        f"acl_file {files.acl}",
        "persistence true",
        f"persistence_location {files.folder}/",
        "persistence_file mosquitto.db",
        "autosave_interval 30",
        f"persistent_client_expiration {SESSION_DAYS}d",
        f"max_inflight_messages {IN_FLIGHT}",
        f"max_queued_messages {QUEUED}",
        f"max_queued_bytes {QUEUED_BYTES}",
        f"message_size_limit {MESSAGE_LIMIT}",
        "set_tcp_nodelay true",
        "log_dest stderr",
        "log_type error",
        "log_type warning",
    ]
    for listener in listeners:
        lines += ["", f"listener {listener.port} {listener.host}"]
        if listener.tls is not None:
            lines += [f"certfile {listener.tls.cert}", f"keyfile {listener.tls.key}", "tls_version tlsv1.2"]
    return "\n".join(lines) + "\n"


def acl_rules(node: str, walls: Iterable[str] = (), *, asks: bool = False) -> str:
    """A terminal publishes under its own name and reads its own receipts and tasks; the node may do all.

    A wall reads its own orders and publishes its own status; it is kept out of what patterns give to terminals.
    """
    return "\n".join(
        [
            f"user {node}",
            "topic readwrite #",
            "",
            *(line for wall in sorted(walls) for line in _wall_rules(wall)),
            *(_ask_rules() if asks else ()),
            "pattern write wanmi/v1/%u/report",
            "pattern write wanmi/v1/%u/part/#",
            "pattern write wanmi/v1/%u/answer",
            "pattern write wanmi/v1/%u/seen",
            "pattern write wanmi/v1/%u/track",
            "pattern write wanmi/v1/%u/status",
            "pattern write wanmi/v1/%u/rotate",
            "pattern read wanmi/v1/%u/receipt",
            "pattern read wanmi/v1/%u/task",
            "pattern read wanmi/v1/%u/key",
            "",
        ]
    )


def _ask_rules() -> tuple[str, ...]:
    """The account of terminals that nobody knows: they ask and hear answers, and are kept out of all else."""
    return (
        f"user {ASK_USER}",
        "topic deny wanmi/v1/#",
        f"topic write {ASK_FILTER}",
        f"topic read {ANSWERS}",
        "",
    )


def _wall_rules(wall: str) -> tuple[str, ...]:
    return (
        f"user {wall}",
        "topic deny wanmi/v1/#",
        f"topic read {ORDERS.format(wall)}",
        f"topic write {STATUSES.format(wall)}",
        "",
    )


def password_lines(verifiers: Mapping[str, str]) -> str:
    """mosquitto's password file: ``user:$7$rounds$salt$hash`` a line."""
    return "".join(f"{user}:{verifier}\n" for user, verifier in sorted(verifiers.items()))


def iotcore_config(host: str, port: int, users: Mapping[str, str]) -> str:
    """rumqttd's TOML, MQTT 5 only: a listener that also serves 3.1.1 panics."""
    logins = [f"{_quoted(user)} = {_quoted(password)}" for user, password in sorted(users.items())]
    return "\n".join(
        [
            "# Written by the edge at each start; change node.toml instead.",
            "id = 0",
            "",
            "[router]",
            "id = 0",
            "max_connections = 1000",
            "max_outgoing_packet_count = 200",
            "max_segment_size = 104857600",
            "max_segment_count = 10",
            "",
            "[v5.1]",
            'name = "wanmi"',
            f'listen = "{host}:{port}"',
            "next_connection_delay_ms = 1",
            "",
            "[v5.1.connections]",
            "connection_timeout_ms = 60000",
            f"max_payload_size = {MESSAGE_LIMIT + 4096}",
            "max_inflight_count = 500",
            "dynamic_filters = true",
            "",
            "[v5.1.connections.auth]",
            *logins,
            "",
        ]
    )


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
