"""IF-MIB (RFC 2863): links, rates, errors, uptime. Pure: two looks at an agent's counters give rates.

A 64-bit counter does not wrap in practice: a smaller value is a restart. A 32-bit counter may wrap once between two
looks; twice cannot be seen, so its rate is believed only up to what the link can carry.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from wanmi.devices import AlarmRule, Quantity, Reading
from wanmi_hardware.snmp.values import Oid, Var

UPTIME: Oid = (1, 3, 6, 1, 2, 1, 1, 3, 0)
IF_ENTRY: Oid = (1, 3, 6, 1, 2, 1, 2, 2, 1)
IFX_ENTRY: Oid = (1, 3, 6, 1, 2, 1, 31, 1, 1, 1)
NAME, DESCRIPTION = (*IFX_ENTRY, 1), (*IF_ENTRY, 2)
SPEED, HIGH_SPEED = (*IF_ENTRY, 5), (*IFX_ENTRY, 15)
ADMIN, OPERATING = (*IF_ENTRY, 7), (*IF_ENTRY, 8)
IN_32, OUT_32 = (*IF_ENTRY, 10), (*IF_ENTRY, 16)
IN_64, OUT_64 = (*IFX_ENTRY, 6), (*IFX_ENTRY, 10)
IN_ERRORS, OUT_ERRORS = (*IF_ENTRY, 14), (*IF_ENTRY, 20)
IN_DISCARDS, OUT_DISCARDS = (*IF_ENTRY, 13), (*IF_ENTRY, 19)

POLLED = (ADMIN, OPERATING, IN_32, OUT_32, IN_64, OUT_64, IN_ERRORS, OUT_ERRORS, IN_DISCARDS, OUT_DISCARDS)
"""Columns asked for in every poll; names and speeds are read when the session begins."""

TICKS = 1 << 32
SLACK = 1.2
"""How far above its speed a link's rate may be read: the two looks are not exactly as far apart as we think."""

LINK = {
    "up": ("连通", "up"),
    "down": ("断开", "down"),
    "off": ("停用", "switched off"),
    "testing": ("测试", "testing"),
    "dormant": ("休眠", "dormant"),
    "absent": ("不存在", "absent"),
}
_OPERATING = {1: "up", 2: "down", 3: "testing", 5: "dormant", 6: "absent", 7: "down"}
"""ifOperStatus to words; 4 is unknown."""

QUANTITIES: tuple[Quantity, ...] = (
    Quantity("uptime", "s", "运行时间", "uptime", 0, 4_300_000_000),
    Quantity("links.up", "", "连通端口数", "links up", 0, 10_000),
    Quantity("links.down", "", "断开端口数", "links down", 0, 10_000),
    Quantity("link.#.state", "", "端口#状态", "port # state", words=LINK),
    Quantity("link.#.name", "", "端口#名称", "port # name"),
    Quantity("link.#.in", "bit/s", "端口#流入", "port # in", 0, 1e13),
    Quantity("link.#.out", "bit/s", "端口#流出", "port # out", 0, 1e13),
    Quantity("link.#.errors", "/s", "端口#错误率", "port # errors", 0, 1e9),
    Quantity("link.#.discards", "/s", "端口#丢弃率", "port # discards", 0, 1e9),
)
BY_NAME = {quantity.name: quantity for quantity in QUANTITIES}

RULES: tuple[AlarmRule, ...] = (AlarmRule("restarted", "uptime", "notice", "设备刚重启", "restarted", below=300),)
"""A device that has many ports knows best which may be down: rules for single links are the technician's."""


@dataclass(frozen=True)
class Link:
    """A port: its name and its speed in bit/s (0: not told)."""

    index: int
    name: str
    speed: float


@dataclass(frozen=True)
class Look:
    """The counters at one moment: ``at`` seconds of our monotonic clock, ``ticks`` of the agent's uptime (None: none)."""

    at: float
    ticks: int | None
    found: Mapping[Oid, Var] = field(default_factory=dict)


def links_of(found: Mapping[Oid, Var]) -> tuple[Link, ...]:
    """The ports in a walk of IF-MIB's names and speeds, by index."""
    indices = sorted({oid[-1] for oid in found if oid[:-1] in (OPERATING, DESCRIPTION, NAME)})
    return tuple(Link(index, _name(found, index), _speed(found, index)) for index in indices)


