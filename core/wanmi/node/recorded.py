"""Changes of settings and plugins are entries: recorded when a node starts and finds them other than the last time.

Only names of keys and a keyed digest are journaled, never a value: settings may hold secrets. The actor is the account of
the machine that started the node with them: who may write node.toml there is its administrator. What is changed by a
command (``wanmi settings set``, ``wanmi plugin enable``) is recorded with whoever gave it, before the start that it waits for.
"""

from __future__ import annotations

import hmac
import json
import os
import pwd
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING

import msgspec
from sqlalchemy import Connection, String, Text, delete, insert, select
from sqlalchemy.orm import Mapped, mapped_column

from wanmi.models import Row, mark, table
from wanmi.registry import Draft, Registry, Stored

if TYPE_CHECKING:
    from wanmi.registry import NodeContext
    from wanmi.settings import Settings

EVERYTHING = "*"
_PLUGIN = "plugin:"


class SettingsChanged(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``settings.changed``, subject ``settings:<node>``: the node started with other settings than the last time.

    ``section`` ``*``: the first start that is recorded, ``keys`` then names the sections. ``digest`` is an
    HMAC-SHA-256 with the node's local key: it tells changes apart and gives no value away.
    """

    section: str
    keys: list[str]
    digest: str


class PluginSwitched(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``plugin.switched``, subject ``plugin:<node>:<name>``: the node started with a plugin that it did not have, or
    without one that it had. ``version`` of the plugin, empty when it is gone.
    """

    plugin: str
    on: bool
    version: str


class RecordedRow(Row):
    """What the settings were at the last start: ``section.key`` with its keyed digest, ``plugin:name`` with its version."""

    __tablename__ = "recorded_setting"
    name: Mapped[str] = mapped_column(String(200), primary_key=True)
    digest: Mapped[str] = mapped_column(Text)
    __table_args__ = mark("local")


def register_recorded(to: Registry) -> None:
    """Register the kinds and their local table."""
    to.tables(RecordedRow)
    to.entry_kind("settings.changed", SettingsChanged, zh="设置变更", en="Settings changed")
    to.entry_kind("plugin.switched", PluginSwitched, zh="插件启停", en="Plugin switched")


def host_account() -> str:
    """The account that starts this process, whoever became it by sudo first: ``host:NAME``."""
    return f"host:{os.environ.get('SUDO_USER') or _account(os.getuid())}"[:60]


def _account(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def record_settings(node: NodeContext, actor: str, now: Mapping[str, str] | None = None) -> list[Stored]:
    """Journal what is other than at the last start, and remember it; nothing when nothing is. Called at the start, and
    with what will be (``now``) when somebody changes it by a command.
    """
    now = recorded_now(node) if now is None else now
    with node.store.reader() as tx:
        before = {row.name: row.digest for row in tx.execute(select(table(RecordedRow)))}
    if before == now:
        return []
    drafts = list(_changes(node, before, now, actor)) if before else [_first(node, now, actor)]
    if not drafts:
        node.store.write(lambda tx: _remember(now)(tx, [])).result()
        return []
    return node.journal.append(*drafts, also=_remember(now)).result()


def recorded_now(node: NodeContext) -> dict[str, str]:
    """What the node was started with: keyed digests by ``section.key``, versions by ``plugin:name``."""
    return recorded_of(node, node.settings, node.registry)


def recorded_of(node: NodeContext, settings: Settings, registry: Registry) -> dict[str, str]:
    """The same of these settings and plugins: what the node would be started with."""
    told: dict[str, str] = {}
    for section, values in settings.model_dump(mode="json").items():
        for key, value in (values if isinstance(values, Mapping) else {"": values}).items():
            name = f"{section}.{key}" if key else section
            told[name] = _digest(node, name, value)
    told |= {_PLUGIN + name: version for name, version in registry.plugins.items() if name != "wanmi"}
    return told


def _first(node: NodeContext, now: Mapping[str, str], actor: str) -> Draft:
    body = SettingsChanged(EVERYTHING, sorted({_section(name) for name in now if _is_setting(name)}), _all(node, now))
    return _draft(node, "settings.changed", f"settings:{node.code}", body, actor)


def _changes(node: NodeContext, before: Mapping[str, str], now: Mapping[str, str], actor: str) -> Iterator[Draft]:
    changed = sorted(name for name in before.keys() | now.keys() if before.get(name) != now.get(name))
    for section in sorted({_section(name) for name in changed if _is_setting(name)}):
        keys = [name.partition(".")[2] or name for name in changed if _is_setting(name) and _section(name) == section]
        of_it = {name: digest for name, digest in now.items() if _is_setting(name) and _section(name) == section}
        body = SettingsChanged(section, keys, _all(node, of_it))
        yield _draft(node, "settings.changed", f"settings:{node.code}", body, actor)
    for name in changed:
        if not _is_setting(name) and (name in before) != (name in now):
            plugin = name.removeprefix(_PLUGIN)
            switched = PluginSwitched(plugin, name in now, now.get(name, ""))
            yield _draft(node, "plugin.switched", f"plugin:{node.code}:{plugin}", switched, actor)


def _draft(node: NodeContext, kind: str, subject: str, body: msgspec.Struct, actor: str) -> Draft:
    return Draft(kind, subject, body, audience=(node.parent or node.code,), actor=actor)


def _remember(now: Mapping[str, str]) -> Callable[[Connection, list[Stored]], None]:
    def work(tx: Connection, _stored: list[Stored]) -> None:
        tx.execute(delete(table(RecordedRow)))
        tx.execute(insert(table(RecordedRow)), [{"name": name, "digest": digest} for name, digest in now.items()])

    return work


def _is_setting(name: str) -> bool:
    return not name.startswith(_PLUGIN)


def _section(name: str) -> str:
    return name.partition(".")[0]


def _digest(node: NodeContext, name: str, value: object) -> str:
    told = json.dumps([name, value], sort_keys=True, ensure_ascii=True).encode()
    return hmac.digest(node.keys.local, b"wanmi/settings/1\n" + told, "sha256").hex()


def _all(node: NodeContext, digests: Mapping[str, str]) -> str:
    return _digest(node, EVERYTHING, sorted(digests.items()))
