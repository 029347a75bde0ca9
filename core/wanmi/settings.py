"""One typed tree of settings from DIR/node.toml and the environment (``WANMI_WEB__PORT=8443``).

Core sections are here; a plugin adds its own with ``registry.section(name, model)`` and reads it with
``settings.section(name, model)``. The environment wins over the file. Every error names its key.
"""

from __future__ import annotations

import ipaddress
import json
import os
import re
import tomllib
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar, overload

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    PrivateAttr,
    ValidationError,
    create_model,
    field_validator,
    model_validator,
)
from pydantic_settings import BaseSettings, NoDecode, PydanticBaseSettingsSource, SettingsConfigDict
from pydantic_settings import SettingsError as EnvironmentFault

from wanmi.coords import Datum
from wanmi.errors import SettingsError

if TYPE_CHECKING:
    from wanmi.registry import SettingsSection

FILE = "node.toml"
PREFIX = "WANMI_"
Role = Literal["city", "district", "edge"]
M = TypeVar("M", bound=BaseModel)

ROLE_PLUGINS: Mapping[str, tuple[str, ...]] = {
    "edge": ("edge", "hardware", "federation", "console"),
    "district": ("federation", "casework", "supervision", "gis", "console", "hotline", "messenger"),
    "city": ("federation", "casework", "supervision", "gis", "console", "hotline", "messenger"),
}
"""The plugins of a role, in the order of their answers, where node.toml names none."""

_CODE = re.compile(r"[0-9]{6}|[0-9]{8}")
_E7 = 10_000_000
_PLAIN = {"missing": "must be given", "extra_forbidden": "no such key"}


class Section(BaseModel):
    """Base for a section: frozen, a key that it does not know is an error, docstrings tell what keys are."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class NodeSettings(Section):
    """Who this node is; written by `wanmi init`."""

    code: str
    """Node code: 6 digits for a city or district (GB/T 2260), 8 for an edge (its district and two digits)."""
    role: Role
    """What the node does in the city."""
    name: str = ""
    """Name on screens."""
    region: str = ""
    """Code of the division that it serves; empty: the first 6 digits of its code."""
    parent: str | None = None
    """Code of the parent node; the city has none."""

    @field_validator("code", "parent")
    @classmethod
    def _is_code(cls, value: str | None) -> str | None:
        if value is not None and not _CODE.fullmatch(value):
            raise ValueError(f"{value!r} is no node code: 6 digits for a city or district, 8 for an edge")
        return value

    @model_validator(mode="after")
    def _fits_role(self) -> NodeSettings:
        digits = 8 if self.role == "edge" else 6
        if len(self.code) != digits:
            raise ValueError(f"the code of role {self.role} has {digits} digits, {self.code} has not")
        return self


class DatabaseSettings(Section):
    """The node's one database."""

    url: str = Field(default="", repr=False)
    """Empty: SQLite in DIR/journal.db; else `postgresql+psycopg://…`."""


class WebSettings(Section):
    """Where the pages and the API are served."""

    host: str = "127.0.0.1"
    """Address to listen on."""
    port: int = Field(default=0, ge=0, le=65535)
    """Port; 0 takes a free one (DIR/run.json says which)."""
    tls: Literal["auto", "on", "off"] = "auto"
    """HTTPS with the node's own CA; auto: off loopback, where it is required."""
    names: tuple[str, ...] = ()
    """More host names and addresses for the certificate."""

    @model_validator(mode="after")
    def _is_safe(self) -> WebSettings:
        if self.tls == "off" and not is_loopback(self.host):
            raise ValueError(f"tls is off but host {self.host} is not loopback: HTTPS is required there")
        return self

    @property
    def https(self) -> bool:
        """Whether the server speaks HTTPS."""
        return self.tls == "on" or (self.tls == "auto" and not is_loopback(self.host))


class LinkSettings(Section):
    """The links to the parent and the children."""

    listen: str = ""
    """Where children dial in, `tcp://HOST:PORT`, port 0 takes a free one; empty: nobody dials in."""
    parent: str = ""
    """The parent's URL with its pinned keys, as `wanmi node card` prints it; empty: no parent."""

    @field_validator("listen")
    @classmethod
    def _is_endpoint(cls, value: str) -> str:
        if value and not re.fullmatch(r"tcp://[^/?#]+:[0-9*]+", value):
            raise ValueError(f"{value!r} is not of the form tcp://HOST:PORT")
        return value


