"""Where a broker is: ``mqtt://127.0.0.1:1883`` or ``mqtts://host:8883`` with the city's CA."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from wanmi.errors import BadInput

_PORTS = {"mqtt": 1883, "mqtts": 8883}


@dataclass(frozen=True)
class BrokerUrl:
    """A broker's address; ``ca`` is the file that its certificate is checked against (None: the system's)."""

    host: str
    port: int
    tls: bool
    ca: Path | None = None

    @classmethod
    def parse(cls, url: str, ca: Path | None = None) -> BrokerUrl:
        """The address in a URL; BadInput for anything else, and for plain MQTT off loopback."""
        try:
            parts = urlsplit(url)
            host, port = parts.hostname or "", parts.port or _PORTS.get(parts.scheme, 0)
        except ValueError as error:
            raise BadInput(f"broker {url!r}: {error}") from error
        if parts.scheme not in _PORTS or not host or parts.path not in ("", "/") or parts.username is not None:
            raise BadInput(f"broker {url!r}: write mqtt://127.0.0.1:1883 or mqtts://host:8883")
        if parts.scheme == "mqtt" and not _is_loopback(host):
            raise BadInput(
                f"broker {url!r}: off loopback reports and the password travel over TLS only; write mqtts://"
            )
        return cls(host, port, parts.scheme == "mqtts", ca)

    def __str__(self) -> str:
        return f"{'mqtts' if self.tls else 'mqtt'}://{self.host}:{self.port}"


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
