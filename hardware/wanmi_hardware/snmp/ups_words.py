"""What a UPS says and what it means: quantities, alarms, default rules, commands. Data only.

Bounds are of what can be, in the units of the quantity; sources: RFC 1628 and the ratings of low-voltage UPS units.
"""

from __future__ import annotations

from wanmi.devices import AlarmRule, Command, Quantity

YES_NO = {"yes": ("是", "yes"), "no": ("否", "no")}

STATE = {
    "mains": ("市电供电", "on mains"),
    "battery": ("电池供电", "on battery"),
    "low": ("电池供电且电量低", "on battery, low"),
    "bypass": ("旁路供电", "on bypass"),
    "off": ("输出关闭", "output off"),
    "unknown": ("未知", "unknown"),
}
"""The power state in one word: what a clock or a score may use as evidence."""

SOURCE = {
    "mains": ("市电", "mains"),
    "battery": ("电池", "battery"),
    "bypass": ("旁路", "bypass"),
    "booster": ("升压", "booster"),
    "reducer": ("降压", "reducer"),
    "none": ("无输出", "none"),
    "other": ("其他", "other"),
}

BATTERY = {
    "normal": ("正常", "normal"),
    "low": ("电量低", "low"),
    "depleted": ("耗尽", "depleted"),
    "fault": ("故障", "fault"),
    "absent": ("未接电池", "absent"),
}

TEST = {
    "passed": ("通过", "passed"),
    "warning": ("通过但有警告", "passed with a warning"),
    "failed": ("未通过", "failed"),
    "aborted": ("中止", "aborted"),
    "running": ("进行中", "running"),
    "none": ("未进行", "none made"),
}

ALARMS: dict[str, tuple[str, str]] = {
    "battery_bad": ("电池需要更换", "battery needs replacing"),
    "on_battery": ("电池供电", "on battery"),
    "low_battery": ("电池电量低", "battery low"),
    "depleted_battery": ("电池将耗尽", "battery depleted"),
    "temperature_bad": ("温度异常", "temperature out of tolerance"),
    "input_bad": ("输入异常", "input out of tolerance"),
    "output_bad": ("输出异常", "output out of tolerance"),
    "output_overload": ("输出过载", "overload"),
    "on_bypass": ("旁路供电", "on bypass"),
    "bypass_bad": ("旁路异常", "bypass out of tolerance"),
    "output_off_as_requested": ("按要求关闭输出", "output off as requested"),
    "ups_off_as_requested": ("按要求关机", "UPS off as requested"),
    "charger_failed": ("充电器故障", "charger failed"),
    "ups_output_off": ("输出已关闭", "output off"),
    "ups_system_off": ("主机已关闭", "UPS off"),
    "fan_failure": ("风扇故障", "fan failure"),
    "fuse_failure": ("熔断器故障", "fuse failure"),
    "general_fault": ("一般故障", "general fault"),
    "diagnostic_test_failed": ("自检未通过", "self-test failed"),
    "communications_lost": ("网卡与主机失去通信", "card lost its UPS"),
    "awaiting_power": ("等待市电", "waiting for mains"),
    "shutdown_pending": ("即将关机", "shutdown pending"),
    "shutdown_imminent": ("马上关机", "shutdown imminent"),
    "test_in_progress": ("自检中", "self-test in progress"),
}
"""The well-known alarms of RFC 1628 in its order (upsWellKnownAlarms 1 … 24), in our words."""

_PHASES = (
    Quantity("input.#.voltage", "V", "第#相输入电压", "input # voltage", 0, 720),
    Quantity("input.#.frequency", "Hz", "第#相输入频率", "input # frequency", 0, 70),
    Quantity("input.#.current", "A", "第#相输入电流", "input # current", 0, 3_000),
    Quantity("input.#.power", "W", "第#相输入功率", "input # power", 0, 2_000_000),
    Quantity("output.#.voltage", "V", "第#相输出电压", "output # voltage", 0, 720),
    Quantity("output.#.current", "A", "第#相输出电流", "output # current", 0, 3_000),
    Quantity("output.#.power", "W", "第#相输出功率", "output # power", 0, 2_000_000),
    Quantity("output.#.load", "%", "第#相负载", "output # load", 0, 300),
    Quantity("bypass.#.voltage", "V", "第#相旁路电压", "bypass # voltage", 0, 720),
    Quantity("bypass.#.current", "A", "第#相旁路电流", "bypass # current", 0, 3_000),
    Quantity("bypass.#.power", "W", "第#相旁路功率", "bypass # power", 0, 2_000_000),
)

