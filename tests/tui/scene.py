"""A scene for the snapshots: an edge and its district as their API answers, at a time that stands still."""

from __future__ import annotations

import base64
from typing import Any

import httpx
import msgspec

from wanmi.clock import ManualClock
from wanmi.entries import Entry, chain_hash, encode, raw_digest
from wanmi_tui.app import WanmiApp
from wanmi_tui.client import NodeClient
from wanmi_tui.words import Lang

SECOND = 1_000_000
NOW = 1_795_542_918 * SECOND
"""2026-11-25 01:55:18 in Beijing."""
MINUTE = 60 * SECOND
EDGE, DISTRICT = "21010201", "210102"


def reading(name: str, value: Any, unit: str, zh: str, en: str, **more: Any) -> dict[str, Any]:
    raw = more.pop("raw", str(value))
    return {"name": name, "value": value, "unit": unit, "raw": raw, "at": NOW - SECOND, "zh": zh, "en": en, **more}


def device(id: str, name: str, driver: str, kind: str, state: str = "fine", **more: Any) -> dict[str, Any]:
    parts = more.pop("parts", None)
    if parts is None:
        parts = [
            {"part": "", "readings": more.pop("readings", []), "fix": more.pop("fix", None), "fix_at": NOW - SECOND}
        ]
    return {
        "id": id, "name": name, "driver": driver, "kind": kind, "state": state, "parts": parts,
        "seen_at": more.pop("seen_at", NOW - 2 * SECOND), **more,
    }  # fmt: skip


def ups(charge: float, power: str, zh: str, load: float, minutes: float) -> list[dict[str, Any]]:
    return [
        reading("battery.charge", charge, "%", "电池电量", "battery charge"),
        reading("battery.minutes", minutes, "min", "剩余供电时间", "time left"),
        reading("battery.temperature", None, "°C", "电池温度", "battery temperature", raw="0", quality="unknown"),
        reading("input.1.voltage", 231.0, "V", "输入电压", "input voltage", raw="2310"),
        reading("input.2.voltage", 6553.5, "V", "输入电压", "input voltage", raw="65535", quality="implausible"),
        reading("output.load", load, "%", "负载", "load"),
        reading("power.state", power, "", "供电", "power", word_zh=zh, word_en=power),
    ]


FIX = {
    "state": "valid", "made_at": NOW - SECOND, "lon_e7": 1234291234, "lat_e7": 417967890, "speed_cm_s": 0,
    "course_cdeg": 9000, "satellites": 14, "hdop": 80, "systems": ["GP", "BD"],
}  # fmt: skip
DEVICES = [
    device(
        "D0001", "机房一号 UPS", "ups-snmp", "ups", readings=ups(100, "mains", "市电", 42, 38),
        settings={"host": "10.21.1.20", "port": "161"}, commands=["test_battery"],
    ),
    device("D0002", "North gate UPS", "ups-snmp", "ups", readings=ups(63, "battery", "电池", 71, 9), settings={"host": "10.21.1.21"}),
    device(
        "D0003", "南门不间断电源（备用机房二层）", "ups-snmp", "ups", "unreachable", reason="10.21.1.22:161: no answer in 3 s; look at the cable and the community",
        seen_at=NOW - 25 * MINUTE, failures=9, tries_again_at=NOW + 120 * SECOND,
    ),
    device("D0004", "Roof receiver", "gnss-nmea", "gnss", fix=FIX, settings={"path": "/dev/serial/by-id/usb-u-blox"}),
    device("D0005", "车棚接收机", "gnss-nmea", "gnss", "stale", fix={"state": "no_fix", "reason": "no satellites in use"}, seen_at=NOW - 3 * MINUTE, reason="silent for 180 s"),
    device("D0006", "大屏左", "pjlink", "display", readings=[
        reading("power", "on", "", "电源", "power", word_zh="已开机", word_en="on"),
        reading("input", "HDMI 1", "", "信号源", "input"), reading("lamp.1.hours", 3120, "h", "灯时", "lamp hours"),
    ]),
    device("D0007", "Wall right", "samsung-mdc", "display", readings=[
        reading("power", "warming", "", "电源", "power", word_zh="预热中", word_en="warming up"),
    ]),
    device("D0008", "交换机", "if-mib", "network", readings=[
        reading("uptime", 8_640_000, "s", "运行时间", "uptime"), reading("links.up", 22, "", "接通端口", "links up"), reading("links.down", 2, "", "断开端口", "links down"),
    ]),
    device("D0009", "JT/T 808", "jtt808", "vehicles", parts=[
        {"part": "辽A12345", "fix": {**FIX, "speed_cm_s": 950}, "fix_at": NOW - 4 * SECOND},
        {"part": "辽A67890", "fix": {"state": "implausible", "reason": "jumped 40 km in 2 s"}, "fix_at": NOW - 40 * SECOND},
    ]),
]  # fmt: skip


