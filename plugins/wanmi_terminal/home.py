"""A terminal's directory: who it is, its private key, its broker password, where it sends.

TDIR/terminal.json    id, brokers, district keys (no secrets)
TDIR/sign.key         32 bytes of Ed25519, 0600
TDIR/broker.password  43 characters, 0600: never leaves the terminal but to a broker, over TLS off loopback
TDIR/keys.json        instead of those two once a key was rotated, 0600
TDIR/spool.db         reports that are not yet safe
TDIR/terminal.lock    held by the process that sends
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from wanmi.clock import SystemClock
from wanmi.errors import BadInput, Conflict, NotFound
from wanmi.ids import Ids
from wanmi.reports import make_card
from wanmi.reports.envelope import TerminalId
from wanmi_terminal.broker import BrokerUrl
from wanmi_terminal.keyring import FILE, KeyRing, Pair

HexKey = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}(?!\n)$")]


class Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """terminal.json: what a terminal is told when it is set up."""

    v: int
    terminal: TerminalId
    verifier: str
    brokers: tuple[str, ...] = ()
    ca: str | None = None
    district_keys: tuple[HexKey, ...] = ()
    rotate_days: Annotated[int, msgspec.Meta(ge=0, le=3650)] = 365
    """Age of its key at which the terminal asks for a new one by itself; 0: never."""


@dataclass(frozen=True)
class Home:
    """An opened terminal directory."""

    dir: Path
    config: Config
    ring: KeyRing

    @property
    def key(self) -> Ed25519PrivateKey:
        """The private key of today."""
        return self.ring.current.key

    @property
    def terminal(self) -> str:
        """The terminal's id."""
        return self.config.terminal

    @property
    def district_keys(self) -> tuple[bytes, ...]:
        """Public keys whose countersignature makes a report safe; none means that it is not checked."""
        return tuple(bytes.fromhex(key) for key in self.config.district_keys)

    @property
    def spool_path(self) -> Path:
        """Where the reports lie."""
        return self.dir / "spool.db"

    def brokers(self, override: tuple[str, ...] = ()) -> tuple[BrokerUrl, ...]:
        """The brokers to send to: those given now, else those of the setup."""
        ca = Path(self.config.ca) if self.config.ca else None
        return tuple(BrokerUrl.parse(url, ca) for url in override or self.config.brokers)

    def card(self) -> str:
        """The card to hand to the district."""
        return make_card(self.terminal, self.key, self.ring.current.verifier)

    @contextmanager
    def sending(self) -> Iterator[None]:
        """Hold the terminal's lock: only one process sends. Raises Conflict when another one does."""
        with (self.dir / "terminal.lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                raise Conflict(
                    f"terminal {self.terminal} is being run by another process; stop that one first"
                ) from None
            yield


def init_home(
    where: Path,
    terminal: str,
    ids: Ids,
    brokers: tuple[str, ...] = (),
    ca: Path | None = None,
    district_keys: tuple[str, ...] = (),
    pair: Pair | None = None,
) -> Home:
    """Make a terminal's directory with a new key and password (or those of ``pair``); Conflict if there is one already."""
    if (where / "terminal.json").exists():
        raise Conflict(f"{where}: a terminal is set up here already; choose another directory")
    for url in brokers:
        BrokerUrl.parse(url, ca)
    own = pair or Pair.make(ids, SystemClock().now())
    config = _checked(Config(1, terminal, own.verifier, brokers, str(ca.resolve()) if ca else None, district_keys))
    where.mkdir(parents=True, exist_ok=True)
    write_private(where / "sign.key", own.key.private_bytes_raw())
    write_private(where / "broker.password", own.password.encode())
    write_private(where / "terminal.json", msgspec.json.format(msgspec.json.encode(config)), mode=0o644)
    return Home(where, config, KeyRing(where, own, write_private))


def open_home(where: Path) -> Home:
    """Open a directory that `init_home` made; NotFound or BadInput say what is missing or wrong."""
    try:
        config = msgspec.json.decode((where / "terminal.json").read_bytes(), type=Config)
        ring = _read_ring(where, config)
    except FileNotFoundError as error:
        raise NotFound(f"{error.filename}: missing; set the terminal up with `wanmi terminal init {where}`") from None
    except (msgspec.DecodeError, ValueError) as error:
        raise BadInput(f"{where}: not a terminal's directory: {error}") from error
    return Home(where, config, ring)


def _read_ring(where: Path, config: Config) -> KeyRing:
    """The rotated keys, else those of the setup."""
    file = where / "sign.key"
    if (where / FILE).exists():
        return KeyRing.read(where, write_private)
    try:
        key = Ed25519PrivateKey.from_private_bytes(file.read_bytes())
        password = (where / "broker.password").read_text()
        since = file.stat().st_mtime_ns // 1000
    except FileNotFoundError:
        if not (where / FILE).exists():  # else another process has just put the one for the others
            raise
        return KeyRing.read(where, write_private)
    return KeyRing(where, Pair(key, password, config.verifier, since), write_private)


def _checked(config: Config) -> Config:
    try:
        return msgspec.convert(msgspec.to_builtins(config), Config)
    except msgspec.ValidationError as error:
        raise BadInput(
            f"terminal {config.terminal!r}: {error}; an id looks like T210102-0001, a key is 64 hex digits"
        ) from error


def write_private(path: Path, content: bytes, mode: int = 0o600) -> None:
    """Write a file so that it is whole or not there, with its rights from the first moment."""
    draft = path.with_name(path.name + ".new")
    draft.unlink(missing_ok=True)
    fd = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(fd, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
