"""Checks profile.toml: names, shapes of codes, units, groups, words for screens."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import fields
from typing import Any

import msgspec

from wanmi.codes import CODE_KINDS, Group, Label, Unit
from wanmi.codes.resources import Toml
from wanmi.codes.shapes import Shape, shapes_of
from wanmi.errors import BadCode
from wanmi.profiles.findings import Finding, text_of, toml_line
from wanmi.profiles.packing import Files

__all__ = ["check_words", "table_at"]

FILE = "profile.toml"
NAME = re.compile(r"[a-z0-9][a-z0-9.-]{1,39}")
VERSION = re.compile(r"[0-9A-Za-z][0-9A-Za-z._-]{0,39}")
WORDS = ("kind", "stage", "geometry", "confidence", "component-major", "event-major")


def check_words(toml: Toml, files: Files) -> Iterator[Finding]:
    """Everything about profile.toml that does not need the catalogue."""
    text = text_of(files, FILE)

    def wrong(what: str, do: str, *path: str) -> Finding:
        return Finding("error", FILE, toml_line(text, *path), what, do)

    yield from _names(toml, wrong)
    yield from _shapes(toml, wrong)
    yield from _typed(toml, wrong, "units", Unit)
    yield from _typed(toml, wrong, "groups", Group, needed=False)
    for name, unit in table_at(toml, "units").items():
        if isinstance(unit, Mapping) and isinstance(unit.get("seconds"), int) and unit["seconds"] < 1:
            yield wrong(f"unit {name}: {unit['seconds']} seconds", "write a positive number", "units", name)
    yield from _labels(toml, wrong)


def table_at(toml: Toml, name: str) -> Mapping[str, Any]:
    """The table of that name; empty where there is none or it is something else."""
    found = toml.get(name)
    return found if isinstance(found, Mapping) else {}


def _names(toml: Toml, wrong: Any) -> Iterator[Finding]:
    for key, form in (("name", NAME), ("version", VERSION)):
        value = toml.get(key)
        if not isinstance(value, str) or not form.fullmatch(value):
            yield wrong(
                f"{key} {value!r} is missing or no such name",
                f'write {key} = "…" in small letters, digits, . and -',
                key,
            )
    for key in ("title_zh", "title_en"):
        if not isinstance(toml.get(key), str) or not toml[key]:
            yield wrong(f"{key} is missing", "write the profile's title in that language", key)


def _shapes(toml: Toml, wrong: Any) -> Iterator[Finding]:
    codes = table_at(toml, "codes")
    for kind in CODE_KINDS:
        name = kind.kind
        if name not in codes:
            yield wrong(f"codes.{name} is missing", "copy it from the shipped profile", "codes")
            continue
        try:
            shape = shapes_of({"codes": {name: codes[name]}})[name]
        except (msgspec.MsgspecError, re.error, TypeError) as error:
            yield wrong(f"code {name}: {error}", "compare with the shipped profile", "codes", name)
            continue
        parts = {part.name for part in shape.parts if part.name}
        wanted = {one.name for one in fields(kind)}  # type: ignore[arg-type]
        if parts != wanted:
            yield wrong(
                f"code {name}: has parts {', '.join(sorted(parts))}",
                f"name them {', '.join(sorted(wanted))}",
                "codes",
                name,
            )
            continue
        yield from _example(shape, wrong)


def _example(shape: Shape, wrong: Any) -> Iterator[Finding]:
    try:
        shape.split(shape.example)
    except BadCode as error:
        yield wrong(
            f"the example does not fit: {error}", "correct the example or the parts", "codes", shape.kind, "example"
        )


def _typed(toml: Toml, wrong: Any, name: str, of: type[Any], *, needed: bool = True) -> Iterator[Finding]:
    if needed and not table_at(toml, name):
        yield wrong(f"[{name}] is missing", "copy it from the shipped profile", name)
    for key, value in table_at(toml, name).items():
        try:
            msgspec.convert(value, of)
        except msgspec.MsgspecError as error:
            yield wrong(f"{name} {key}: {error}", "compare with the shipped profile", name, key)


def _labels(toml: Toml, wrong: Any) -> Iterator[Finding]:
    labels = table_at(toml, "labels")
    for name in WORDS:
        if not isinstance(labels.get(name), Mapping):
            yield wrong(f"labels.{name} is missing", "copy it from the shipped profile", "labels")
    for group, words in labels.items():
        for key, value in words.items() if isinstance(words, Mapping) else ():
            try:
                label = msgspec.convert(value, Label)
            except msgspec.MsgspecError as error:
                yield wrong(f"label {group}.{key}: {error}", 'write { zh = "…", en = "…" }', "labels", group, key)
                continue
            if not label.zh or not label.en:
                yield wrong(f"label {group}.{key}: a language is empty", "write both", "labels", group, key)