def alarm(
    device: str, name: str, rule: str, severity: str, zh: str, en: str, minutes: int, **more: Any
) -> dict[str, Any]:
    at = NOW - minutes * MINUTE
    return {
        "edge": EDGE, "device": device, "device_name": name, "rule": rule, "occurrence": 1, "severity": severity,
        "zh": zh, "en": en, "state": "standing", "raised_at": at, "since": at, **more,
    }  # fmt: skip


ALARMS = [
    alarm("D0002", "North gate UPS", "on_battery", "critical", "由电池供电", "on battery", 6, reading="power.state", value="battery", raw="5"),
    alarm("D0002", "North gate UPS", "load.high", "warning", "负载过高", "load is high", 5, reading="output.load", value="71 %", raw="71",
          acknowledged_at=NOW - 4 * MINUTE, acknowledged_by="technician", note="已通知值班电工"),
    alarm("D0003", "南门不间断电源（备用机房二层）", "lost", "warning", "失去联系", "lost contact", 24, silenced_until=NOW + 55 * MINUTE),
    alarm("D0009", "JT/T 808", "vehicle.emergency:13900000001", "critical", "紧急报警 13900000001", "emergency button 13900000001", 2,
          reading="alarms", value="emergency", raw="emergency", state="over", lon_e7=1234291234, lat_e7=417967890),
    alarm("D0001", "机房一号 UPS", "battery.test", "notice", "电池自检失败", "battery test failed", 600, state="over"),
]  # fmt: skip
HEALTH = [
    {"name": "node", "state": "fine", "reason": ""},
    {"name": "link 210102", "state": "warn", "reason": "the oldest of 12 waiting entries waits for 75 s", "facts": {
        "side": "child", "heard": "2026-11-24T17:54:03Z", "waiting_entries": 12, "waiting_bytes": 9120, "oldest_s": 75, f"confirmed {EDGE}": "188/200",
    }},
    {"name": "edge.broker", "state": "fine", "reason": "connected", "facts": {"terminals": 12}},
    {"name": "edge.devices", "state": "bad", "reason": "D0003: 10.21.1.22:161: no answer in 3 s", "facts": {"devices": 9}},
]  # fmt: skip
LEDGER = {
    "as_of": NOW, "holds": True, "junk": 3,
    "kinds": [
        {"what": "reports", "zh": "上报", "en": "reports", "taken": 1204, "delivered": 1188, "waiting": 12, "refused": 4},
        {"what": "answers", "zh": "回复", "en": "answers", "taken": 77, "delivered": 77},
    ],
}  # fmt: skip
REFUSED = [
    {"id": "e17", "what": "report", "at": NOW - 90 * MINUTE, "terminal": "T210102-0007", "report_id": "01JDF3", "reason": "unknown_terminal",
     "zh": "终端未获准入", "en": "the terminal is not admitted", "advice_zh": "在区节点准入该终端，再重试", "advice_en": "admit the terminal at its district, then retry",
     "detail": "T210102-0007", "size": 2048, "retry": True, "sample": "{…}"},
    {"id": "j3", "what": "junk", "at": NOW - 300 * MINUTE, "reason": "not_json", "zh": "不是上报格式", "en": "not a report",
     "advice_zh": "查看发送方", "advice_en": "look at who sends it", "size": 12, "why_not": "nobody signed it"},
]  # fmt: skip
TERMINALS = [
    {"terminal": "T210102-0001", "district": DISTRICT, "state": "admitted", "holder": "P0042", "connected": True, "confirmed_at": NOW - 20 * SECOND, "round_trip_ms": 84, "edge": EDGE, "heard_at": NOW - 20 * SECOND, "battery": 81, "app": "1.4.0", "queue": 0},
    {"terminal": "T210102-0002", "district": DISTRICT, "state": "admitted", "holder": "P0043", "pending_tasks": 2, "refused": 1, "heard_at": NOW - 95 * MINUTE, "battery": 12, "app": "1.3.9", "queue": 7},
    {"terminal": "T210102-0003", "district": DISTRICT, "state": "revoked"},
]  # fmt: skip
ASKED = [
    {"id": "1f0c9d2e77ab4410", "fingerprint": "1f0c 9d2e 77ab 4410 9bd2 03c1 5e6f a7d8", "edge": EDGE, "model": "手持终端 Pixel 9", "app": "1.4.0",
     "asked_at": NOW - 4 * MINUTE, "expires_at": NOW + 10_000 * MINUTE, "state": "pending"},
]  # fmt: skip
VEHICLES = {
    "as_of": NOW,
    "vehicles": [{
        "vehicle": "D0009:辽A12345", "name": "JT/T 808 辽A12345", "device": "D0009", "part": "辽A12345", "fix": {**FIX, "speed_cm_s": 950},
        "came_at": NOW - 4 * SECOND, "age_s": 4, "valid": FIX,
    }],
}  # fmt: skip
FENCES = {
    "fences": [
        {
            "id": "F001",
            "name": "浑南停车场",
            "points": [[1234300000, 417970000]],
            "radius_m": 120,
            "margin_m": 30,
            "dwell_s": 10,
        }
    ]
}
SCENES = {
    "as_of": NOW,
    "scenes": [{
        "name": "alarm-map", "zh": "告警上墙", "en": "alarm: wall to the map", "on": "alarm", "displays": ["D0006"],
        "calls": [{"key": "k", "why": "D0002 on_battery", "page": "/map", "called_at": NOW - 6 * MINUTE}],
    }],
    "displays": [{"display": "D0006", "scene": "alarm-map", "state": "shown", "reason": "D0002 on_battery", "page": "/map"}],
}  # fmt: skip
WALLS = {
    "as_of": NOW,
    "walls": [
        {
            "wall": "wall-hall",
            "state": "admitted",
            "changed_at": NOW - 600 * MINUTE,
            "now": "up",
            "page": "https://edge.example/map",
            "device": "D0010",
        },
        {"wall": "wall-old", "state": "revoked", "changed_at": NOW - 60 * MINUTE},
    ],
}
HEADS = {
    "chains": [{"origin": EDGE, "seq": 200, "hash": "aa"}, {"origin": DISTRICT, "seq": 90, "hash": "bb"}],
    "cosigns": [{"origin": EDGE, "by": DISTRICT, "seq": 188, "hash": "aa", "at": NOW - 75 * SECOND, "sig": ""}],
}  # fmt: skip


