"""Reads the data files shipped in the package (wanmi/data), whole and as text."""

from __future__ import annotations

import csv
import io
import tomllib
from collections.abc import Iterator, Mapping
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import IO, Any, Literal

from wanmi.errors import NotFound

__all__ = ["Lang", "MemoryFolder", "Row", "Toml", "folder_named", "folders_with", "read_rows", "read_toml"]

Row = Mapping[str, str]
"""One CSV row: column name to text."""

Lang = Literal["zh", "en"]
"""The languages that data has words in."""

Toml = Mapping[str, object]
"""A parsed TOML table; readers check each value they take."""


class MemoryFolder(Traversable):
    """A folder of files held in memory, read like one on disk: what an archive or the journal brought."""

    def __init__(self, name: str, held: Mapping[str, bytes]) -> None:
        self._name = name
        self._held = dict(held)

    @property
    def name(self) -> str:
        """The folder's name."""
        return self._name

    def iterdir(self) -> Iterator[Traversable]:
        """Its files, by name."""
        return (MemoryFile(name, self._held[name]) for name in sorted(self._held))

    def is_dir(self) -> bool:
        """It is a folder."""
        return True

    def is_file(self) -> bool:
        """It is no file."""
        return False

    def joinpath(self, *descendants: Any) -> Traversable:
        """The file of that name, there or not."""
        name = "/".join(str(part) for part in descendants)
        return MemoryFile(name, self._held.get(name))

    def read_bytes(self) -> bytes:
        """A folder has none."""
        raise IsADirectoryError(self._name)

    def read_text(self, encoding: str | None = None) -> str:
        """A folder has none."""
        raise IsADirectoryError(self._name)

    def open(self, mode: str = "r", *args: Any, **kwargs: Any) -> IO[Any]:
        """A folder cannot be opened."""
        raise IsADirectoryError(self._name)


class MemoryFile(Traversable):
    """One file of a MemoryFolder; ``content`` None where there is none of that name."""

    def __init__(self, name: str, content: bytes | None) -> None:
        self._name = name
        self._content = content

    @property
    def name(self) -> str:
        """The file's name."""
        return self._name

    def iterdir(self) -> Iterator[Traversable]:
        """Nothing is in a file."""
        return iter(())

    def is_dir(self) -> bool:
        """It is no folder."""
        return False

    def is_file(self) -> bool:
        """Whether it is there."""
        return self._content is not None

    def joinpath(self, *descendants: Any) -> Traversable:
        """Nothing is in a file."""
        return MemoryFile("/".join((self._name, *map(str, descendants))), None)

    def read_bytes(self) -> bytes:
        """Its bytes; FileNotFoundError where it is not there."""
        if self._content is None:
            raise FileNotFoundError(self._name)
        return self._content

    def read_text(self, encoding: str | None = None) -> str:
        """Its text, line ends as they are read from a disk."""
        return io.StringIO(self.read_bytes().decode(encoding or "utf-8"), newline=None).read()

    def open(self, mode: str = "r", *args: Any, **kwargs: Any) -> IO[Any]:
        """Its bytes or its text; FileNotFoundError where it is not there."""
        raw = io.BytesIO(self.read_bytes())
        return raw if "b" in mode else io.TextIOWrapper(raw, *args, **kwargs)


def folders_with(filename: str) -> tuple[str, ...]:
    """Names of the shipped data folders that hold a file of that name, in order."""
    data = files("wanmi") / "data"
    return tuple(sorted(child.name for child in data.iterdir() if (child / filename).is_file()))


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