class RegionSettings(Section):
    """Where the node's division lies."""

    datum: Datum = "WGS84"
    """Datum of incoming points that state none."""
    bbox: tuple[float, float, float, float] | None = None
    """West, south, east, north in degrees WGS-84: points outside are refused; none: every point is taken."""

    @field_validator("bbox")
    @classmethod
    def _is_box(cls, box: tuple[float, float, float, float] | None) -> tuple[float, float, float, float] | None:
        if box is not None and not (-180 <= box[0] < box[2] <= 180 and -90 <= box[1] < box[3] <= 90):
            raise ValueError("bbox is west, south, east, north in degrees, west < east and south < north")
        return box

    @property
    def bbox_e7(self) -> tuple[int, int, int, int] | None:
        """The box in 1e-7 degree."""
        if self.bbox is None:
            return None
        west, south, east, north = (round(side * _E7) for side in self.bbox)
        return west, south, east, north


class IdentitySettings(Section):
    """Logging in: second factors and lock-out."""

    totp_posts: tuple[str, ...] = ()
    """Posts whose holders need a one-time code: who has none yet sets it up at the next login.
    Sessions that began before the rule end when the node starts with it."""
    lock_failures: int = Field(default=20, ge=3, le=1000)
    """Failed passwords or codes in a row after which a login is locked."""
    lock_minutes: int = Field(default=30, ge=1, le=7 * 24 * 60)
    """Minutes that it stays locked, unless an administrator releases it."""
    terminal_grace_days: int = Field(default=14, ge=0, le=365)
    """At a district: days for which what a terminal signed before it rotated its key still counts when it comes."""


class LogSettings(Section):
    """The log, on standard error and in DIR/log."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    """What is worth a line."""
    format: Literal["text", "json"] = "text"
    """How a line looks."""
    file: bool = True
    """Whether DIR/log/node.log is written too (5 files of 5 MB)."""


class WatchSettings(Section):
    """Seconds after which plugin code counts as hanging; the node then restarts without the plugin."""

    hook: float = Field(default=10.0, gt=0)
    """For an answer to a hook."""
    reactor: float = Field(default=120.0, gt=0)
    """For one batch of a reactor."""
    loop: float = Field(default=30.0, gt=0)
    """For one step of a task or a request in the event loop."""


class Settings(BaseSettings):
    """A node's settings: the core's sections as attributes, a plugin's by ``section``."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_nested_delimiter="__",
        extra="ignore",
        frozen=True,
        use_attribute_docstrings=True,
    )

    plugins: Annotated[tuple[str, ...], NoDecode] = ()
    """Names of the enabled plugins, first answer first; left out: the role's."""
    node: NodeSettings
    database: DatabaseSettings = DatabaseSettings()
    web: WebSettings = WebSettings()
    link: LinkSettings = LinkSettings()
    region: RegionSettings = RegionSettings()
    identity: IdentitySettings = IdentitySettings()
    log: LogSettings = LogSettings()
    watch: WatchSettings = WatchSettings()

    _dir: Path = PrivateAttr(default=Path())
    _sections: frozenset[str] = PrivateAttr(default=frozenset())

    @property
    def dir(self) -> Path:
        """The node's directory."""
        return self._dir

    @property
    def database_url(self) -> str:
        """The database's URL, SQLite in the node's directory by default."""
        return self.database.url or f"sqlite:///{self._dir.absolute() / 'journal.db'}"

    @overload
    def section(self, name: str) -> Any: ...
    @overload
    def section(self, name: str, model: type[M]) -> M: ...
    def section(self, name: str, model: type[BaseModel] | None = None) -> Any:
        """A plugin's section; ``model`` (the registered one) gives it its type. SettingsError if nobody added it."""
        if name not in self._sections:
            raise SettingsError(f"section [{name}] belongs to no enabled plugin; enable the plugin that brings it")
        section = getattr(self, name)
        if model is not None and not isinstance(section, model):
            raise SettingsError(f"section [{name}] is a {type(section).__name__}, not a {model.__name__}")
        return section

    @model_validator(mode="before")
    @classmethod
    def _with_the_roles_plugins(cls, values: Any) -> Any:
        node = values.get("node") if isinstance(values, dict) else None
        role = node.get("role") if isinstance(node, dict) else None
        if isinstance(role, str) and role in ROLE_PLUGINS and "plugins" not in values:
            return {**values, "plugins": ROLE_PLUGINS[role]}
        return values

    @field_validator("plugins", mode="before")
    @classmethod
    def _from_text(cls, value: object) -> object:
        """The environment gives ``gis,console``."""
        return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value

    @field_validator("plugins")
    @classmethod
    def _are_different(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(value)) != len(value):
            raise ValueError("a plugin is named twice")
        return value

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003 - pydantic-settings gives all sources by name
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment wins over the file (whose tables are the init arguments)."""
        return env_settings, init_settings


def read_settings(dir: Path) -> Settings:
    """The core's sections only: enough to know which plugins to load. Raises SettingsError."""
    return _build(dir, Settings, _read_file(dir), ())


