"""Reads the data files shipped in the package (wanmi/data), whole and as text."""

from __future__ import annotations

import csv
import tomllib
from collections.abc import Mapping
from importlib.resources import files
from importlib.resources.abc import Traversable

from wanmi.errors import NotFound

__all__ = ["Row", "Toml", "folder_named", "read_rows", "read_toml"]

Row = Mapping[str, str]
"""One CSV row: column name to text."""

Toml = Mapping[str, object]
"""A parsed TOML table; readers check each value they take."""


def folder_named(name: str) -> Traversable:
    """The data folder of that name; raises NotFound naming the ones there are."""
    data = files("wanmi") / "data"
    folder = data / name
    if not name or name.startswith(".") or "/" in name or not folder.is_dir():
        there = ", ".join(sorted(child.name for child in data.iterdir() if child.is_dir()))
        raise NotFound(f"data folder {name!r}: not in this package; there are: {there}")
    return folder


def read_rows(folder: Traversable, filename: str) -> tuple[Row, ...]:
    """All rows of a CSV file with a header line, UTF-8."""
    text = (folder / filename).read_text(encoding="utf-8-sig")
    return tuple(csv.DictReader(text.splitlines()))


def read_toml(folder: Traversable, filename: str) -> Toml:
    """A TOML file as a tree."""
    return tomllib.loads((folder / filename).read_text(encoding="utf-8"))
