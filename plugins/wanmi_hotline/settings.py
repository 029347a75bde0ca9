"""``[hotline]`` of node.toml: where the telephone system speaks, and what is ours."""

from __future__ import annotations

import re

from pydantic import Field, field_validator, model_validator

from wanmi.settings import Section, is_loopback


class AsteriskSettings(Section):
    """``[hotline.asterisk]``: the manager interface (AMI) of an Asterisk; no host: not used.

    ``secret_file`` holds the user's secret. Off loopback TLS is required. ``seat`` finds a seat's
    extension in a channel's name (its first group); channels that it does not find lead outside. ``alive`` is how often
    (seconds) it is asked whether it is there.
    """

    host: str = ""
    port: int = Field(default=5038, ge=1, le=65535)
    tls: bool = False
    ca_file: str = ""
    user: str = "wanmi"
    secret_file: str = ""
    system: str = Field(default="asterisk", pattern=r"^[a-z0-9][a-z0-9-]{0,29}$")
    seat: str = r"(?:PJSIP|SIP|IAX2)/([0-9]{2,6})-"
    alive: float = Field(default=30.0, gt=0)

    @field_validator("seat")
    @classmethod
    def _is_pattern(cls, value: str) -> str:
        try:
            groups = re.compile(value).groups
        except re.error as error:
            raise ValueError(f"seat {value!r} is no regular expression: {error}") from error
        if groups != 1:
            raise ValueError(f"seat {value!r} needs one group: the extension")
        return value

    @model_validator(mode="after")
    def _is_safe(self) -> AsteriskSettings:
        if self.host and not self.tls and not is_loopback(self.host):
            raise ValueError(f"asterisk host {self.host} is not loopback: set tls (and ca_file)")
        if self.host and not self.secret_file:
            raise ValueError("asterisk: secret_file must say where the user's secret is")
        return self


class HotlineSettings(Section):
    """``[hotline]``: ``area`` is the area code without 0 of numbers that come without one (Shenyang 24).

    ``broker`` is ``mqtts://user@host:port`` (its password in ``password_file``); empty: events come over HTTP alone.
    ``baresip`` lists the basetopics of operators' baresip softphones. ``recordings`` is the folder where the telephone
    system leaves files that events name. ``history`` calls are shown in a pop-up.
    """

    area: str = Field(default="24", pattern=r"^[1-9][0-9]{1,2}$")
    broker: str = ""
    password_file: str = ""
    ca_file: str = ""
    baresip: tuple[str, ...] = ()
    recordings: str = ""
    recording_mib: int = Field(default=64, ge=1, le=1024)
    history: int = Field(default=10, ge=0, le=100)
    asterisk: AsteriskSettings = AsteriskSettings()

    @field_validator("baresip")
    @classmethod
    def _are_topics(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if any(not one or "#" in one or "+" in one for one in value):
            raise ValueError("baresip: name each softphone's mqtt_basetopic, without wildcards")
        return value