def entries(after: int, limit: int) -> dict[str, Any]:
    """A chain of two hundred entries."""
    kinds = ("report.received", "alarm.raised", "device.health_changed", "power.changed")
    hash_, told = bytes(32), []
    for seq in range(1, 201):
        kind = kinds[seq % len(kinds)]
        made = Entry(
            v=1, origin=EDGE, seq=seq, at=NOW - (200 - seq) * MINUTE, audience="*", kind=kind, kind_v=1,
            subject=f"{kind.partition('.')[0]}:{EDGE}:{seq:04d}", version=1, actor=None, by="edge@0.1.0", cause=None, body={"n": seq}, salt="00" * 16,
        )  # fmt: skip
        raw = encode(made)
        previous, hash_ = hash_, chain_hash(hash_, "*", raw_digest(raw))
        if seq == after + 1:
            first = previous
        if after < seq <= after + limit:
            told.append(
                {
                    "seq": seq,
                    "audience": "*",
                    "digest": raw_digest(raw).hex(),
                    "hash": hash_.hex(),
                    "raw": base64.b64encode(raw).decode(),
                }
            )
    return {"origin": EDGE, "previous": first.hex() if told else hash_.hex(), "entries": told, "next": None}


def edge_answers(request: httpx.Request) -> httpx.Response:
    """The edge."""
    path = request.url.path.removeprefix("/api/v1")
    answers: dict[str, Any] = {
        "/node": {"code": EDGE, "role": "edge", "parent": DISTRICT, "now": NOW, "version": "0.1.0"},
        "/health": HEALTH, "/heads": HEADS, "/links": {"links": [{"by": DISTRICT, "peer": EDGE, "up": True, "at": NOW - 60 * MINUTE}]},
        "/nodes": [{"code": EDGE, "role": "edge", "name": "中街边缘站"}, {"code": DISTRICT, "role": "district", "name": "和平区"}],
        "/alarms": {"as_of": NOW, "alarms": ALARMS}, "/devices": {"as_of": NOW, "devices": DEVICES}, "/equipment": {"devices": []},
        "/drivers": {"drivers": [{"name": "ups-snmp", "commands": [{"name": "test_battery", "zh": "电池自检", "en": "battery test"}]}]},
        "/ledger": LEDGER, "/spool/refused": {"refused": REFUSED}, "/terminals": {"as_of": NOW, "terminals": TERMINALS},
        "/terminals/positions": {"positions": [{"terminal": "T210102-0001", "lon_e7": 1234301000, "lat_e7": 417970000, "fix_at": NOW - 25 * SECOND}]},
        "/terminals/asked": {"as_of": NOW, "asked": ASKED},
        "/scenes": SCENES, "/walls": WALLS, "/vehicles": VEHICLES, "/fences": FENCES,
        "/devices/D0001/samples": samples(),
    }  # fmt: skip
    answers |= {f"/devices/{one['id']}": one for one in DEVICES}
    if path == "/entries":
        return told(entries(int(request.url.params["after"]), int(request.url.params["limit"])))
    return told(answers[path]) if path in answers else missing(request)


