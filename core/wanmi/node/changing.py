"""Settings and plugins changed by a command: tried with the plugins' models, written as a whole, journaled with the person.

The file keeps its comments: one line of it changes. It holds at the next start; nothing of a live node is exchanged, but a
live node restarts in place when it is told to.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, SecretStr

from wanmi.errors import BadInput, Conflict, NotFound, SettingsError
from wanmi.node.recorded import host_account, record_settings, recorded_of
from wanmi.node.trial import read_trial, replace_file
from wanmi.plugins import installed_plugins
from wanmi.registry import AdminResult, NodeContext, Progress, Registry
from wanmi.settings import FILE, PREFIX, Settings, read_all_settings, toml_value

if TYPE_CHECKING:
    from wanmi.node.node import Node

Args = Mapping[str, Any]
Items = Iterator[Progress | AdminResult]
HIDDEN = "(set, not shown)"
FIXED = frozenset({"node.code", "node.role", "node.parent"})
"""Who a node is: its keys, its chain and its parent know it so."""
SECRET = re.compile(r"password|secret|token|key|url", re.IGNORECASE)
_NAME = re.compile(r"[a-z][a-z0-9_]*")


def register_changing(to: Registry) -> None:
    """The actions behind ``wanmi settings`` and ``wanmi plugin``."""
    to.action("settings.show", _show, help="the settings that the node was opened with, secrets left out")
    to.action("settings.set", _set, help="change a setting; it holds at the next start")
    to.action("node.restart", _restart, help="let the live node begin anew in its place, with the settings of its file")
    to.action("plugin.list", _list, help="the plugins that are installed, and which are enabled")
    to.action("plugin.switch", _switch, help="enable or disable a plugin; it holds at the next start")


def _show(node: NodeContext, _args: Args) -> Items:
    yield {"settings": _told(node.settings)}


def _set(node: NodeContext, args: Args) -> Items:
    where = str(args.get("key") or "")
    section, key = place_of(where)
    refuse_environment(where)
    with alone(node):
        _write(node, section, key, value_of(str(args.get("value", ""))), actor_of(args))
    yield {"key": where, "holds": "at the next start"}


def _restart(node: NodeContext, args: Args) -> Items:
    yield {"restarts": own(node).restart(f"asked by {actor_of(args)}")}


def place_of(where: str) -> tuple[str, str]:
    """Table and key of a setting named as ``web.port`` or ``edge.mqtt.port``; BadInput for another name, or a fixed one."""
    section, _, key = where.rpartition(".")
    if not (_NAME.fullmatch(key) and all(_NAME.fullmatch(part) for part in section.split("."))):
        raise BadInput(
            f"{where[:60]!r}: name a setting as section.key, such as web.port; docs/reference/settings.md has all"
        )
    if where in FIXED:
        raise BadInput(f"{where}: says who this node is and is not changed; `wanmi init` makes another node")
    return section, key


def refuse_environment(where: str) -> None:
    """BadInput where the environment sets it and the file says nothing."""
    if f"{PREFIX}{where.replace('.', '__')}".upper() in os.environ:
        raise BadInput(f"{where}: the environment sets it and wins over the file; change it there")


def _list(node: NodeContext, _args: Args) -> Items:
    enabled = list(node.settings.plugins)
    names = [*enabled, *sorted(set(installed_plugins()) - set(enabled))]
    yield {"plugins": [{"name": name, "enabled": name in enabled} for name in names]}


def _switch(node: NodeContext, args: Args) -> Items:
    name, on = str(args.get("name") or ""), args.get("on") is True
    with alone(node):
        _write(node, "", "plugins", _switched(node, name, on), actor_of(args))
    yield {"plugin": name, "enabled": on, "holds": "at the next start"}


def _switched(node: NodeContext, name: str, on: bool) -> list[str]:
    """The file's plugins with one more or one less; NotFound, BadInput where it is so already."""
    enabled = list(candidate(node, text_of(node))[0].plugins)
    if on and name not in installed_plugins() and name not in {one.name for one in own(node).given}:
        raise NotFound(f"plugin {name[:60]!r}: not installed; there are {', '.join(sorted(installed_plugins()))}")
    if on == (name in enabled):
        raise BadInput(f"plugin {name[:60]!r}: is {'enabled' if on else 'not enabled'} already")
    return [*enabled, name] if on else [one for one in enabled if one != name]


