"""SNMPv3 by pysnmp: one engine a loop, users and targets in it, and what went wrong in words.

pysnmp's engine costs 100 ms and its memory never comes back: it is made once (``Place.shared``). OIDs are numbers and
no MIB is looked up. Two devices that know one user name by different passwords need two engines (``agent.py``).
"""

from __future__ import annotations

import asyncio
import importlib.util
from typing import Any

from wanmi.errors import DeviceFault, DeviceGarbled, DeviceRefused, DeviceUnreachable
from wanmi_hardware.snmp.asker import Answer, Question
from wanmi_hardware.snmp.ber import Pairs
from wanmi_hardware.snmp.probe import discovery, engine_of
from wanmi_hardware.snmp.settings import SnmpSettings
from wanmi_hardware.snmp.values import Oid, ValueType, Var

AUTH = {
    "none": "USM_AUTH_NONE",
    "md5": "USM_AUTH_HMAC96_MD5",
    "sha": "USM_AUTH_HMAC96_SHA",
    "sha224": "USM_AUTH_HMAC128_SHA224",
    "sha256": "USM_AUTH_HMAC192_SHA256",
    "sha384": "USM_AUTH_HMAC256_SHA384",
    "sha512": "USM_AUTH_HMAC384_SHA512",
}
PRIVACY = {
    "none": "USM_PRIV_NONE",
    "des": "USM_PRIV_CBC56_DES",
    "3des": "USM_PRIV_CBC168_3DES",
    "aes": "USM_PRIV_CFB128_AES",
    "aes192": "USM_PRIV_CFB192_AES",
    "aes256": "USM_PRIV_CFB256_AES",
}

_HINTS: dict[str, tuple[type[DeviceFault], str]] = {
    "UnknownUserName": (DeviceRefused, "the agent does not know user {user!r}: look at the user name there and here"),
    "UnknownSecurityName": (
        DeviceRefused,
        "the agent does not know user {user!r}: look at the user name there and here",
    ),
    "WrongDigest": (
        DeviceRefused,
        "user {user!r} is known, and the authentication is wrong: look at auth_password, and whether auth is {auth}",
    ),
    "AuthenticationFailure": (
        DeviceRefused,
        "the answer's authentication is wrong: look at auth_password, and whether auth is {auth}",
    ),
    "DecryptionError": (
        DeviceRefused,
        (
            "user and authentication are right, and the privacy is wrong: look at privacy_password, and whether privacy "
            "is {privacy}"
        ),
    ),
    "UnsupportedSecurityLevel": (
        DeviceRefused,
        "user {user!r} is not allowed this security level (auth {auth}, privacy {privacy}): the agent has it otherwise",
    ),
    "NotInTimeWindow": (
        DeviceRefused,
        (
            "the agent's clock is not in the time window: its engine boots or engine time ran backwards (a restored card, "
            "an empty battery, two agents with one engine id); restart the agent's card"
        ),
    ),
    "UnknownEngineID": (
        DeviceRefused,
        "the agent's engine id changed while we talked: a card was exchanged, or two agents share the address",
    ),
    "EngineIDMismatch": (DeviceGarbled, "the answer comes from another engine than was asked: two agents, one address"),
    "NoEncryption": (DeviceRefused, "privacy needs the Python module cryptography, which is not installed"),
    "EncryptionError": (DeviceRefused, "privacy needs the Python module cryptography, which is not installed"),
}
"""pysnmp's error indications by class: the fault, and what to look at."""


Credentials = tuple[str, str, str, str, str]


def fault_of(indication: object, settings: SnmpSettings) -> DeviceFault:
    """The fault that a v3 error indication means."""
    return _fault(type(indication).__name__, str(indication), settings)


def _fault(name: str, said: str, settings: SnmpSettings) -> DeviceFault:
    kind, words = _HINTS.get(name, (DeviceGarbled, "SNMPv3 fails: {said}"))
    told = words.format(user=settings.user, auth=settings.auth, privacy=settings.privacy, said=said)
    return kind(f"{settings.where}: {told}")


