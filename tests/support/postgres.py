"""A PostgreSQL server of one's own for tests: initdb, a free port on loopback, gone afterwards."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

IN_SERVICE = ("shared_buffers=1GB", "max_wal_size=8GB", "checkpoint_timeout=15min", "wal_compression=on", "fsync=on")
"""What docs/databases.md asks of a server in service with as much memory as ours."""
BINARIES = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)


@contextmanager
def postgresql(*, durable: bool = False) -> Iterator[str]:
    """Run a server; gives a URL up to the database's name (``…/``). ``durable``: commits wait for the disk."""
    if not BINARIES:
        raise RuntimeError("PostgreSQL is not installed: apt-get install postgresql")
    folder = Path(tempfile.mkdtemp(prefix="wanmi-pg-"))
    try:
        yield from _serve(folder, durable)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _serve(folder: Path, durable: bool) -> Iterator[str]:
    as_user = _as_user(folder)
    port = _free_port()
    data = folder / "data"
    initdb = [str(BINARIES[0] / "initdb"), "-D", str(data), "-A", "trust", "-U", "wanmi", "-E", "UTF8", "--locale", "C"]
    subprocess.run([*as_user, *initdb], check=True, capture_output=True, cwd="/")
    server = subprocess.Popen(
        [
            *as_user, str(BINARIES[0] / "postgres"), "-D", str(data), "-p", str(port), "-h", "127.0.0.1",
            "-c", f"unix_socket_directories={folder}", *[f"--{one}" for one in (IN_SERVICE if durable else ["fsync=off"])],
        ],
        stdout=subprocess.DEVNULL,
        stderr=(folder / "log").open("wb"),
        cwd="/",
    )  # fmt: skip
    try:
        _wait(port, server)
        yield f"postgresql+psycopg://wanmi@127.0.0.1:{port}/"
    finally:
        server.send_signal(signal.SIGINT)  # fast shutdown: does not wait for clients
        server.wait(20)


def _as_user(folder: Path) -> list[str]:
    """PostgreSQL refuses to run as root: then it runs as the user that Debian's package made."""
    if os.getuid() != 0:
        return []
    user = pwd.getpwnam("postgres")
    os.chown(folder, user.pw_uid, user.pw_gid)
    return ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait(port: int, server: subprocess.Popen[bytes]) -> None:
    import psycopg

    until = time.monotonic() + 30
    while time.monotonic() < until and server.poll() is None:
        try:
            psycopg.connect(f"postgresql://wanmi@127.0.0.1:{port}/postgres", connect_timeout=2).close()
        except psycopg.OperationalError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError("PostgreSQL did not start")


def new_database(base: str, name: str) -> str:
    """Make a database; its URL."""
    import psycopg

    plain = base.replace("+psycopg", "") + "postgres"
    with psycopg.connect(plain, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
    return base + name
