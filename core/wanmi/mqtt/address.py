"""Where a broker is, and how one stands there."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

from wanmi.errors import BadInput

NOT_AUTHORIZED = 135
"""The reason code of a publish that the broker's access rules forbid."""
_PORTS = {"mqtt": 1883, "mqtts": 8883}


@dataclass(frozen=True)
class Address:
    """Where a broker listens and who one is there; ``ca`` is the file with the authority to trust for TLS."""

    host: str
    port: int
    tls: bool = False
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    ca: Path | None = None

    @property
    def url(self) -> str:
        """The address without its password."""
        user = f"{quote(self.user, safe='')}@" if self.user else ""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'mqtts' if self.tls else 'mqtt'}://{user}{host}:{self.port}"

    def login(self, user: str, password: str) -> Address:
        """The same broker for somebody else."""
        return replace(self, user=user, password=password)


def read_address(url: str, ca: Path | None = None) -> Address:
    """The address in ``mqtt://[user[:password]@]host[:port]`` (or ``mqtts://``); raises BadInput."""
    parts = urlsplit(url)
    try:
        port = parts.port
    except ValueError as error:
        raise BadInput(f"broker {url!r}: {error}") from error
    if parts.scheme not in _PORTS or not parts.hostname or parts.path not in ("", "/"):
        raise BadInput(f"broker {url!r}: write mqtt://host:port or mqtts://host:port")
    user = unquote(parts.username) if parts.username else None
    password = unquote(parts.password) if parts.password else None
    return Address(parts.hostname, port or _PORTS[parts.scheme], parts.scheme == "mqtts", user, password, ca)


@dataclass(frozen=True)
class Session:
    """How a client stands at the broker.

    ``expiry`` is how long (seconds) the broker keeps subscriptions and messages while the client is away; 0 starts
    clean each time. ``window`` bounds the messages that are here without an acknowledgement: the back-pressure.
    ``in_flight`` bounds one's own publishes without the broker's acknowledgement, ``backlog`` those that wait behind.
    ``qos`` 0: what comes when the window is full is dropped. ``probe`` subscribes to the message to oneself that ``MqttClient.probe`` needs. ``will``: topic and payload that the
    broker publishes, retained, when the client is gone without having said so.
    """

    client_id: str
    subscriptions: tuple[str, ...] = ()
    expiry: int = 7 * 86_400
    window: int = 300
    in_flight: int = 100
    backlog: int = 20_000
    keepalive: int = 30
    max_packet: int = 1024 * 1024
    retry_min: int = 1
    retry_max: int = 30
    probe: bool = False
    qos: int = 1
    will: tuple[str, bytes] | None = None