class Engine:
    """pysnmp's engine of one event loop, with the users and targets that askers put into it.

    pysnmp knows a user by the name alone: ``takes`` says whether credentials agree with those it has.
    """

    def __init__(self) -> None:
        from pysnmp.entity.engine import SnmpEngine

        self.snmp: Any = SnmpEngine()
        self._users: dict[str, Credentials] = {}
        self._parameters: set[str] = set()
        self._domains: set[Oid] = set()
        self._targets = 0

    def takes(self, settings: SnmpSettings) -> bool:
        """Whether the user is new, or known by these same credentials."""
        return self._users.get(settings.user, _credentials(settings)) == _credentials(settings)

    def add_target(self, settings: SnmpSettings, host: str, six: bool, level: str) -> str:
        """A target for an address and a security level; its name."""
        from pysnmp.carrier.asyncio.dgram import udp, udp6
        from pysnmp.entity import config

        module, transport = (udp6, udp6.Udp6AsyncioTransport) if six else (udp, udp.UdpAsyncioTransport)
        domain = module.DOMAIN_NAME
        if domain not in self._domains:
            config.add_transport(self.snmp, domain, transport().open_client_mode())
            self._domains.add(domain)
        self._targets += 1
        name = f"t{self._targets}"
        # pysnmp counts in hundredths of a second, and one try more than retries.
        timeout = int(settings.timeout * 100)
        place = (host, settings.port, 0, 0) if six else (host, settings.port)
        parameters = self._known(settings, level)
        config.add_target_address(self.snmp, name, domain, place, parameters, timeout, settings.tries - 1, b"")
        return name

    def _known(self, settings: SnmpSettings, level: str) -> str:
        """The name of the parameters for a user and a level; both are added when they are new."""
        from pysnmp.entity import config

        if settings.user not in self._users:
            self._users[settings.user] = _credentials(settings)
            self._add_user(settings, None)
        name = f"{level}:{settings.user}"
        if name not in self._parameters:
            config.add_target_parameters(self.snmp, name, settings.user, level, 3)
            self._parameters.add(name)
        return name

    def add_user(self, settings: SnmpSettings, engine: bytes) -> None:
        """Know the settings' user in what the engine ``engine`` says by itself."""
        from pysnmp.proto.rfc1902 import OctetString

        self._add_user(settings, OctetString(engine))

    def _add_user(self, settings: SnmpSettings, engine: object) -> None:
        from pysnmp.entity import config

        user, auth, auth_password, privacy, privacy_password = _credentials(settings)
        config.add_v3_user(
            self.snmp,
            user,
            getattr(config, AUTH[auth]),
            auth_password or None,
            getattr(config, PRIVACY[privacy]),
            privacy_password or None,
            securityEngineId=engine,
        )

    def drop_target(self, name: str) -> None:
        """The target is not asked any more."""
        from pysnmp.entity import config

        config.delete_target_address(self.snmp, name)

    def close(self) -> None:
        """Close its sockets (the engine itself stays: its memory never comes back)."""
        self.snmp.close_dispatcher()


def level_of(settings: SnmpSettings) -> str:
    """noAuthNoPriv, authNoPriv or authPriv."""
    if settings.auth == "none":
        return "noAuthNoPriv"
    return "authNoPriv" if settings.privacy == "none" else "authPriv"


def _credentials(settings: SnmpSettings) -> Credentials:
    """User, authentication and its password, privacy and its password; no password for what is not used."""
    auth, privacy = settings.auth_password, settings.privacy_password
    return (
        settings.user,
        settings.auth,
        auth.get_secret_value() if auth and settings.auth != "none" else "",
        settings.privacy,
        privacy.get_secret_value() if privacy and settings.privacy != "none" else "",
    )


class UsmAsker:
    """Asks one agent as a v3 user."""

    bulk = True

    def __init__(self, settings: SnmpSettings, engine: Engine, target: str) -> None:
        self.where = settings.where
        self._settings = settings
        self._engine = engine
        self._target = target

    @classmethod
    async def open(cls, settings: SnmpSettings, engine: Engine, level: str = "") -> UsmAsker:
        """An asker; DeviceUnreachable when the name is not known, DeviceRefused when privacy cannot be had here."""
        if settings.privacy != "none" and importlib.util.find_spec("cryptography") is None:
            raise DeviceRefused(
                f"{settings.where}: privacy needs the Python module cryptography, which is not installed"
            )
        host, six = await _resolved(settings)
        return cls(settings, engine, engine.add_target(settings, host, six, level or level_of(settings)))

    async def ask(self, question: Question, pairs: Pairs, repeat: int = 0) -> Answer:
        """The agent's answer; pysnmp sends again, finds the engine id and keeps its clock."""
        indication, pdu = await self._exchange(question, pairs, repeat)
        if indication is not None:
            if type(indication).__name__ == "RequestTimedOut":
                raise await self._silence()
            raise fault_of(indication, self._settings)
        return _answer(pdu)

    def close(self) -> None:
        """Forget the target; the engine's socket is shared."""
        self._engine.drop_target(self._target)

    async def _exchange(self, question: Question, pairs: Pairs, repeat: int) -> tuple[object, Any]:
        from pysnmp.entity.rfc3413.cmdgen import CommandGenerator
        from pysnmp.error import PySnmpError

        future: asyncio.Future[tuple[object, Any]] = asyncio.get_running_loop().create_future()

        def arrived(_engine: object, _handle: object, indication: object, pdu: Any, _context: object) -> None:
            if not future.done():
                future.set_result((indication, pdu))

        try:
            CommandGenerator().send_pdu(
                self._engine.snmp,
                self._target,
                None,
                self._settings.context.encode(),
                _pdu(question, pairs, repeat),
                arrived,
                None,
            )
        except PySnmpError as error:
            raise DeviceGarbled(f"{self.where}: SNMPv3 fails: {error}") from error
        return await future

    async def _silence(self) -> DeviceFault:
        """Why no answer came: an agent drops what it cannot decrypt, so ask what it would answer."""
        if await engine_id(self._settings) is None:
            return DeviceUnreachable(
                f"{self.where}: no answer, not even to SNMPv3 discovery. Nothing is there (address, cable, power, "
                f"firewall for UDP {self._settings.port}), or version 3 is switched off in the agent"
            )
        if level_of(self._settings) == "authPriv" and await self._answers_without_privacy():
            return _fault("DecryptionError", "", self._settings)
        return DeviceUnreachable(
            f"{self.where}: the agent speaks SNMPv3 and does not answer user {self._settings.user!r}: it is slow "
            "(set timeout higher), or it drops what it cannot read (wrong user, password or protocol)"
        )

    async def _answers_without_privacy(self) -> bool:
        asker = await UsmAsker.open(self._settings, self._engine, "authNoPriv")
        try:
            indication, _ = await asker._exchange("get", ((_UPTIME, Var("null")),), 0)
        finally:
            asker.close()
        return indication is None or type(indication).__name__ == "UnsupportedSecurityLevel"