def _name(found: Mapping[Oid, Var], index: int) -> str:
    texts = (found[oid].text() for oid in ((*NAME, index), (*DESCRIPTION, index)) if oid in found)
    return next((text for text in texts if text), str(index))


def _speed(found: Mapping[Oid, Var], index: int) -> float:
    high = _number(found, (*HIGH_SPEED, index))
    return high * 1e6 if high else _number(found, (*SPEED, index)) or 0.0


def _number(found: Mapping[Oid, Var], oid: Oid) -> float | None:
    return found[oid].number() if oid in found else None


def has_restarted(before: Look, now: Look) -> bool:
    """Whether the agent began anew between two looks.

    Its uptime wraps after 497 days: what it should be by our clock decides, with room for a clock that is 5 % off.
    """
    if before.ticks is None or now.ticks is None:
        return False
    passed = (now.at - before.at) * 100
    counted = (now.ticks - before.ticks) % TICKS
    return abs(counted - passed) > 0.05 * passed + 500


def readings_of(links: Iterable[Link], before: Look | None, now: Look) -> tuple[Reading, ...]:
    """What a look says, with rates where there was one before and no restart between."""
    links = tuple(links)
    readings = []
    if now.ticks is not None:
        readings.append(BY_NAME["uptime"].read(now.ticks / 100, f"ticks {now.ticks}"))
    states = {link.index: _state(now.found, link.index) for link in links}
    words = [state for state, _ in states.values()]
    readings += [Reading(f"links.{word}", float(words.count(word))) for word in ("up", "down")]
    earlier = before if before is not None and not has_restarted(before, now) else None
    for link in links:
        state, raw = states[link.index]
        start = f"link.{link.index}"
        readings.append(Reading(f"{start}.state", state or None, raw, "good" if state else "unknown"))
        readings.append(Reading(f"{start}.name", link.name))
        if earlier is not None:
            readings += _rates(link, earlier, now)
    return tuple(readings)


def _state(found: Mapping[Oid, Var], index: int) -> tuple[str, str]:
    """The link's state and its raw value; a port that is switched off is not down."""
    operating, admin = _number(found, (*OPERATING, index)), _number(found, (*ADMIN, index))
    word = _OPERATING.get(int(operating), "") if operating is not None and operating.is_integer() else ""
    raw = f"operating {operating} admin {admin}"
    return ("off" if admin == 2 and word != "up" else word), raw


def _rates(link: Link, before: Look, now: Look) -> list[Reading]:
    start = f"link.{link.index}"
    readings = []
    for name, wide, narrow in (("in", IN_64, IN_32), ("out", OUT_64, OUT_32)):
        rate = _rate((*wide, link.index), before, now)
        raw = "64-bit counter"
        if rate is None:
            rate, raw = _rate((*narrow, link.index), before, now), "32-bit counter"
        if rate is None:
            continue
        bits = round(rate * 8, 1)
        plausible = not link.speed or bits <= link.speed * SLACK
        readings.append(Reading(f"{start}.{name}", bits, raw, "good" if plausible else "implausible"))
    for name, columns in (("errors", (IN_ERRORS, OUT_ERRORS)), ("discards", (IN_DISCARDS, OUT_DISCARDS))):
        rates = [rate for one in columns if (rate := _rate((*one, link.index), before, now)) is not None]
        if rates:
            readings.append(BY_NAME[f"link.#.{name}"].read(round(sum(rates), 3), "32-bit counters"))
            readings[-1] = Reading(f"{start}.{name}", readings[-1].value, readings[-1].raw, readings[-1].quality)
    return readings


def _rate(oid: Oid, before: Look, now: Look) -> float | None:
    """Counts a second; None where there is none, or a 64-bit counter ran backwards."""
    was, then = before.found.get(oid), now.found.get(oid)
    passed = now.at - before.at
    if was is None or then is None or passed <= 0:
        return None
    if not isinstance(was.value, int) or not isinstance(then.value, int):
        return None
    counted = then.value - was.value
    if counted < 0:
        if then.type == "counter64" or was.value >= TICKS:
            return None
        counted += TICKS
    return counted / passed
