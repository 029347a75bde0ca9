"""Writes docs/reference from the code: settings, commands, entry kinds and tables, hooks.

`python tools/docs.py` writes the pages; with `--check` it only compares, names each stale page and exits 1.
Every plugin of the project is loaded, whichever a node would enable.
"""

from __future__ import annotations

import inspect
import sys
import typing
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from wanmi import hookspecs
from wanmi.cli import build_app
from wanmi.hookspecs import PROJECT, Specs
from wanmi.journal.core import register_core
from wanmi.models import Row, key_columns, mark_of, table
from wanmi.node.people_actions import register_people
from wanmi.node.restored import register_restored
from wanmi.plugins import Plugin, fill, installed_plugins, load_plugin, plugin_manager
from wanmi.profiles import register_profiles
from wanmi.registry import EntryKind, Registry
from wanmi.settings import ROLE_PLUGINS, Settings
from wanmi.workdays import register_calendar

REFERENCE = Path(__file__).resolve().parent.parent / "docs" / "reference"
NOTE = "<!-- Written by `make docs` from the code; do not edit. -->"


def page(title: str, intro: str, parts: Iterable[str]) -> str:
    """A whole page of Markdown."""
    return "\n\n".join([NOTE, f"# {title}", intro, *parts]) + "\n"


