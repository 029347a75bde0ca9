"""A terminal that is not set up yet asks to be admitted: it needs an edge's address, its CA, and a code if the edge wants one.

TDIR/asking.json (0600) holds the keys that it asks with, until it is admitted: then they are the terminal's, in the files of
`home`. Whatever step a crash comes after, the same command goes on: the same key asks again, and gets the same answer.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from wanmi.errors import BadInput, Conflict, LinkError, NotAllowed
from wanmi.identity.keys import fingerprint
from wanmi.ids import Ids
from wanmi.reports.asks import (
    ASK_PASSWORD,
    ASK_USER,
    Ask,
    AskAnswer,
    Granted,
    answer_topic,
    ask_topic,
    read_answer,
    sign_ask,
)
from wanmi.reports.envelope import from_b64, key_id
from wanmi_terminal.home import Home, init_home, write_private
from wanmi_terminal.keyring import Pair

if TYPE_CHECKING:
    from wanmi_terminal.broker import BrokerUrl

FILE = "asking.json"
ASK_AGAIN = 3.0
"""Seconds between two times of asking; an edge answers each."""
CONNECT_S = 5.0


class _Kept(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """asking.json; keys in hex."""

    key: str
    seal: str
    password: str
    verifier: str
    model: str
    made_at: int


@dataclass(frozen=True)
class Asking:
    """A request as this terminal makes it, again and again with the same keys."""

    dir: Path
    pair: Pair
    seal: X25519PrivateKey
    model: str

    @property
    def key_id(self) -> str:
        """What the district names the request by."""
        return key_id(self.pair.public)

    @property
    def fingerprint(self) -> str:
        """What a person compares with what the district shows."""
        return fingerprint(self.pair.public)

    def message(self, app: str, code: str = "") -> bytes:
        """What to publish."""
        seal = self.seal.public_key().public_bytes_raw().hex()
        said = Ask(1, self.pair.public.hex(), seal, self.pair.verifier, self.model, app, self.pair.since)
        return sign_ask(said, self.pair.key, code)

    def open(self, answer: AskAnswer) -> Granted:
        """What an approval holds for this terminal; BadInput when it is for another one."""
        from wanmi.store.blobs import unwrap_key

        content = unwrap_key(from_b64(answer.sealed), f"ask:{self.key_id}", self.seal)
        try:
            return msgspec.json.decode(content, type=Granted)
        except msgspec.DecodeError as error:
            raise BadInput(f"the approval cannot be read: {error}") from error


def begin_asking(where: Path, model: str, ids: Ids, now: int, *, again: bool = False) -> Asking:
    """The keys to ask with: made and on disk now, or those of before (``again``: new ones; a denied key stays denied)."""
    if (where / "terminal.json").exists():
        raise Conflict(f"{where}: a terminal is set up here already; choose another directory")
    file = where / FILE
    if file.exists() and not again:
        return _read(where)
    pair, seal = Pair.make(ids, now), ids.token(32)
    where.mkdir(parents=True, exist_ok=True)
    kept = _Kept(pair.key.private_bytes_raw().hex(), seal.hex(), pair.password, pair.verifier, model, now)
    write_private(file, msgspec.json.encode(kept))
    return _read(where)


def settle(asking: Asking, granted: Granted, broker: str, ca: Path | None, ids: Ids) -> Home:
    """The terminal is admitted: its directory is set up with the keys that it asked with.

    ``broker`` is where it asked: it goes first, for it is known to answer.
    """
    brokers = (broker, *(url for url in granted.brokers if url and url != broker))
    home = init_home(
        asking.dir, granted.terminal, ids, _usable(brokers, ca), ca, (granted.district_key,), pair=asking.pair
    )
    (asking.dir / FILE).unlink(missing_ok=True)
    return home


def ask(
    asking: Asking, broker: BrokerUrl, message: bytes, seconds: float, tell: Callable[[AskAnswer], None]
) -> AskAnswer | None:
    """Ask until it is decided: the approval or the refusal; None when the time is over first. LinkError: not reached.

    ``tell`` hears each answer that is another than the one before.
    """
    heard: list[AskAnswer] = []
    came = threading.Event()
    client = _client(asking, broker, heard, came)
    last, until = "", time.monotonic() + seconds
    try:
        while True:
            client.publish(ask_topic(asking.key_id), message, qos=1)
            came.wait(max(0.0, min(ASK_AGAIN, until - time.monotonic())))
            came.clear()
            answer = heard[-1] if heard else None
            if answer is not None and answer.status != last:
                last = answer.status
                tell(answer)
            if answer is not None and answer.status not in ("pending", "busy"):
                return answer
            if time.monotonic() >= until:
                return None
    finally:
        client.disconnect()
        client.loop_stop()


def refused(answer: AskAnswer) -> NotAllowed:
    """What a person is told who is not admitted."""
    why = {
        "denied": f"the district turned this terminal away: {answer.reason}",
        "expired": "nobody decided in time: ask anew with --again",
        "bad_code": "this edge wants a one-time code (--code), and it does not know this one, or it was used",
        "closed": "this edge takes no requests (edge.asks.open)",
    }
    return NotAllowed(why.get(answer.status, answer.status))


def _client(asking: Asking, broker: BrokerUrl, heard: list[AskAnswer], came: threading.Event) -> Any:
    """A connected client that hears the answers for this key."""
    from paho.mqtt.client import Client, MQTTv5
    from paho.mqtt.enums import CallbackAPIVersion

    client = Client(CallbackAPIVersion.VERSION2, client_id=f"ask-{asking.key_id}", protocol=MQTTv5)
    client.username_pw_set(ASK_USER, ASK_PASSWORD)
    client.connect_timeout = CONNECT_S
    if broker.tls:
        client.tls_set(ca_certs=str(broker.ca) if broker.ca else None)
    ready, problem = threading.Event(), ["no answer"]

    def connected(client: Any, _data: object, _flags: object, reason: Any, _properties: object) -> None:
        problem[0] = str(reason)
        if not reason.is_failure:
            client.subscribe(answer_topic(asking.key_id), qos=1)

    def message(_client: Any, _data: object, message: Any) -> None:
        try:
            answer = read_answer(message.payload)
        except BadInput:
            return
        if answer.key_id == asking.key_id:
            heard.append(answer)
            came.set()

    client.on_connect = connected
    client.on_subscribe = lambda *_: ready.set()
    client.on_message = message
    try:
        client.connect(broker.host, broker.port)
    except OSError as error:
        raise LinkError(f"{broker}: {error}") from error
    client.loop_start()
    if not ready.wait(CONNECT_S):
        client.disconnect()
        client.loop_stop()
        raise LinkError(f"{broker} does not let an unknown terminal in ({problem[0]}): is edge.asks.open set there?")
    return client


def _usable(brokers: tuple[str, ...], ca: Path | None) -> tuple[str, ...]:
    """Those that this terminal may use; a broker that knows itself by an unreachable name does no harm."""
    from wanmi_terminal.broker import BrokerUrl

    good = []
    for url in dict.fromkeys(brokers):
        try:
            BrokerUrl.parse(url, ca)
        except BadInput:
            continue
        good.append(url)
    return tuple(good)


def _read(where: Path) -> Asking:
    try:
        kept = msgspec.json.decode((where / FILE).read_bytes(), type=_Kept)
        key = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(kept.key))
        seal = X25519PrivateKey.from_private_bytes(bytes.fromhex(kept.seal))
    except (msgspec.DecodeError, ValueError) as error:
        raise BadInput(f"{where / FILE}: not a terminal's request: {error}; ask anew with --again") from error
    return Asking(where, Pair(key, kept.password, kept.verifier, kept.made_at), seal, kept.model)
