"""What a receiver tells beside its position, and the rules on it, as data."""

from __future__ import annotations

from wanmi.devices import AlarmRule, Fix, Quantity, Reading
from wanmi_hardware.gnss.epochs import Epoch

SECOND = 1_000_000

CONSTELLATIONS = {
    "GP": ("gps", "GPS", "GPS"),
    "BD": ("beidou", "北斗", "BeiDou"),
    "GL": ("glonass", "格洛纳斯", "GLONASS"),
    "GA": ("galileo", "伽利略", "Galileo"),
    "QZ": ("qzss", "准天顶", "QZSS"),
    "NI": ("navic", "NavIC", "NavIC"),
    "SB": ("sbas", "星基增强", "SBAS"),
}
"""Code in a fix: name in readings, zh, en."""

FIX_STATE = Quantity(
    "fix.state", "", "定位状态", "fix",
    words={
        "valid": ("有效", "valid"), "no_fix": ("未定位", "no fix"), "stale": ("过期", "stale"),
        "implausible": ("不可信", "implausible"),
    },
)  # fmt: skip
FIX_KIND = Quantity(
    "fix.kind", "", "定位方式", "kind of fix",
    words={
        "none": ("无", "none"), "2d": ("二维", "2D"), "3d": ("三维", "3D"), "differential": ("差分", "differential"),
        "rtk": ("RTK 固定解", "RTK fixed"), "rtk_float": ("RTK 浮点解", "RTK float"), "estimated": ("推算", "reckoned"),
        "manual": ("手动输入", "entered by hand"), "simulated": ("模拟", "simulated"), "plain": ("单点", "single point"),
    },
)  # fmt: skip
USED = Quantity("satellites.used", "", "使用卫星数", "satellites in use", 0, 99)
BY_SYSTEM = {
    code: Quantity(f"satellites.used.{name}", "", f"使用卫星数（{zh}）", f"satellites in use, {en}", 0, 99)
    for code, (name, zh, en) in CONSTELLATIONS.items()
}
HDOP = Quantity("hdop", "", "水平精度因子", "horizontal dilution", 0, 99.99)
SNR_BEST = Quantity("snr.best", "dB-Hz", "最强信噪比", "best signal", 0, 99)
SNR_MEAN = Quantity("snr.mean", "dB-Hz", "平均信噪比", "mean signal", 0, 99)
ANTENNA = Quantity(
    "antenna", "", "天线", "antenna",
    words={
        "ok": ("正常", "ok"), "open": ("开路", "open"), "short": ("短路", "shorted"), "unknown": ("未知", "unknown"),
    },
)  # fmt: skip
CLOCK_OFFSET = Quantity("clock.offset", "ms", "时钟偏差（接收机减本机）", "clock offset, receiver minus node")
CLOCK_SKEW = Quantity("clock.skew", "ms", "时钟偏差大小", "clock offset's size", 0)
CLOCK_UNCERTAINTY = Quantity("clock.uncertainty", "ms", "时钟偏差不确定度", "clock offset's uncertainty", 0)
GARBLED = Quantity("sentences.garbled", "", "损坏语句数", "damaged sentences", 0)

QUANTITIES = (
    FIX_STATE, FIX_KIND, USED, *BY_SYSTEM.values(), HDOP, SNR_BEST, SNR_MEAN, ANTENNA, CLOCK_OFFSET, CLOCK_SKEW,
    CLOCK_UNCERTAINTY, GARBLED,
)  # fmt: skip

RULES = (
    AlarmRule(
        "gnss.no_fix", "fix.state", "warning", "接收机长时间未定位", "the receiver has had no usable fix for a while",
        is_one_of=("no_fix", "implausible", "stale"), after=120, clear_after=15,
    ),
    AlarmRule(
        "gnss.antenna", "antenna", "warning", "天线开路或短路", "the antenna is open or shorted",
        is_one_of=("open", "short"), after=5, clear_after=5,
    ),
    AlarmRule(
        "gnss.clock", "clock.skew", "warning", "本机时钟与卫星时间不一致", "the node's clock is off the satellites' time",
        above=2000, back=1000, after=60, clear_after=60,
    ),
)  # fmt: skip


def readings_of(epoch: Epoch, fix: Fix, latency_ms: float, uncertainty_ms: float) -> tuple[Reading, ...]:
    """The readings of an epoch; ``latency_ms`` from the receiver's moment until its first byte is here."""
    found = [FIX_STATE.read(fix.state, fix.reason or fix.state), FIX_KIND.read(_kind(epoch), epoch.how or "")]
    if epoch.satellites is not None:
        found.append(USED.read(float(epoch.satellites), str(epoch.satellites)))
    found += [
        BY_SYSTEM[code].read(float(n), f"{code} {n}") for code, n in sorted(epoch.used.items()) if code in BY_SYSTEM
    ]
    if epoch.hdop is not None:
        found.append(HDOP.read(epoch.hdop / 100, f"{epoch.hdop / 100:g}"))
    if epoch.snrs:
        raw = " ".join(map(str, epoch.snrs))
        found.append(SNR_BEST.read(float(max(epoch.snrs)), raw))
        found.append(SNR_MEAN.read(round(sum(epoch.snrs) / len(epoch.snrs), 1), raw))
    if epoch.antenna:
        found.append(ANTENNA.read(epoch.antenna, epoch.antenna))
    return (*found, *_clock(epoch, fix, latency_ms, uncertainty_ms))


def _kind(epoch: Epoch) -> str:
    if not epoch.has_fix:
        return "none"
    if epoch.how not in ("plain", ""):
        return epoch.how
    return f"{epoch.dimensions}d" if epoch.dimensions in (2, 3) else "plain"


def _clock(epoch: Epoch, fix: Fix, latency_ms: float, uncertainty_ms: float) -> tuple[Reading, ...]:
    """Receiver minus node. Only with satellites in hand: without them a receiver's clock is a guess of its own."""
    has_time = epoch.has_fix and fix.made_at is not None and "stands still" not in fix.reason
    if not has_time or fix.made_at is None:
        return ()
    offset = (fix.made_at - epoch.arrived_at) / 1000 + latency_ms
    raw = f"{fix.made_at} {epoch.arrived_at}"
    return (
        CLOCK_OFFSET.read(round(offset, 3), raw),
        CLOCK_SKEW.read(round(abs(offset), 3), raw),
        CLOCK_UNCERTAINTY.read(uncertainty_ms, ""),
    )