def grid(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A Markdown table without its empty columns; empty text for no rows."""
    columns = [column for column in zip(head, *rows, strict=True) if any(column[1:])]
    lines = ["| " + " | ".join(map(cell, line)) + " |" for line in zip(*columns, strict=True)]
    return "\n".join([lines[0], "|" + "---|" * len(columns), *lines[1:]]) if lines else ""


def cell(value: object) -> str:
    """One line of text, safe in a table."""
    return " ".join(str(value).split()).replace("|", "\\|")


def first_paragraph(text: str | None) -> str:
    """The first paragraph of a docstring, as one line of Markdown."""
    return " ".join(markdown(text).split("\n\n", 1)[0].split())


def type_text(kind: Any) -> str:
    """A type as an author would write it, without module names."""
    if kind is type(None):
        return "None"
    if typing.get_origin(kind) is typing.Annotated:
        return type_text(typing.get_args(kind)[0])
    if typing.get_origin(kind) is typing.Literal:
        return " | ".join(map(repr, typing.get_args(kind)))
    arguments = typing.get_args(kind)
    if arguments and type(kind).__name__ in ("UnionType", "Union", "_UnionGenericAlias"):
        return " | ".join(map(type_text, arguments))
    if arguments:
        return f"{typing.get_origin(kind).__name__}[{', '.join(map(type_text, arguments))}]"
    return "…" if kind is Ellipsis else str(getattr(kind, "__name__", kind))


# Settings


def settings_page(registry: Registry) -> str:
    """Every key of node.toml: the core's sections, then each plugin's."""
    parts = list(model_parts("", Settings))
    for section in sorted(registry.sections.values(), key=lambda one: one.name):
        parts += model_parts(section.name, section.model, section.plugin.split("@")[0])
    intro = (
        "A node reads `node.toml` in its directory, then the environment, which wins: `WANMI_WEB__PORT=8443` is key "
        "`port` of section `[web]`. A key or section that nobody knows is an error."
    )
    return page("Settings", intro, [*parts, role_part()])


def role_part() -> str:
    """Which plugins a role brings."""
    rows = [(role, ", ".join(f"`{name}`" for name in names)) for role, names in ROLE_PLUGINS.items()]
    intro = "Where `plugins` is not set, the node's role names them, in the order of their answers."
    return "\n\n".join(["## Plugins of a role", intro, grid(("role", "plugins"), rows)])


def model_parts(path: str, model: type[BaseModel], plugin: str = "") -> Iterator[str]:
    """The table of one model, then those of the models inside it."""
    inner: list[tuple[str, type[BaseModel]]] = []
    rows = []
    for name, info in model.model_fields.items():
        nested = next((kind for kind in inside(info.annotation) if is_model(kind)), None)
        if nested is not None:
            inner.append((f"{path}.{name}".lstrip("."), nested))
        else:
            rows.append((f"`{name}`", f"`{type_text(info.annotation)}`", default_text(info), info.description or ""))
    yield f"## `[{path}]`" if path else "## Above all sections"
    docstring = markdown(vars(model).get("__doc__")) if path else ""
    docstring = docstring.removeprefix(f"`[{path}]`: ")
    told = [f"Of the plugin {plugin}." if plugin else "", docstring[:1].upper() + docstring[1:]]
    yield from filter(None, [*told, grid(("key", "type", "default", "what it is"), rows)])
    for where, nested in inner:
        yield from model_parts(where, nested, plugin)


def markdown(docstring: str | None) -> str:
    """A docstring as Markdown."""
    return inspect.cleandoc(docstring or "").replace("``", "`")


def inside(kind: Any) -> Iterator[Any]:
    """A type and the types it is made of."""
    yield kind
    for argument in typing.get_args(kind):
        yield from inside(argument)


def is_model(kind: Any) -> bool:
    """True for a pydantic model."""
    return isinstance(kind, type) and issubclass(kind, BaseModel)


def default_text(info: Any) -> str:
    """The default of a settings key, or that it must be given."""
    if info.is_required():
        return "must be given"
    value = info.default_factory() if info.default_factory else info.default
    return "" if value is PydanticUndefined or is_model(type(value)) else f"`{value!r}`"


# Commands


def cli_page(command: Any) -> str:
    """Every command of `wanmi`, the plugins' too."""
    return page("Commands", first_paragraph(command.help), command_parts("wanmi", command))


def command_parts(path: str, command: Any) -> Iterator[str]:
    """A command with its arguments and options, then its subcommands in the order of their names."""
    subcommands = getattr(command, "commands", {})
    if not subcommands or path != "wanmi":
        yield f"## `{path}`"
        yield markdown(command.help)
    told = grid(("argument or option", "default", "what it is"), map(parameter_row, command.params))
    if told and path != "wanmi":
        yield told
    for name in sorted(subcommands):
        if not subcommands[name].hidden:
            yield from command_parts(f"{path} {name}", subcommands[name])


def parameter_row(parameter: Any) -> tuple[str, str, str]:
    """One row of a command's table."""
    named = " / ".join(f"`{name}`" for name in [*parameter.opts, *parameter.secondary_opts])
    shown = named if parameter.opts[0].startswith("-") else f"`{parameter.name.upper()}`"
    empty = parameter.default is None or parameter.default == [] or callable(parameter.default)
    default = "must be given" if parameter.required else "" if empty else f"`{parameter.default}`"
    return shown, default, parameter.help or ""


# Entry kinds and tables


def entries_page(registry: Registry) -> str:
    """Every registered entry kind with its body, and every table with its mark."""
    kinds = sorted(registry.kinds.values(), key=lambda one: (one.name, one.version))
    rows = sorted(registry.rows.values(), key=lambda one: one.__tablename__)
    overview = grid(
        ("kind", "version", "中文", "English", "from"),
        [(f"[`{one.name}`](#{anchor(one)})", one.version, one.zh, one.en, one.plugin.split("@")[0]) for one in kinds],
    )
    tables = grid(("table", "mark", "key", "what it is"), map(table_row, rows))
    intro = "The journal's entry kinds, each with the fields of its body, and the tables of a node, each with its mark."
    marks = (
        "journal: the truth. projection: what entries add up to, rebuilt by replay. local: never replayed, never sent."
    )
    return page(
        "Entries and tables", intro, ["## Entry kinds", overview, *map(kind_part, kinds), "## Tables", marks, tables]
    )


def anchor(kind: EntryKind) -> str:
    """The address of a kind's heading on the page."""
    return f"{kind.name.replace('.', '')}-v{kind.version}"


def kind_part(kind: EntryKind) -> str:
    """A kind's heading, what it means, and its fields."""
    hints = typing.get_type_hints(kind.body, include_extras=True)
    fields = [
        (f"`{field.encode_name}`", f"`{type_text(hints[field.name])}`", "" if field.required else "may be left out")
        for field in msgspec.structs.fields(kind.body)
    ]
    told = markdown(kind.body.__doc__)
    return "\n\n".join(filter(None, [f"### {kind.name} v{kind.version}", told, grid(("field", "type", ""), fields)]))


def table_row(row: type[Row]) -> tuple[str, str, str, str]:
    """One row of the table of tables."""
    keys = ", ".join(f"`{name}`" for name in key_columns(row))
    return f"`{table(row).name}`", mark_of(row), keys, first_paragraph(row.__doc__)


# Hooks


def hooks_page(plugins: Sequence[Plugin]) -> str:
    """Every hook, how it is asked, and who in the project answers it."""
    callers = plugin_manager(plugins).hook
    parts = []
    for name, spec in vars(Specs).items():
        if hasattr(spec, f"{PROJECT}_spec"):
            answering = [one.plugin_name for one in getattr(callers, name).get_hookimpls()]
            parts += [f"## {name}", f"```python\n{signature_text(name, spec)}\n```", markdown(spec.__doc__)]
            parts += [f"In the project: {', '.join(sorted(answering)) or 'nobody'}."]
    intro = "A plugin is a module that an entry point of the group `wanmi.plugins` names; its functions marked with "
    return page("Hooks", f"{intro}`wanmi.hookspecs.hookimpl` answer these. {markdown(hookspecs.__doc__)}", parts)


def signature_text(name: str, spec: Callable[..., Any]) -> str:
    """A hook as a plugin author writes it, `self` left out."""
    signature = inspect.signature(spec)
    shown = signature.replace(parameters=[one for key, one in signature.parameters.items() if key != "self"])
    return f"def {name}{shown}: ...".replace("'", "")


# Writing and checking


def pages() -> dict[str, str]:
    """File name to content, for every page."""
    plugins = [load_plugin(name, installed_plugins()) for name in installed_plugins()]
    registry = Registry()
    register_core(registry)
    register_people(registry)
    register_profiles(registry)
    register_calendar(registry)
    register_restored(registry)
    fill(registry, plugins)
    return {
        "settings.md": settings_page(registry),
        "cli.md": cli_page(build_app()),
        "entries.md": entries_page(registry),
        "hooks.md": hooks_page(plugins),
    }


def stale(written: dict[str, str]) -> list[str]:
    """Names of the pages that are missing, differ, or are there but no longer written."""
    there = {path.name: path.read_text(encoding="utf-8") for path in REFERENCE.glob("*.md")}
    return sorted(name for name in {*written, *there} if written.get(name) != there.get(name))


def main(arguments: Sequence[str]) -> int:
    """Write the pages, or compare them with `--check`; the exit code."""
    written = pages()
    if "--check" in arguments:
        for name in stale(written):
            print(f"docs/reference/{name} is stale; run `make docs`", file=sys.stderr)
        return 1 if stale(written) else 0
    REFERENCE.mkdir(parents=True, exist_ok=True)
    for name in stale(written):
        if name in written:
            (REFERENCE / name).write_text(written[name], encoding="utf-8")
        else:
            (REFERENCE / name).unlink()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
