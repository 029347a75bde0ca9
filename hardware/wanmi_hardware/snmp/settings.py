"""How an SNMP agent is reached: address, version, and what it asks for before it talks."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, SecretStr, field_validator, model_validator

from wanmi.devices import DeviceSettings

AuthProtocol = Literal["none", "md5", "sha", "sha224", "sha256", "sha384", "sha512"]
PrivacyProtocol = Literal["none", "des", "3des", "aes", "aes192", "aes256"]


class SnmpSettings(DeviceSettings):
    """What every driver of this package needs."""

    address: str = Field(min_length=1, max_length=255)
    """Address or host name of the agent; an IPv6 address without brackets."""
    port: int = Field(161, ge=1, le=65535)
    """UDP port of the agent."""
    version: Literal["1", "2c", "3"] = "2c"
    """SNMP version: 1, 2c or 3. Version 3 is the only one that keeps secrets on the way."""
    community: SecretStr = SecretStr("public")
    """Community (versions 1 and 2c)."""
    write_community: SecretStr | None = None
    """Community for commands, where it is another one."""
    user: str = Field("", max_length=32)
    """User name (version 3)."""
    auth: AuthProtocol = "sha"
    """How version 3 authenticates: none, md5, sha, sha224, sha256, sha384, sha512."""
    auth_password: SecretStr | None = None
    """Authentication password (version 3), at least 8 characters."""
    privacy: PrivacyProtocol = "aes"
    """How version 3 encrypts: none, des, 3des, aes, aes192, aes256."""
    privacy_password: SecretStr | None = None
    """Privacy password (version 3), at least 8 characters."""
    context: str = Field("", max_length=32)
    """Context name (version 3); seldom needed."""
    timeout: float = Field(1.5, ge=0.1, le=10)
    """Seconds to wait for one answer."""
    tries: int = Field(2, ge=1, le=5)
    """How often one question is sent before there is no answer."""
    batch: int = Field(30, ge=1, le=100)
    """Most objects in one question; small cards may need less."""
    trap_port: int = Field(0, ge=0, le=65535)
    """UDP port of this node on which the device's traps and informs are taken; 0: none. 162 needs the right to bind it."""

    @field_validator("address")
    @classmethod
    def _without_brackets(cls, address: str) -> str:
        return address.strip().strip("[]")

    @field_validator("auth_password", "privacy_password", "write_community", mode="before")
    @classmethod
    def _empty_is_none(cls, secret: object) -> object:
        return None if secret == "" else secret

    @model_validator(mode="after")
    def _v3_is_whole(self) -> Self:
        if self.version != "3":
            return self
        if not self.user:
            raise ValueError("version 3 needs a user name (user)")
        if self.auth == "none" and self.privacy != "none":
            raise ValueError("privacy without authentication does not exist in SNMP: set auth, or privacy = none")
        _check_password("auth_password", self.auth, self.auth_password)
        _check_password("privacy_password", self.privacy, self.privacy_password)
        return self

    @property
    def where(self) -> str:
        """Address and port as people write them."""
        host = f"[{self.address}]" if ":" in self.address else self.address
        return f"{host}:{self.port}"


def _check_password(key: str, protocol: str, password: SecretStr | None) -> None:
    if protocol != "none" and (password is None or len(password.get_secret_value()) < 8):
        raise ValueError(f"{key}: {protocol} needs a password of 8 or more characters")
