"""What all plugins of the project register together keeps the journal's rules; the docs tell of nothing else."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

import pytest

from house.tree import plugin_packages, texts
from wanmi.cli import build_app
from wanmi.hookspecs import Specs
from wanmi.journal.core import register_core
from wanmi.models import mark_of, table
from wanmi.plugins import Plugin, fill, installed_plugins, load_plugin, plugin_manager
from wanmi.profiles import register_profiles
from wanmi.registry import Registry
from wanmi.workdays import register_calendar

HOOKS = [name for name, spec in vars(Specs).items() if hasattr(spec, "wanmi_spec")]


@cache
def plugins() -> tuple[Plugin, ...]:
    """The project's plugins, and no others that happen to be installed."""
    installed = installed_plugins()
    return tuple(load_plugin(name.removeprefix("wanmi_"), installed) for name in sorted(plugin_packages()))


@cache
def registry() -> Registry:
    """All that the core and every plugin register."""
    filled = Registry()
    register_core(filled)
    register_profiles(filled)
    register_calendar(filled)
    fill(filled, plugins())
    return filled


def test_every_table_has_a_mark() -> None:
    assert {name: mark_of(row) for name, row in registry().rows.items()}.keys() == registry().rows.keys()
    assert {mark_of(row) for row in registry().rows.values()} == {"journal", "projection", "local"}


def test_no_replayed_table_counts_by_itself() -> None:
    counting = [
        name
        for name, row in registry().rows.items()
        if mark_of(row) != "local" and table(row).autoincrement_column is not None
    ]
    assert counting == [], "a projection must come out the same after replay: give its key, autoincrement=False"


def test_projections_write_their_own_marked_tables() -> None:
    strangers = {
        f"{projection.name}: {table(row).name}"
        for projection in registry().projections.values()
        for row in projection.rows
        if mark_of(row) != "projection"
    }
    assert strangers == set()


def test_projections_and_reactors_name_known_kinds() -> None:
    known = {name for name, _ in registry().kinds}
    listeners = [*registry().projections.values(), *registry().reactors.values()]
    assert {
        f"{one.name}: {kind}" for one in listeners for kind in one.kinds if kind != "*" and kind not in known
    } == set()


def test_entry_kinds_are_told_in_both_languages() -> None:
    silent = [name for name, kind in registry().kinds.items() if not (re.search("[一-鿿]", kind.zh) and kind.en)]
    assert silent == []


@pytest.mark.parametrize("hook", HOOKS)
def test_every_hook_is_answered_in_the_project(hook: str) -> None:
    assert getattr(plugin_manager(plugins()).hook, hook).get_hookimpls(), f"no plugin of the project answers {hook}"


def commands(command: Any, path: tuple[str, ...] = ()) -> set[tuple[str, ...]]:
    """The path of every command and group."""
    found = {path}
    for name, inner in getattr(command, "commands", {}).items():
        found |= commands(inner, (*path, name))
    return found


def test_commands_in_the_docs_exist() -> None:
    known = commands(build_app())
    groups = {path[:-1] for path in known if path}
    told = {
        (name, words)
        for name, text in texts().items()
        if name.endswith(".md")
        for words in re.findall(
            r"(?:^ {4}(?:\$ )?|^\$ |`)(?:\.venv/bin/)?wanmi ((?:[a-z][a-z-]*(?: |$|`))+)", text, re.MULTILINE
        )
    }
    assert told, "the docs tell of no command at all"
    unknown = []
    for name, words in told:
        path = tuple(words.strip("` ").split())
        deepest = next(n for n in range(len(path), -1, -1) if path[:n] in known)
        if path[:deepest] in groups and deepest < len(path):
            unknown.append(f"{name}: wanmi {' '.join(path)}")
    assert unknown == []
