"""The managed broker: a child process that is configured, started, reloaded and stopped here."""

from __future__ import annotations

import asyncio
import json
import os
import pwd
import shutil
import signal
import socket
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from wanmi.devices.walls import is_wall
from wanmi.errors import BadInput, LinkError, NotFound, StoreError
from wanmi.ids import Ids
from wanmi.mqtt import Address, read_address
from wanmi.reports import broker_verifier
from wanmi.reports.asks import ASK_PASSWORD, ASK_USER
from wanmi.reports.cards import SALT_BYTES
from wanmi.reports.envelope import to_b64
from wanmi.settings import is_loopback
from wanmi_edge.broker_files import (
    BrokerFiles,
    Listener,
    acl_rules,
    iotcore_config,
    mosquitto_config,
    password_lines,
)
from wanmi_edge.settings import BrokerSettings

START_SECONDS = 15.0
STOP_SECONDS = 10.0
_LOOPBACK = "127.0.0.1"
ANY_HOST = ("", "0.0.0.0", "::")  # noqa: S104 - compared, not bound


def find_mosquitto() -> str | None:
    """The mosquitto program: on PATH, or in sbin, which is not on everybody's PATH."""
    return shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")


def choose_kind(settings: BrokerSettings) -> str:
    """mosquitto, iotcore or external, as the settings say and as is installed."""
    if settings.kind != "auto":
        return settings.kind
    if settings.url:
        return "external"
    return "mosquitto" if find_mosquitto() else "iotcore"


def external_address(settings: BrokerSettings) -> Address:
    """The address of an external broker; plain MQTT is for loopback only. Raises BadInput, NotFound."""
    address = read_address(settings.url, Path(settings.ca_file) if settings.ca_file else None)
    if not address.tls and not is_loopback(address.host):
        raise BadInput(f"edge.mqtt.url {address.url}: off loopback a broker is reached over TLS; write mqtts://")
    if settings.password_file:
        try:
            password = Path(settings.password_file).read_text(encoding="utf-8").strip()
        except OSError as error:
            raise NotFound(f"edge.mqtt.password_file {settings.password_file}: {error.strerror}") from error
        return address.login(address.user or "", password)
    return address


class ManagedBroker:
    """A broker of this node's own. ``listener`` is what terminals see; the node itself comes by loopback.

    ``asks``: terminals that nobody knows have an account there, for asking alone.
    """

    def __init__(
        self, kind: str, files: BrokerFiles, node: str, listener: Listener, ids: Ids, *, asks: bool = False
    ) -> None:
        self.kind = kind
        self._asks = asks
        self.listener = listener
        self._files = files
        self._node = node
        self._ids = ids
        self._process: asyncio.subprocess.Process | None = None
        self._own = read_or_make(files.own_password, lambda: to_b64(ids.token(32)))
        inner = listener.port if is_loopback(listener.host) and listener.tls is None else free_port()
        self.address = Address(_LOOPBACK, inner, user=node, password=self._own)

    @property
    def url(self) -> str:
        """Where terminals connect: by this machine's name when the listener takes any address."""
        host = socket.gethostname() if self.listener.host in ANY_HOST else self.listener.host
        return Address(host, self.listener.port, self.listener.tls is not None).url

    async def start(self, verifiers: Mapping[str, str]) -> None:
        """Write the files, end a broker that an earlier run left, start, wait until it listens. Raises LinkError."""
        await asyncio.to_thread(end_stale, self._files.pid, str(self._files.folder))
        self.write_users(verifiers)
        command = self._prepare()
        with self._files.log.open("wb") as log:
            self._process = await asyncio.create_subprocess_exec(
                *command, stdin=asyncio.subprocess.PIPE, stdout=log, stderr=log, start_new_session=True
            )
        self._files.pid.write_text(f"{self._process.pid}\n")
        await self._listening(self._process)
        self._tell(self._process.pid)

    async def runs(self, seconds: float) -> bool:
        """Wait up to ``seconds``; whether the broker still runs then."""
        if self._process is None:
            return False
        try:
            await asyncio.wait_for(self._process.wait(), seconds)
        except TimeoutError:
            return True
        return False

    def users(self, verifiers: Mapping[str, str]) -> dict[str, str]:
        """Who may connect, as this kind of broker knows it: users with hashes, or with passwords."""
        if self.kind == "mosquitto":
            return dict(verifiers)
        return local_users(self._files.local_users, verifiers)

    async def stop(self) -> None:
        """End the broker; mosquitto writes its queues first."""
        self._files.address.unlink(missing_ok=True)
        process = self._process
        if process is None or process.returncode is not None:
            return
        process.terminate()
        try:
            await asyncio.wait_for(process.wait(), STOP_SECONDS)
        except TimeoutError:
            process.kill()
            await process.wait()

    def write_users(self, verifiers: Mapping[str, str]) -> None:
        """Write who may connect and what they may: the admitted terminals and walls, and this node."""
        if self.kind == "mosquitto":
            own = broker_verifier(self._own, self._ids.token(SALT_BYTES))
            users = {**verifiers, self._node: own}
            if self._asks:
                users[ASK_USER] = broker_verifier(ASK_PASSWORD, self._ids.token(SALT_BYTES))
            write_private(self._files.passwords, password_lines(users))
            write_private(self._files.acl, acl_rules(self._node, filter(is_wall, verifiers), asks=self._asks))
        else:
            users = {**self.users(verifiers), self._node: self._own}
            write_private(self._files.toml, iotcore_config(self.listener.host, self.listener.port, users))

    def reload(self, verifiers: Mapping[str, str]) -> bool:
        """Let a running broker take changed users; False when it must be started again for that."""
        self.write_users(verifiers)
        if self.kind != "mosquitto" or self._process is None or self._process.returncode is not None:
            return False
        self._process.send_signal(signal.SIGHUP)
        return True

    def last_words(self) -> str:
        """The end of the broker's log, in one line."""
        try:
            lines = self._files.log.read_text(encoding="utf-8", errors="replace").splitlines()
        except OSError:
            return "it said nothing"
        return " | ".join(lines[-3:]) or "it said nothing"

    def _prepare(self) -> list[str]:
        if self.kind != "mosquitto":
            child = Path(__file__).with_name("iotcore_child.py")
            return [sys.executable, "-P", str(child), str(self._files.toml)]
        program = find_mosquitto()
        if program is None:
            raise LinkError("mosquitto is not installed: install it, or set edge.mqtt.kind to iotcore or external")
        listeners = [self.listener]
        if self.address.port != self.listener.port:
            listeners.append(Listener(_LOOPBACK, self.address.port))
        user = pwd.getpwuid(os.getuid()).pw_name
        write_private(self._files.config, mosquitto_config(self._files, listeners, user))
        return [*_dies_with_us(), program, "-c", str(self._files.config)]

    async def _listening(self, process: asyncio.subprocess.Process) -> None:
        until = time.monotonic() + START_SECONDS
        while time.monotonic() < until and process.returncode is None:
            if await asyncio.to_thread(answers, self.address.host, self.address.port):
                return
            await asyncio.sleep(0.03)
        raise LinkError(f"broker {self.kind} on port {self.listener.port} does not start: {self.last_words()}")

    def _tell(self, pid: int) -> None:
        ca = str(self.listener.tls.ca) if self.listener.tls else None
        facts = {"kind": self.kind, "url": self.url, "ca": ca, "pid": pid}
        write_private(self._files.address, json.dumps(facts) + "\n")


