"""A UPS that is not there: an SNMP agent with RFC 1628's objects, whose mains fail and come back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from wanmi_hardware.snmp.ber import Message, Pdu, decode, encode
from wanmi_hardware.snmp.values import Oid, Var, oid_of

State = Literal["mains", "battery", "off"]
UPS = "1.3.6.1.2.1.33.1"
NORMAL, LOW = 2, 3
SOURCE: Mapping[State, int] = {"mains": 3, "battery": 5, "off": 2}
"""upsOutputSource of RFC 1628: none(2), normal(3), battery(5)."""


@dataclass
class Unit:
    """The UPS itself. Charge in percent, ``minutes`` that a full battery lasts, ``recharge`` minutes from empty to full."""

    name: str
    minutes: float = 20.0
    recharge: float = 60.0
    charge: float = 100.0
    mains: bool = True
    on_battery: float = 0.0
    up: float = 0.0

    @property
    def state(self) -> State:
        """Where the output's power comes from."""
        return "mains" if self.mains else "battery" if self.charge > 0 else "off"

    def pass_seconds(self, seconds: float) -> None:
        """Time goes by: the battery drains or is charged."""
        self.up += seconds
        if self.mains:
            self.on_battery = 0.0
            self.charge = min(100.0, self.charge + seconds * 100 / (self.recharge * 60))
        else:
            self.on_battery += seconds
            self.charge = max(0.0, self.charge - seconds * 100 / (self.minutes * 60))

    def objects(self) -> dict[Oid, Var]:
        """What its agent holds now."""
        volts = 2305 if self.mains else 0
        out = 0 if self.state == "off" else 2298
        numbers = {
            "2.1.0": LOW if self.charge < 20 else NORMAL, "2.2.0": round(self.on_battery),
            "2.3.0": round(self.minutes * self.charge / 100), "2.4.0": round(self.charge), "2.5.0": 540, "2.7.0": 25,
            "3.2.0": 1, "3.3.1.2.1": 500 if self.mains else 0, "3.3.1.3.1": volts // 10,
            "4.1.0": SOURCE[self.state], "4.2.0": 500, "4.3.0": 1, "4.4.1.2.1": out // 10, "4.4.1.3.1": 18,
            "4.4.1.4.1": 410, "4.4.1.5.1": 34, "6.1.0": 0 if self.mains else 1,
        }  # fmt: skip
        texts = {"1.1.0": "Wanmi", "1.2.0": "Emulated UPS", "1.3.0": "1.0", "1.5.0": self.name}
        found = {oid_of(f"{UPS}.{end}"): Var("integer", value) for end, value in numbers.items()}
        found |= {oid_of(f"{UPS}.{end}"): Var("octets", value.encode()) for end, value in texts.items()}
        found[oid_of("1.3.6.1.2.1.1.1.0")] = Var("octets", b"Wanmi emulated UPS")
        found[oid_of("1.3.6.1.2.1.1.2.0")] = Var("oid", oid_of(f"{UPS}.9"))
        found[oid_of("1.3.6.1.2.1.1.3.0")] = Var("ticks", round(self.up * 100) % 2**32)
        found[oid_of("1.3.6.1.2.1.1.5.0")] = Var("octets", self.name.encode())
        return dict(sorted(found.items()))


def answer(unit: Unit, community: bytes, data: bytes) -> bytes | None:
    """The answer to a datagram; None to what an agent does not answer (another community, a set)."""
    message = decode(data)
    pdu = message.pdu
    if message.community != community or not isinstance(pdu, Pdu) or pdu.type not in ("get", "next", "bulk"):
        return None
    objects = unit.objects()
    pairs = tuple(_got(objects, oid) for oid, _ in pdu.vars) if pdu.type == "get" else _after(objects, pdu)
    return encode(Message(message.version, community, Pdu("response", pdu.request, 0, 0, pairs)))


def _got(objects: Mapping[Oid, Var], oid: Oid) -> tuple[Oid, Var]:
    return oid, objects.get(oid, Var("no_instance"))


def _after(objects: Mapping[Oid, Var], pdu: Pdu) -> tuple[tuple[Oid, Var], ...]:
    """The objects behind the first one that was named: one for a GETNEXT, as many as asked for in a GETBULK."""
    start = pdu.vars[0][0]
    wanted = [pair for pair in objects.items() if pair[0] > start][: max(1, pdu.index) if pdu.type == "bulk" else 1]
    return tuple(wanted) or ((start, Var("end")),)