QUANTITIES: tuple[Quantity, ...] = (
    Quantity("power.state", "", "供电状态", "power state", words=STATE),
    Quantity("power.source", "", "输出来源", "output source", words=SOURCE),
    Quantity("battery.status", "", "电池状态", "battery status", words=BATTERY),
    Quantity("battery.charge", "%", "电池电量", "battery charge", 0, 100),
    Quantity("battery.minutes", "min", "剩余时间", "minutes remaining", 0, 2_880),
    Quantity("battery.seconds_on", "s", "电池已供电时间", "seconds on battery", 0, 864_000),
    Quantity("battery.voltage", "V", "电池电压", "battery voltage", 0, 1_000),
    Quantity("battery.current", "A", "电池电流", "battery current", -3_000, 3_000),
    Quantity("battery.temperature", "°C", "电池温度", "battery temperature", -30, 90),
    Quantity("battery.replace", "", "电池需更换", "battery needs replacing", words=YES_NO),
    Quantity("ambient.temperature", "°C", "环境温度", "ambient temperature", -30, 80),
    Quantity("input.lines", "", "输入相数", "input phases", 0, 6),
    Quantity("input.line_bads", "", "市电异常次数", "times the input was bad", 0, 4_294_967_294),
    Quantity("output.lines", "", "输出相数", "output phases", 0, 6),
    Quantity("output.frequency", "Hz", "输出频率", "output frequency", 0, 70),
    Quantity("output.load", "%", "负载", "load", 0, 300),
    Quantity("bypass.lines", "", "旁路相数", "bypass phases", 0, 6),
    Quantity("bypass.frequency", "Hz", "旁路频率", "bypass frequency", 0, 70),
    *_PHASES,
    Quantity("test.result", "", "自检结果", "self-test", words=TEST),
    Quantity("alarms.count", "", "设备告警数", "alarms of the UPS", 0, 1_000),
    *(Quantity(f"alarm.{name}", "", zh, en, words=YES_NO) for name, (zh, en) in ALARMS.items()),
)
"""Everything that a UPS may say; each is optional."""

RULES: tuple[AlarmRule, ...] = (
    AlarmRule(
        "on_battery",
        "power.state",
        "warning",
        "市电中断，电池供电",
        "on battery",
        is_one_of=("battery", "low"),
        after=10,
        clear_after=30,
    ),
    AlarmRule(
        "low_battery",
        "power.state",
        "critical",
        "电池电量低，即将断电",
        "battery low",
        is_one_of=("low",),
        clear_after=30,
    ),
    AlarmRule(
        "minutes_short",
        "battery.minutes",
        "critical",
        "剩余时间不足",
        "minutes run short",
        below=10,
        back=5,
        after=20,
        clear_after=60,
    ),
    AlarmRule("output_off", "power.state", "critical", "输出关闭", "output off", is_one_of=("off",), after=10),
    AlarmRule(
        "on_bypass",
        "power.state",
        "warning",
        "旁路供电，无电池保护",
        "on bypass, without battery",
        is_one_of=("bypass",),
        after=30,
        clear_after=30,
    ),
    AlarmRule(
        "load_high", "output.load", "warning", "负载过高", "load high", above=90, back=10, after=60, clear_after=60
    ),
    AlarmRule("overload", "output.load", "critical", "过载", "overload", above=100, back=5, after=10, clear_after=30),
    AlarmRule(
        "battery_hot",
        "battery.temperature",
        "warning",
        "电池温度过高",
        "battery hot",
        above=40,
        back=3,
        after=120,
        clear_after=120,
    ),
    AlarmRule(
        "battery_replace",
        "battery.replace",
        "warning",
        "电池需要更换",
        "battery needs replacing",
        is_one_of=("yes",),
        after=60,
        clear_after=600,
        latching=True,
    ),
    AlarmRule(
        "charger_failed",
        "alarm.charger_failed",
        "warning",
        "充电器故障",
        "charger failed",
        is_one_of=("yes",),
        after=30,
    ),
    AlarmRule("fan_failure", "alarm.fan_failure", "warning", "风扇故障", "fan failure", is_one_of=("yes",), after=30),
    AlarmRule(
        "card_lost_ups",
        "alarm.communications_lost",
        "warning",
        "网卡与主机失去通信",
        "card lost its UPS",
        is_one_of=("yes",),
        after=30,
    ),
    AlarmRule(
        "test_failed", "test.result", "warning", "自检未通过", "self-test failed", is_one_of=("failed",), latching=True
    ),
)
"""What is wrong with a UPS by default. Losing contact is no rule: it is the device's health."""

COMMANDS: tuple[Command, ...] = (
    Command(
        "shutdown",
        "延时关闭负载",
        "shut the load down after a delay",
        {"seconds": "0–86400: seconds until the output goes off; nothing is asked of the computers behind it"},
        risky=True,
    ),
    Command("shutdown-abort", "取消延时关闭", "call a pending shutdown off", {}),
    Command("test", "电池自检", "test the battery for a few seconds", {}),
    Command("test-abort", "中止自检", "stop a battery test", {}),
)
