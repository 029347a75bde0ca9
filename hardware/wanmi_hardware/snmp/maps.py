"""OID maps: which object of an agent is which quantity. TOML files, ours in this package, a technician's anywhere.

A map is data: the driver frame reads any device that has one. Quirks change a map for one make of agent. Both are
checked when they are read, with errors that say which entry is wrong and how.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import TypeVar

import msgspec

from wanmi.devices import Quantity
from wanmi.errors import BadInput
from wanmi_hardware.snmp.values import Oid, is_under, oid_of

ROW = "#"
MAX_ROW = 99
T = TypeVar("T")
_ROW_NUMBER = re.compile(r"(?<=\.)\d+(?=\.|$)")


class Read(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One object, or one column of a table (``rows``), and what it means.

    The cooked value is raw × ``scale`` + ``add``. ``scales``: the first that gives a value between ``low`` and ``high``
    counts, for objects whose scale agents disagree about. ``words``: a word for each whole number (or text).
    ``unknown``: numbers by which the agent says that it does not know. ``lines``: the quantity with the number of rows
    that are real. ``slow``: changes seldom, asked for seldom.
    """

    quantity: str
    oid: str
    rows: bool = False
    scale: float = 1.0
    add: float = 0.0
    scales: tuple[float, ...] = ()
    low: float | None = None
    high: float | None = None
    words: dict[str, str] = {}
    unknown: tuple[float, ...] = ()
    lines: str = ""
    slow: bool = False


class Flags(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A text of zeros and ones; ``bits``: position (from 1) to the alarm that a one means."""

    oid: str
    bits: dict[str, str]


class MapFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A map as written."""

    title: str
    source: str
    read: tuple[Read, ...]
    root: str = ""
    flags: tuple[Flags, ...] = ()


@dataclass(frozen=True)
class OidMap:
    """A map, checked. ``columns`` and ``scalars`` are the reads by OID; ``root`` is what is walked to learn what is there."""

    name: str
    title: str
    root: Oid | None
    scalars: Mapping[Oid, Read]
    columns: Mapping[Oid, Read]
    flags: Mapping[Oid, Mapping[int, str]]

    def expected(self) -> list[Oid]:
        """What to ask an agent for that cannot be walked: the scalars, and three rows of each column."""
        rows = [(*column, row) for column in self.columns for row in (1, 2, 3)]
        return [*self.scalars, *rows, *self.flags]

    def place(self, oid: Oid) -> tuple[Read, str] | None:
        """The read that ``oid`` belongs to and the name of its reading; None for what the map does not know.

        A row's index may carry an extra ``.0``: some agents append one.
        """
        read = self.scalars.get(oid)
        if read is not None:
            return read, read.quantity
        for column, row in ((oid[:-1], oid[-1:]), (oid[:-2], oid[-2:-1] if oid[-1:] == (0,) else ())):
            read = self.columns.get(column)
            if read is not None and row and 1 <= row[0] <= MAX_ROW:
                return read, read.quantity.replace(ROW, str(row[0]))
        return None


def load_map(path: Path, quantities: Iterable[Quantity]) -> OidMap:
    """The map in a file; BadInput says what is wrong with which entry."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"OID map {path}: cannot be read: {error}") from None
    return parse_map(path.stem, text, quantities)


def checked_map(path: Path, quantities: Iterable[Quantity]) -> Path:
    """The path, when its map can be used: told when a device is added, not when the mains fail. ValueError, for pydantic."""
    try:
        load_map(path, quantities)
    except BadInput as error:
        raise ValueError(str(error)) from None
    return path


def packaged_map(name: str, quantities: Iterable[Quantity]) -> OidMap:
    """One of the maps in this package."""
    text = files("wanmi_hardware.snmp").joinpath("maps", f"{name}.toml").read_text(encoding="utf-8")
    return parse_map(name, text, quantities)


def parse_map(name: str, text: str, quantities: Iterable[Quantity]) -> OidMap:
    """The map in a text; BadInput says what is wrong with which entry."""
    written = decode(f"OID map {name}", text, MapFile)
    known = {quantity.name: quantity for quantity in quantities}
    scalars: dict[Oid, Read] = {}
    columns: dict[Oid, Read] = {}
    for n, read in enumerate(written.read, 1):
        where = f"OID map {name}, read {n} ({read.quantity})"
        oid = _oid(where, read.oid)
        _check(where, read, known, written)
        into = columns if read.rows else scalars
        if oid in into:
            raise BadInput(f"{where}: OID {read.oid} is already {into[oid].quantity}")
        into[oid] = read
    flags = {_oid(f"OID map {name}, flags", one.oid): _bits(name, one) for one in written.flags}
    root = _oid(f"OID map {name}, root", written.root) if written.root else None
    return OidMap(name, written.title, root, scalars, columns, flags)


def decode(what: str, text: str, into: type[T]) -> T:
    """A TOML text as ``into``; BadInput names the line, or the entry and the key that is wrong."""
    try:
        return msgspec.convert(tomllib.loads(text), into)
    except tomllib.TOMLDecodeError as error:
        raise BadInput(f"{what}: no TOML: {error}") from None
    except msgspec.ValidationError as error:
        raise BadInput(f"{what}: {_told(str(error))}") from None


def _told(error: str) -> str:
    """msgspec's ``… - at `$.read[3].scale``` with entries counted from 1, as a person counts them."""
    return re.sub(r"\[(\d+)\]", lambda found: f" number {int(found[1]) + 1}", error).replace("$.", "")


def _oid(where: str, text: str) -> Oid:
    try:
        return oid_of(text)
    except BadInput as error:
        raise BadInput(f"{where}: {error}") from None


def _check(where: str, read: Read, known: Mapping[str, Quantity], written: MapFile) -> None:
    quantity = quantity_of(read.quantity, known)
    if quantity is None:
        raise BadInput(f"{where}: no such quantity; there are {', '.join(sorted(known))}")
    if (ROW in read.quantity) != read.rows:
        raise BadInput(f"{where}: a column (rows = true) needs a quantity with {ROW}, and only a column")
    if not read.scale or not all(read.scales):
        raise BadInput(f"{where}: a scale of 0 makes every value 0")
    if quantity.words and not read.words:
        raise BadInput(
            f"{where}: this quantity has words ({', '.join(quantity.words)}); say which number is which word"
        )
    strange = sorted(set(read.words.values()) - set(quantity.words))
    if strange:
        raise BadInput(f"{where}: no such word: {', '.join(strange)}; there are {', '.join(quantity.words) or 'none'}")
    if read.scales and (read.low is None or read.high is None):
        raise BadInput(f"{where}: scales need low and high, to choose by")
    if read.lines and read.lines not in {one.quantity for one in written.read}:
        raise BadInput(f"{where}: lines names {read.lines}, which this map does not read")
    if written.root and not is_under(oid_of(read.oid), oid_of(written.root)):
        raise BadInput(f"{where}: OID {read.oid} is not under the map's root {written.root}")


def quantity_of(name: str, known: Mapping[str, Quantity]) -> Quantity | None:
    """The quantity of a reading's name: ``output.2.voltage`` is ``output.#.voltage``."""
    return known.get(name) or known.get(_ROW_NUMBER.sub(ROW, name))


def _bits(name: str, flags: Flags) -> Mapping[int, str]:
    wrong = [bit for bit in flags.bits if not bit.isdigit() or not 1 <= int(bit) <= 256]
    if wrong:
        raise BadInput(f"OID map {name}, flags {flags.oid}: bits are positions from 1, not {', '.join(wrong)}")
    return {int(bit): alarm for bit, alarm in flags.bits.items()}