@contextmanager
def alone(node: NodeContext) -> Iterator[None]:
    """While a change is tried and written: of two at once the second sees the first one's file."""
    handle = os.open(own(node).dir, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _write(node: NodeContext, section: str, key: str, value: object, actor: str) -> None:
    """Try the changed file, write it, journal it; what was changed by hand before is not the actor's."""
    trial = read_trial(own(node).dir)
    if trial is not None:
        raise Conflict(f"change {trial.change_id} of {trial.district} is on trial here; try again when it is over")
    before = text_of(node)
    text = changed(before, section, key, value)
    settings, registry = candidate(node, text)
    record_settings(node, host_account(), recorded_of(node, *candidate(node, before)))
    path = own(node).dir / FILE
    replace_file(path, text, path)
    record_settings(node, actor, recorded_of(node, settings, registry))


def candidate(node: NodeContext, text: str) -> tuple[Settings, Registry]:
    """The settings and plugins that a start with that file would have; SettingsError, NeedsExtra as there."""
    from wanmi.node.node import load_enabled, new_registry

    here = own(node)
    basic = read_all_settings(
        here.dir, {}, {name for name in tomllib.loads(text) if name not in Settings.model_fields}, text
    )
    registry = new_registry(load_enabled(basic.plugins, basic.node.role, here.given, here.off))
    tolerated = {*installed_plugins(), *here.off, *basic.plugins}
    return read_all_settings(here.dir, registry.sections, tolerated, text), registry


def changed(text: str, section: str, key: str, value: object) -> str:
    """The TOML text with one value changed, everything else as it stands, comments too; ``section`` "": before all tables,
    ``edge.mqtt``: a table in a table.

    SettingsError where that cannot be done by one line (a value over several lines, a table written inline).
    """
    wanted = tomllib.loads(text)
    _table(wanted, section)[key] = value
    lines, line = text.rstrip("\n").split("\n"), f"{key} = {toml_value(value)}"
    heads = [n for n, one in enumerate(lines) if one.lstrip().startswith("[")]
    head = re.compile(rf"\s*\[\s*{re.escape(section)}\s*\]\s*(#.*)?")
    named = [n for n in heads if head.fullmatch(lines[n])] if section else [-1]
    if not named:
        lines += ["", f"[{section}]", line]
    else:
        end = next((n for n in heads if n > named[0]), len(lines))
        at = next((n for n in range(named[0] + 1, end) if re.match(rf"\s*{key}\s*=", lines[n])), None)
        if at is None:
            lines.insert(named[0] + 1 if section else _after_remarks(lines), line)
        else:
            lines[at] = line
    new = "\n".join(lines) + "\n"
    try:
        fits = tomllib.loads(new) == wanted
    except tomllib.TOMLDecodeError:
        fits = False
    if not fits:
        raise SettingsError(f"{FILE}: {key} is written in a way that no command changes; edit the file by hand")
    return new


def _table(tables: dict[str, Any], section: str) -> dict[str, Any]:
    """The table of that dotted name, made where it is not there."""
    for name in section.split(".") if section else []:
        inner = tables.setdefault(name, {})
        if not isinstance(inner, dict):
            raise SettingsError(f"{section}: {name} is a value in {FILE}, no table")
        tables = inner
    return tables


def _after_remarks(lines: list[str]) -> int:
    return next((n for n, one in enumerate(lines) if not one.startswith("#")), len(lines))


def value_of(given: str) -> object:
    """A value as TOML writes it; anything else is a text."""
    try:
        return tomllib.loads(f"value = {given}\n")["value"]
    except (tomllib.TOMLDecodeError, KeyError):
        return given


def _told(model: BaseModel) -> dict[str, Any]:
    told: dict[str, Any] = {}
    for name, field in type(model).model_fields.items():
        value = getattr(model, name)
        if isinstance(value, BaseModel):
            told[name] = _told(value)
        elif (not field.repr or isinstance(value, SecretStr) or SECRET.search(name)) and value:
            told[name] = HIDDEN
        else:
            told[name] = _plain(value)
    return told


def _plain(value: object) -> Any:
    if isinstance(value, BaseModel):
        return _told(value)
    if isinstance(value, Mapping):
        return {str(k): HIDDEN if SECRET.search(str(k)) and v else _plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(one) for one in value]
    return json.loads(json.dumps(value, default=str))


def actor_of(args: Args) -> str:
    """Who changes it: the person that a page names, else the account at the machine."""
    return str(args.get("actor") or host_account())[:60]


def own(node: NodeContext) -> Node:
    """The node itself: it runs these actions and tasks."""
    from wanmi.node.node import Node

    assert isinstance(node, Node)  # noqa: S101 - actions are run by the node itself
    return node


def text_of(node: NodeContext) -> str:
    """What node.toml says now."""
    return (own(node).dir / FILE).read_text(encoding="utf-8")