def read_all_settings(
    dir: Path, sections: Mapping[str, SettingsSection], tolerated: Collection[str] = (), text: str | None = None
) -> Settings:
    """Every section, the plugins' too; a table that belongs to nobody is an error.

    ``tolerated``: names of plugins that are installed but not loaded; their tables may stay in the file. ``text``: what
    the file is going to be.
    """
    file = _read_file(dir) if text is None else tomllib.loads(text)
    clash = sorted(set(sections) & set(Settings.model_fields))
    if clash:
        raise SettingsError(f"section [{clash[0]}] of plugin {sections[clash[0]].plugin} is one of the core's names")
    known = {*Settings.model_fields, *sections}
    for name in file:
        if name not in known and name not in tolerated:
            raise SettingsError(f"{dir / FILE}: {name}: no such section or key (known: {', '.join(sorted(known))})")
    fields: dict[str, Any] = {
        name: (section.model, Field(default={}, validate_default=True)) for name, section in sections.items()
    }
    return _build(dir, create_model("Settings", __base__=Settings, **fields), file, sections)


def write_node_toml(
    dir: Path, tables: Mapping[str, Mapping[str, object]], plugins: Sequence[str] | None = None
) -> None:
    """Write a new node.toml; values are strings, integers, booleans and lists of them. ``plugins`` None: the role's."""
    lines = ["# Settings of this node. The environment wins: WANMI_WEB__PORT=8443. See docs/reference/settings.md."]
    if plugins is not None:
        lines += ["", f"plugins = {toml_value(list(plugins))}"]
    for name, table in tables.items():
        lines += ["", f"[{name}]", *(f"{key} = {toml_value(value)}" for key, value in table.items())]
    (dir / FILE).write_text("\n".join(lines) + "\n", encoding="utf-8")


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches ``host``."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


def _read_file(dir: Path) -> dict[str, Any]:
    path = dir / FILE
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise SettingsError(f"{path}: not there; `wanmi init {dir} --role … --code …` makes a node") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path}: {error}") from error
    except OSError as error:
        raise SettingsError(f"{path}: cannot be read: {error.strerror}") from error


def _build(dir: Path, model: type[Settings], file: dict[str, Any], sections: Collection[str]) -> Settings:
    try:
        settings = model(**file)
    except ValidationError as error:
        wrong = "; ".join(_told(dir, one) for one in error.errors())
        raise SettingsError(wrong) from error
    except EnvironmentFault as error:
        raise SettingsError(f"environment {PREFIX}…: {error}") from error
    settings._dir = dir
    settings._sections = frozenset(sections)
    return settings


def _told(dir: Path, error: Mapping[str, Any]) -> str:
    """One wrong key: where it stands, its dotted name, what is wrong with it (never its value: it may be a secret)."""
    keys = [str(part) for part in error["loc"]]
    variable = PREFIX + "__".join(keys).upper()
    where = f"environment {variable}" if variable in os.environ else str(dir / FILE)
    said = _PLAIN.get(str(error["type"])) or str(error["msg"]).removeprefix("Value error, ")
    return f"{where}: {'.'.join(keys)}: {said}"


def toml_value(value: object) -> str:
    """A TOML value: strings, integers, booleans and lists are written as JSON writes them."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