def choose_port(settings: BrokerSettings, files: BrokerFiles) -> int:
    """The port of the settings, or the one chosen before if it is still free, or a free one, recorded."""
    if settings.port:
        return settings.port
    try:
        port = int(files.port.read_text())
    except (OSError, ValueError):
        port = 0
    if not port or not is_free(settings.listen, port):
        port = free_port(settings.listen)
        files.port.write_text(f"{port}\n")
    return port


def is_free(host: str, port: int) -> bool:
    """Whether ``port`` can be listened on."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def free_port(host: str = _LOOPBACK) -> int:
    """A port that nobody listens on now."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])


def answers(host: str, port: int) -> bool:
    """Whether somebody listens there."""
    try:
        with socket.create_connection((host, port), timeout=1.0):
            return True
    except OSError:
        return False


def end_stale(pid_file: Path, mark: str) -> None:
    """End a broker that outlived its node: its pid is in the file and ``mark`` in its command line."""
    try:
        pid = int(pid_file.read_text())
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
    except (OSError, ValueError):
        return
    if mark.encode() not in command:
        return
    for sign in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.kill(pid, sign)
        except ProcessLookupError:
            return
        until = time.monotonic() + STOP_SECONDS / 2
        while time.monotonic() < until and is_running(pid):
            time.sleep(0.02)


def is_running(pid: int) -> bool:
    """Whether a process is there and not a mere zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def local_users(path: Path, verifiers: Mapping[str, str]) -> dict[str, str]:
    """The plain passwords of admitted terminals on this machine; raises StoreError for a file of another form."""
    try:
        users = json.loads(path.read_text(encoding="utf-8"))
        return {str(user): str(users[user]) for user in users if user in verifiers}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, TypeError) as error:
        raise StoreError(f"{path}: must be JSON of user and password: {error}") from error


def read_or_make(path: Path, make: Callable[[], str]) -> str:
    """The line in a private file, made at the first time."""
    try:
        return path.read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        made = make()
        write_private(path, made + "\n")
        return made


def write_private(path: Path, text: str) -> None:
    """Replace a file as a whole, readable for its owner only."""
    temporary = path.with_name(f".{path.name}.new")
    temporary.unlink(missing_ok=True)
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
    temporary.replace(path)


def _dies_with_us() -> list[str]:
    """A prefix that ends the broker when this process is killed; without util-linux the next start ends it."""
    setpriv = shutil.which("setpriv")
    return [setpriv, "--pdeathsig", "TERM", "--"] if setpriv else []
