"""wall.toml: where the broker is, what may be shown, and by which programs."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from urllib.parse import SplitResult, unquote, urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from wanmi.devices.walls import need_wall
from wanmi.errors import BadInput, NotAllowed, NotFound, SettingsError
from wanmi.mqtt import Address, read_address
from wanmi.settings import is_loopback

_URL = re.compile(r"https?://[A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=%-]+")
_PORTS = {"http": 80, "https": 443}
MARK = "{url}"


class WallSettings(BaseModel):
    """Settings of one wall; an unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    wall: str
    """Its name, which is its user at the broker (`wanmi walls admit` gives both)."""
    broker: str
    """`mqtts://host:port`; `mqtt://` only to this machine."""
    password_file: Path
    """A file with the password, readable for its owner only."""
    ca_file: Path | None = None
    """The authority that the broker's certificate is checked by."""
    allow: tuple[str, ...] = Field(min_length=1)
    """Pages that may be shown: `https://node.example/` or a path below. Nothing else is ever opened."""
    start: str = ""
    """The page to open when none was shown before."""
    browser: tuple[str, ...] = (
        "chromium", "--kiosk", "--noerrdialogs", "--disable-session-crashed-bubble", "--no-first-run", MARK,
    )  # fmt: skip
    """The program that shows a page, `{url}` where the page goes."""
    power_on: tuple[str, ...] = ()
    """A program that switches the screen on, like `["xset", "dpms", "force", "on"]`; none: the wall cannot."""
    power_off: tuple[str, ...] = ()
    """A program that switches the screen off, like `["cec-ctl", "--to", "0", "--standby"]`."""
    state: Path = Path("wall.json")
    """The file that remembers the last page; relative to the settings' folder."""

    @field_validator("wall")
    @classmethod
    def _is_wall(cls, value: str) -> str:
        try:
            return need_wall(value)
        except BadInput as error:
            raise ValueError(str(error)) from None

    @field_validator("browser")
    @classmethod
    def _takes_a_page(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if not value or MARK in value[0] or not any(MARK in part for part in value):
            raise ValueError("browser: a program and its arguments, {url} in one of them")
        return value

    @field_validator("allow")
    @classmethod
    def _are_pages(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for one in value:
            if not _URL.fullmatch(one) or "?" in one or "#" in one:
                raise ValueError(f"allow {one!r}: an http or https address without a query")
        return value

    def need_allowed(self, url: str) -> str:
        """The page, or NotAllowed with what would be."""
        wanted = _parts(url)
        if not any(_covers(_parts(one), wanted) for one in self.allow):
            raise NotAllowed(f"{url[:120]!r} is not on this wall's list ({', '.join(self.allow)})")
        return url

    def address(self) -> Address:
        """The broker, with this wall's name and password. Raises BadInput, NotFound."""
        address = read_address(self.broker, self.ca_file)
        if not address.tls and not is_loopback(address.host):
            raise BadInput(f"broker {self.broker}: off this machine a broker is reached over TLS; write mqtts://")
        try:
            return address.login(self.wall, self.password_file.read_text(encoding="utf-8").strip())
        except OSError as error:
            raise NotFound(f"password_file {self.password_file}: {error.strerror}") from error


def read_settings(file: Path) -> WallSettings:
    """The settings of a file, its paths relative to it; SettingsError names each wrong key."""
    try:
        given = tomllib.loads(file.read_text(encoding="utf-8"))
        settings = WallSettings(**given)
    except OSError as error:
        raise SettingsError(f"{file}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{file}: {error}") from error
    except ValidationError as error:
        wrong = "; ".join(
            f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors(include_input=False)
        )
        raise SettingsError(f"{file}: {wrong}") from None
    names = ("password_file", "ca_file", "state")
    here = {name: file.parent / path for name in names if (path := getattr(settings, name)) is not None}
    return settings.model_copy(update=here)


def _parts(url: str) -> SplitResult:
    """An address taken apart; NotAllowed for one that a browser might read otherwise than we do."""
    if not _URL.fullmatch(url) or len(url) > 2000:
        raise NotAllowed(f"{url[:120]!r} is no plain http or https address")
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        raise NotAllowed(f"{url[:120]!r} is no address") from None
    steps = unquote(parts.path).replace("\\", "/").split("/")
    if not parts.hostname or parts.username is not None or parts.password is not None or {".", ".."} & set(steps):
        raise NotAllowed(f"{url[:120]!r}: no user, no dots for folders")
    return parts


def _covers(allowed: SplitResult, wanted: SplitResult) -> bool:
    def origin(one: SplitResult) -> tuple[str, str | None, int]:
        return one.scheme, one.hostname, one.port or _PORTS[one.scheme]

    base = allowed.path.rstrip("/")
    return origin(allowed) == origin(wanted) and (wanted.path == base or wanted.path.startswith(base + "/") or not base)
