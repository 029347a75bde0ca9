"""DIR/plugins-off.toml: the plugins that this node found hanging; it starts without them and says so.

[gis]
since = "2026-11-24T08:00:00.000000Z"
reason = "locate_point did not return within 5 s"
"""

from __future__ import annotations

import json
import os
import tomllib
from dataclasses import dataclass
from pathlib import Path

from wanmi.errors import NotFound, SettingsError

FILE = "plugins-off.toml"


@dataclass(frozen=True)
class Off:
    """A plugin that is off; ``since`` ISO 8601 UTC."""

    plugin: str
    since: str
    reason: str


def read_off(dir: Path) -> dict[str, Off]:
    """The plugins that are off in the node's directory, by name."""
    path = dir / FILE
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path}: {error}; mend it, or delete it to start with every plugin on") from error
    return {name: _off(path, name, table) for name, table in tables.items()}


def record_off(dir: Path, off: Off) -> None:
    """Write a plugin down as off, durably: the next start reads it."""
    _write(dir, {**read_off(dir), off.plugin: off})


def remove_off(dir: Path, plugin: str) -> None:
    """Let a plugin be loaded again at the next start; NotFound if it is not off."""
    offs = read_off(dir)
    if plugin not in offs:
        raise NotFound(f"plugin {plugin} is not off in {dir / FILE}")
    del offs[plugin]
    _write(dir, offs)


def _off(path: Path, name: str, table: object) -> Off:
    if not isinstance(table, dict):
        raise SettingsError(f"{path}: [{name}] must be a table with since and reason")
    return Off(name, str(table.get("since", "")), str(table.get("reason", "")))


def _write(dir: Path, offs: dict[str, Off]) -> None:
    """Replace the file as a whole, fsynced: the process ends right after."""
    text = "".join(
        f"[{json.dumps(off.plugin)}]\nsince = {json.dumps(off.since)}\nreason = {json.dumps(off.reason)}\n"
        for off in offs.values()
    )
    temporary = dir / f"{FILE}.new"
    with temporary.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(dir / FILE)