def samples() -> dict[str, Any]:
    values = [42, 44, 47, 60, 71, 66, 52, 48, 44, 42, 41, 40, 44, 46, 42]
    return {"samples": [{"at": NOW, "readings": [reading("output.load", one, "%", "负载", "load")]} for one in values]}


def district_answers(request: httpx.Request) -> httpx.Response:
    """The district, which knows devices by the journal only."""
    path = request.url.path.removeprefix("/api/v1")
    answers: dict[str, Any] = {
        "/node": {"code": DISTRICT, "role": "district", "parent": "210100", "now": NOW, "version": "0.1.0"},
        "/health": [{"name": "node", "state": "fine", "reason": ""}], "/heads": HEADS, "/links": {}, "/nodes": [],
        "/alarms": {"as_of": NOW, "alarms": ALARMS[:1]},
        "/terminals": {"as_of": NOW, "terminals": TERMINALS}, "/terminals/asked": {"as_of": NOW, "asked": ASKED},
        "/equipment": {"devices": [{
            "edge": "21010202", "device": "D0001", "driver": "ups-snmp", "kind": "ups", "name": "五里河 UPS", "health": "stale",
            "health_reason": "silent for 90 s", "power": "mains",
        }]},
    }  # fmt: skip
    return told(answers[path]) if path in answers else missing(request)


def told(answer: Any) -> httpx.Response:
    return httpx.Response(200, content=msgspec.json.encode(answer))


def missing(request: httpx.Request) -> httpx.Response:
    problem = {"title": "Not Found", "status": 404, "detail": f"{request.url.path}: there is nothing here"}
    return httpx.Response(404, content=msgspec.json.encode(problem))


def scene(lang: Lang, *, several: bool = False) -> WanmiApp:
    """The application over the scene."""
    clients = [NodeClient("http://10.21.1.2:8000", "t", transport=httpx.MockTransport(edge_answers))]
    if several:
        clients.append(NodeClient("http://10.21.0.2:8000", "t", transport=httpx.MockTransport(district_answers)))
    return WanmiApp(clients, lang, ManualClock(NOW))
