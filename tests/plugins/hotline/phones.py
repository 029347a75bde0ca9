"""Real telephony on loopback: a mosquitto, an operator's baresip, a caller's SIPp. All processes end with the test."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import time
import wave
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from wanmi.mqtt import Address, MqttClient, Session

HERE = Path(__file__).parent
BASE = "baresip/op1"
SEAT = "8001"
CONFIG = """\
poll_method epoll
net_interface 127.0.0.1
sip_listen 127.0.0.1:{sip}
call_max_calls 4
audio_source aufile,{silence}
rtp_ports {rtp}-{rtp_end}
module_path {modules}
module g711.so
module aufile.so
module_tmp account.so
module_app menu.so
module_app mqtt.so
mqtt_broker_host 127.0.0.1
mqtt_broker_port {mqtt}
mqtt_broker_user baresip
mqtt_broker_password secret
mqtt_broker_clientid op1
mqtt_basetopic {base}
"""


def until(true: Callable[[], Any], what: str, seconds: float = 30.0) -> Any:
    """Poll until it is true; its value."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = true()
        if value:
            return value
        time.sleep(0.02)
    raise AssertionError(f"not within {seconds} s: {what}")


def free_port(kind: socket.SocketKind = socket.SOCK_STREAM) -> int:
    """A port that nobody uses now."""
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def program(name: str) -> str:
    """A program's path; the suite needs it."""
    found = shutil.which(name, path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin")
    assert found, f"the suite needs {name}: `make system` installs it"
    return found


@contextmanager
def process(*command: str | Path, cwd: Path, log: str) -> Iterator[subprocess.Popen[bytes]]:
    """A process that is ended with the block."""
    with (cwd / log).open("wb") as out:
        running = subprocess.Popen(
            [str(part) for part in command], cwd=cwd, stdin=subprocess.DEVNULL, stdout=out, stderr=out
        )
        try:
            yield running
        finally:
            if running.poll() is None:
                running.terminate()
            try:
                running.wait(5)
            except subprocess.TimeoutExpired:
                running.kill()
                running.wait()


@contextmanager
def broker(dir: Path) -> Iterator[int]:
    """A mosquitto with two users and passwords (baresip, node); its port."""
    port = free_port()
    passwords = dir / "passwords"
    passwords.write_text("")
    for user in ("baresip", "node"):
        subprocess.run([program("mosquitto_passwd"), "-b", passwords, user, "secret"], check=True, capture_output=True)
    config = dir / "mosquitto.conf"
    config.write_text(f"user root\nlistener {port} 127.0.0.1\nallow_anonymous false\npassword_file {passwords}\n")
    with process(program("mosquitto"), "-c", config, cwd=dir, log="mosquitto.log"):
        until(lambda: _answers(port), "the broker listens")
        yield port


def _answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True


@contextmanager
def client(port: int, *topics: str) -> Iterator[MqttClient]:
    """A client of the broker that hears the topics."""
    made = MqttClient(Address("127.0.0.1", port, user="node", password="secret"), Session("a-test", topics, expiry=0))
    made.start()
    try:
        assert made.wait_connected(15), made.last_error
        yield made
    finally:
        made.stop()


@contextmanager
def softphone(dir: Path, mqtt: int) -> Iterator[int]:
    """The operator's baresip; its SIP port."""
    home = dir / "baresip"
    home.mkdir()
    with wave.open(str(home / "silence.wav"), "wb") as silence:
        silence.setnchannels(1)
        silence.setsampwidth(2)
        silence.setframerate(8000)
        silence.writeframes(bytes(2 * 8000 * 30))
    modules = next(iter(Path("/usr/lib").glob("**/baresip/modules")), Path("/usr/lib/baresip/modules"))
    sip, rtp = free_port(socket.SOCK_DGRAM), free_port(socket.SOCK_DGRAM) // 2 * 2
    (home / "config").write_text(
        CONFIG.format(
            sip=sip, rtp=rtp, rtp_end=rtp + 20, silence=home / "silence.wav", modules=modules, mqtt=mqtt, base=BASE
        )
    )
    (home / "accounts").write_text(f"<sip:{SEAT}@127.0.0.1:{sip}>;regint=0;answermode=manual;audio_codecs=PCMU\n")
    (home / "contacts").write_text("")
    with process(program("baresip"), "-4", "-f", home, cwd=home, log="baresip.log") as running:
        said = home / "baresip.log"

        def ready() -> bool:
            assert running.poll() is None, said.read_text(errors="replace")
            return "mqtt: subscribed to pattern" in said.read_text(errors="replace")

        until(ready, "baresip is at the broker")
        yield sip


@contextmanager
def caller(dir: Path, sip: int) -> Iterator[subprocess.Popen[bytes]]:
    """SIPp calling the softphone: one call from +86 139 4001 2345, one second long once it is answered."""
    home = dir / "sipp"
    home.mkdir()
    command = [
        program("sipp"), f"127.0.0.1:{sip}", "-i", "127.0.0.1", "-p", str(free_port(socket.SOCK_DGRAM)), "-mp",
        str(free_port(socket.SOCK_DGRAM) // 2 * 2), "-sf", str(HERE / "caller.xml"), "-s", SEAT, "-m", "1", "-nostdin", "-trace_err",
    ]  # fmt: skip
    with process(*command, cwd=home, log="sipp.log") as running:
        yield running


def accept(at: MqttClient) -> None:
    """Press the softphone's key for the call that rings."""
    code = at.send(
        f"/{BASE}/command/test", json.dumps({"command": "accept", "params": "", "token": "1"}).encode()
    ).result(10)
    assert code in (0, 16)
