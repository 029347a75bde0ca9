"""``[edge]`` of node.toml: the broker, and how much the intake takes."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from wanmi.settings import Section, is_loopback
from wanmi_edge.devices.settings import DevicesSettings

MIB = 1024 * 1024


class BrokerSettings(Section):
    """``[edge.mqtt]``: which broker, and where.

    ``kind`` auto: an external broker when ``url`` is set, else mosquitto when it is installed, else iotcore (loopback
    only). ``port`` 0 takes a free one, once, and keeps it. Off loopback the listener speaks MQTTS with the node's own
    certificate. For an external broker ``url`` is ``mqtts://user@host:port``, its password in the file ``password_file``.
    """

    kind: Literal["auto", "mosquitto", "iotcore", "external"] = "auto"
    listen: str = "127.0.0.1"
    port: int = Field(default=0, ge=0, le=65535)
    url: str = ""
    password_file: str = ""
    ca_file: str = ""
    probe_every: float = Field(default=10.0, gt=0)
    probe_timeout: float = Field(default=5.0, gt=0)

    @model_validator(mode="after")
    def _is_safe(self) -> BrokerSettings:
        if self.kind == "external" and not self.url:
            raise ValueError("kind is external: url must say where the broker is")
        if self.kind == "iotcore" and not is_loopback(self.listen):
            raise ValueError(f"iotcore has no access rules and serves loopback only, not {self.listen}")
        return self


class IntakeSettings(Section):
    """``[edge.intake]``: bounds of what is taken in.

    ``window`` is how many messages the broker hands over before the first is acknowledged; ``batch`` how many go into
    one transaction; sizes in MiB, times in seconds; ``junk_rows`` and ``waiting`` count rows.
    ``reserve_mib`` must stay free, else reports are sent back; ``kept_back_mib`` lie in a file that goes when even that
    could not be journaled. The district hears how terminals are every ``status_seconds``, in one entry for all of them.
    A terminal's track is sealed when it is ``segment_seconds`` long or has ``segment_fixes`` positions.
    """

    window: int = Field(default=600, ge=10, le=65_535)
    batch: int = Field(default=250, ge=1, le=5000)
    spool_mib: int = Field(default=2048, ge=1)
    reserve_mib: int = Field(default=256, ge=0)
    kept_back_mib: int = Field(default=8, ge=0)
    photo_mib: int = Field(default=8, ge=1, le=8)
    ahead: int = Field(default=300, ge=0)
    part_life: int = Field(default=7 * 86_400, ge=60)
    waiting: int = Field(default=2000, ge=1)
    junk_rows: int = Field(default=1000, ge=1)
    segment_seconds: int = Field(default=900, ge=10)
    segment_fixes: int = Field(default=500, ge=2, le=5000)
    status_seconds: int = Field(default=60, ge=1)


class AskSettings(Section):
    """``[edge.asks]``: terminals that nobody knows yet may ask to be admitted, at this edge's own mosquitto.

    ``open``: off, with a one-time code (`wanmi terminal code`), or anybody. At most ``pending`` wait for their district, of which
    ``per_minute`` may be new in a minute; one that is not decided within ``days`` has expired.
    """

    open: Literal["off", "code", "anybody"] = "off"
    pending: int = Field(default=50, ge=1, le=1000)
    per_minute: int = Field(default=10, ge=1, le=600)
    days: int = Field(default=7, ge=1, le=90)


class HomeAssistantSettings(Section):
    """``[edge.homeassistant]``: tell devices to Home Assistant by MQTT discovery, at this edge's broker.

    ``prefix`` is Home Assistant's own discovery prefix; what changed is published ``every`` so many seconds.
    """

    enabled: bool = False
    prefix: str = Field(default="homeassistant", pattern=r"^[A-Za-z0-9_/-]+$")
    every: float = Field(default=10.0, gt=0)


class EdgeSettings(Section):
    """``[edge]``: its broker and its intake."""

    mqtt: BrokerSettings = BrokerSettings()
    intake: IntakeSettings = IntakeSettings()
    asks: AskSettings = AskSettings()
    devices: DevicesSettings = DevicesSettings()
    homeassistant: HomeAssistantSettings = HomeAssistantSettings()