_UPTIME = (1, 3, 6, 1, 2, 1, 1, 3, 0)


async def _resolved(settings: SnmpSettings) -> tuple[str, bool]:
    import socket

    loop = asyncio.get_running_loop()
    try:
        found = await loop.getaddrinfo(settings.address, settings.port, type=socket.SOCK_DGRAM)
    except socket.gaierror as error:
        raise DeviceUnreachable(
            f"{settings.where}: no such host ({error.strerror}); look at the address and the name server"
        ) from None
    family, *_, place = found[0]
    return str(place[0]), family == socket.AF_INET6


async def engine_id(settings: SnmpSettings) -> bytes | None:
    """The agent's engine id, None when it does not answer discovery."""
    heard: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    class Listener(asyncio.DatagramProtocol):
        """Takes the first answer that has an engine id."""

        def datagram_received(self, data: bytes, addr: object) -> None:
            found = engine_of(data)
            if found and not heard.done():
                heard.set_result(found)

    loop = asyncio.get_running_loop()
    try:
        transport, _ = await loop.create_datagram_endpoint(Listener, remote_addr=(settings.address, settings.port))
    except OSError:
        return None
    try:
        for _ in range(settings.tries):
            transport.sendto(discovery())
            done, _pending = await asyncio.wait((heard,), timeout=settings.timeout)
            if done:
                return heard.result()
        return None
    finally:
        transport.close()


def _pdu(question: Question, pairs: Pairs, repeat: int) -> Any:
    from pysnmp.proto.api import v2c

    if question == "bulk":
        pdu = v2c.GetBulkRequestPDU()
        v2c.apiBulkPDU.set_defaults(pdu)
        v2c.apiBulkPDU.set_non_repeaters(pdu, 0)
        v2c.apiBulkPDU.set_max_repetitions(pdu, repeat)
        v2c.apiBulkPDU.set_varbinds(pdu, [(oid, _wire(var)) for oid, var in pairs])
        return pdu
    pdu = {"get": v2c.GetRequestPDU, "next": v2c.GetNextRequestPDU, "set": v2c.SetRequestPDU}[question]()
    v2c.apiPDU.set_defaults(pdu)
    v2c.apiPDU.set_varbinds(pdu, [(oid, _wire(var)) for oid, var in pairs])
    return pdu


def _wire(var: Var) -> Any:
    from pysnmp.proto import rfc1902

    makers = {
        "integer": rfc1902.Integer32,
        "octets": rfc1902.OctetString,
        "oid": rfc1902.ObjectIdentifier,
        "gauge": rfc1902.Gauge32,
        "counter": rfc1902.Counter32,
        "ticks": rfc1902.TimeTicks,
        "counter64": rfc1902.Counter64,
    }
    return makers[var.type](var.value) if var.type in makers else rfc1902.Null("")


def _answer(pdu: Any) -> Answer:
    from pysnmp.proto.api import v2c

    pairs = tuple((tuple(oid), var_of(value)) for oid, value in v2c.apiPDU.get_varbinds(pdu))
    index = int(v2c.apiPDU.get_error_index(pdu, muteErrors=True))
    return Answer(int(v2c.apiPDU.get_error_status(pdu)), index, pairs)


_BY_NAME: dict[str, ValueType] = {
    "Integer": "integer",
    "Integer32": "integer",
    "Unsigned32": "gauge",
    "Gauge32": "gauge",
    "Counter32": "counter",
    "Counter64": "counter64",
    "TimeTicks": "ticks",
    "IpAddress": "address",
    "Opaque": "opaque",
    "OctetString": "octets",
    "ObjectIdentifier": "oid",
    "ObjectName": "oid",
    "NoSuchObject": "no_object",
    "NoSuchInstance": "no_instance",
    "EndOfMibView": "end",
}


def var_of(value: Any) -> Var:
    """pysnmp's value as ours; a type that we do not know is absent."""
    kind = _BY_NAME.get(type(value).__name__, "null")
    if kind in ("integer", "gauge", "counter", "counter64", "ticks"):
        return Var(kind, int(value))
    if kind in ("octets", "address", "opaque"):
        return Var(kind, bytes(value))
    return Var(kind, tuple(value) if kind == "oid" else None)
