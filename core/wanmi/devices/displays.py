"""What displays say, whatever they speak: quantities, alarm rules and commands that every driver of a display shares."""

from __future__ import annotations

from wanmi.devices.alarms import AlarmRule
from wanmi.devices.drivers import Command
from wanmi.devices.readings import Quantity

POWER_WORDS = {
    "off": ("关机", "off"),
    "standby": ("待机", "standby"),
    "warming": ("预热中", "warming up"),
    "on": ("开机", "on"),
    "cooling": ("冷却中", "cooling down"),
    "unknown": ("未知", "unknown"),
}
ERROR_WORDS = {
    "ok": ("正常", "fine"),
    "warning": ("警告", "warning"),
    "error": ("故障", "error"),
    "none": ("无此部件", "not there"),
}
SWITCH_WORDS = {"on": ("开", "on"), "off": ("关", "off")}
SIGNAL_WORDS = {"yes": ("有信号", "signal"), "no": ("无信号", "no signal"), "none": ("不适用", "does not apply")}

POWER = Quantity("power", "", "电源状态", "power", words=POWER_WORDS)
INPUT = Quantity("input", "", "输入源", "input")
PAGE = Quantity("page", "", "显示页面", "page shown")
NAME = Quantity("display.name", "", "名称", "name")
INFO = Quantity("display.info", "", "其他信息", "other information")
INPUTS = Quantity("display.inputs", "", "可选输入源", "inputs that it has")
BEST_RESOLUTION = Quantity("display.best_resolution", "", "推荐分辨率", "recommended resolution")
LAMP_MODEL = Quantity("lamp.model", "", "灯泡型号", "replacement lamp")
FILTER_MODEL = Quantity("filter.model", "", "滤网型号", "replacement filter")
RESOLUTION = Quantity("display.resolution", "", "输入分辨率", "resolution of the input")
SIGNAL = Quantity("display.signal", "", "输入信号", "input signal", words=SIGNAL_WORDS)
BRIGHTNESS = Quantity("display.brightness", "%", "亮度", "brightness", 0, 100)
VOLUME = Quantity("display.volume", "%", "音量", "volume", 0, 100)
PICTURE_MUTED = Quantity("mute.picture", "", "画面静默", "picture muted", words=SWITCH_WORDS)
SOUND_MUTED = Quantity("mute.sound", "", "静音", "sound muted", words=SWITCH_WORDS)
FROZEN = Quantity("display.frozen", "", "画面冻结", "picture frozen", words=SWITCH_WORDS)
LAMP_HOURS = Quantity("lamp.#.hours", "h", "灯泡时数", "lamp hours", 0, 99_999)
LAMP_LIT = Quantity("lamp.#.lit", "", "灯泡点亮", "lamp lit", words=SWITCH_WORDS)
FILTER_HOURS = Quantity("filter.hours", "h", "滤网时数", "filter hours", 0, 99_999)
PANEL_HOURS = Quantity("panel.hours", "h", "面板开机时数", "panel on-time", 0, 1_000_000)
TEMPERATURE = Quantity("temperature", "°C", "温度", "temperature", -40, 150)

ERRORS = (
    Quantity("error.fan", "", "风扇", "fan", words=ERROR_WORDS),
    Quantity("error.lamp", "", "灯泡", "lamp", words=ERROR_WORDS),
    Quantity("error.temperature", "", "温度状态", "temperature state", words=ERROR_WORDS),
    Quantity("error.cover", "", "机盖", "cover", words=ERROR_WORDS),
    Quantity("error.filter", "", "滤网", "filter", words=ERROR_WORDS),
    Quantity("error.other", "", "其他故障", "other faults", words=ERROR_WORDS),
)
"""In the order in which PJLink's ERST tells them."""

BAD = ("warning", "error")
DISPLAY_RULES = (
    AlarmRule("display.fan", "error.fan", "warning", "显示设备风扇异常", "the display's fan fails", is_one_of=BAD, after=20),
    AlarmRule("display.lamp", "error.lamp", "warning", "显示设备灯泡异常", "the display's lamp fails", is_one_of=BAD, after=20),
    AlarmRule(
        "display.hot", "error.temperature", "critical", "显示设备过热", "the display is too hot", is_one_of=BAD, after=20
    ),
    AlarmRule("display.cover", "error.cover", "notice", "显示设备机盖未关", "the display's cover is open", is_one_of=BAD, after=60),
    AlarmRule("display.filter", "error.filter", "notice", "显示设备滤网需清洁", "the display's filter is dirty", is_one_of=BAD, after=60),
    AlarmRule("display.other", "error.other", "warning", "显示设备故障", "the display has a fault", is_one_of=BAD, after=20),
    AlarmRule("display.temperature", "temperature", "warning", "显示设备温度高", "the display is hot", above=70, back=5, after=60),
)  # fmt: skip
"""Silence is the device's health, never an alarm."""

ON = Command("on", "开机", "switch on", {})
OFF = Command("off", "关机", "switch off", {}, risky=True)
SELECT = Command("input", "选择输入源", "select an input", {"input": "an input that it has"})
SHOW = Command("show", "显示页面", "show a page", {"url": "http:// or https:// address of the page"})
DIM = Command("brightness", "调节亮度", "set the brightness", {"level": "0 to 100"})
LOUD = Command("volume", "调节音量", "set the volume", {"level": "0 to 100"})
MUTE = Command("mute", "静音与静画", "mute sound or picture", {"what": "sound, picture or both", "state": "on or off"})
FREEZE = Command("freeze", "冻结画面", "freeze the picture", {"state": "on or off"})
