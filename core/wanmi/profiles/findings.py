"""What a check finds: the file, the line, what is wrong and what to do; and how lines are found in TOML and CSV."""

from __future__ import annotations

import csv
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from wanmi.errors import BadInput

__all__ = ["Finding", "NumberedRow", "Table", "numbered_rows", "read_table", "text_of", "toml_line"]

_AT_LINE = re.compile(r"at line (\d+)")


@dataclass(frozen=True)
class Finding:
    """One thing: an error keeps the profile from being activated, a warning does not."""

    level: Literal["error", "warning"]
    file: str
    line: int | None
    what: str
    do: str

    def __str__(self) -> str:
        where = self.file if self.line is None else f"{self.file}:{self.line}"
        return f"{where}: {self.level}: {self.what}; {self.do}"


@dataclass(frozen=True)
class NumberedRow:
    """A row of a CSV file and its line; cells that are missing are empty, ``extra`` are cells beyond the header."""

    line: int
    cells: Mapping[str, str]
    missing: tuple[str, ...]
    extra: int


@dataclass(frozen=True)
class Table:
    """A CSV file with a header."""

    columns: tuple[str, ...]
    rows: tuple[NumberedRow, ...]


def text_of(files: Mapping[str, bytes], name: str) -> str:
    """A file as text; BadInput where it is not UTF-8."""
    try:
        return files[name].decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = files[name][: error.start].count(b"\n") + 1
        raise BadInput(f"line {line}: not UTF-8 (a city's spreadsheet may have saved it as GBK)") from error


def read_table(text: str) -> Table:
    """A CSV text with its lines; a line that csv cannot read raises BadInput."""
    reader = csv.DictReader(text.splitlines())
    columns = tuple(reader.fieldnames or ())
    return Table(columns, tuple(numbered_rows(reader, columns)))


def numbered_rows(reader: csv.DictReader[str], columns: Sequence[str]) -> Iterator[NumberedRow]:
    """The rows of an open reader."""
    while True:
        try:
            row: Mapping[Any, Any] | None = next(reader, None)
        except csv.Error as error:
            raise BadInput(f"line {reader.line_num}: {error}") from error
        if row is None:
            return
        missing = tuple(name for name in columns if row[name] is None)
        cells = {name: row[name] or "" for name in columns}
        yield NumberedRow(reader.line_num, cells, missing, len(row.get(None) or ()))


def toml_error(error: tomllib.TOMLDecodeError) -> tuple[int | None, str]:
    """The line of a TOML error, and its words without it."""
    found = _AT_LINE.search(str(error))
    return (int(found.group(1)) if found else None), str(error).partition(" (at ")[0]


def toml_line(text: str, *path: str) -> int | None:
    """The line where a key stands: `[codes.grid]` for ("codes", "grid"), or a key under its table; None if unseen."""
    lines = text.splitlines()
    header = None
    for depth in range(len(path), 0, -1):
        name = re.escape(".".join(path[:depth]))
        header = _first(lines, rf"\s*\[\[?\s*{name}\s*\]", 0)
        if header is not None:
            return _key_below(lines, header, path[depth:])
    return None if not path else _first(lines, rf'\s*"?{re.escape(path[0])}"?\s*=', 0)


def _key_below(lines: Sequence[str], header: int, rest: Sequence[str]) -> int:
    if not rest:
        return header
    for n in range(header, len(lines)):
        if lines[n].lstrip().startswith("["):
            break
        if re.match(rf'\s*"?{re.escape(rest[0])}"?\s*[=.]', lines[n]):
            return n + 1
    return header


def _first(lines: Sequence[str], pattern: str, after: int) -> int | None:
    return next((n + 1 for n in range(after, len(lines)) if re.match(pattern, lines[n])), None)
