"""Who is reached where, and who is on duty: two local tables, filled from CSV files.

Addresses: ``person,channel,address,lang``. Roster: ``person,post,unit,from,to``, local times (Asia/Shanghai) such as
``2026-11-24 08:00``, either end empty for always. A file replaces what was there: the whole of the addresses; of the
roster what begins at or after ``since`` (what is past stays, and can still be asked for).
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import cast

from sqlalchemy import Connection, delete, select, update

from wanmi.clock import SECOND
from wanmi.codes import Lang
from wanmi.errors import BadInput
from wanmi.identity.people import POSTS
from wanmi.identity.shifts import ShiftRow
from wanmi.models import table
from wanmi.store import insert_rows
from wanmi_messenger.book import Channel, Recipient
from wanmi_messenger.pacing import ZONE
from wanmi_messenger.rows import AddressRow, DutyRow

ALWAYS = 2**53 - 1
"""µs UTC: no end."""
MOST_ROWS = 100_000
_PERSON = re.compile(r"[A-Za-z0-9._-]{1,60}")
_UNIT = re.compile(r"[A-Za-z0-9._-]{0,40}")
_ADDRESSES = {
    "smtp": re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*"),
    "sms": re.compile(r"\+?[0-9]{5,15}"),
    "webhook": re.compile(r"[a-z][a-z0-9_-]{0,39}"),
}


@dataclass(frozen=True)
class Address:
    """One way to reach a person; of a webhook the address is its name in the settings."""

    person: str
    channel: Channel
    address: str
    lang: Lang


@dataclass(frozen=True)
class Duty:
    """A person in a post (of a unit, or "") from ``begins_at`` to before ``ends_at``, µs UTC."""

    person: str
    post: str
    unit: str
    begins_at: int
    ends_at: int


def read_addresses(text: str) -> list[Address]:
    """The addresses of a CSV file; BadInput names the line (never the address)."""
    found: dict[tuple[str, str], Address] = {}
    for n, row in _lines(text, ("person", "channel", "address", "lang")):
        channel, lang = row["channel"], row["lang"] or "zh"
        if channel not in _ADDRESSES or lang not in ("zh", "en"):
            raise BadInput(f"line {n}: channel is one of {', '.join(_ADDRESSES)}, lang zh or en")
        if not _ADDRESSES[channel].fullmatch(row["address"]):
            raise BadInput(f"line {n}: the address of {row['person']} is none for channel {channel}")
        if (row["person"], channel) in found:
            raise BadInput(f"line {n}: {row['person']} has a {channel} address already")
        found[row["person"], channel] = Address(row["person"], cast(Channel, channel), row["address"], cast(Lang, lang))
    return list(found.values())


def read_roster(text: str) -> list[Duty]:
    """The duties of a CSV file; BadInput names the line."""
    found: dict[tuple[str, str, str, int], Duty] = {}
    for n, row in _lines(text, ("person", "post", "unit", "from", "to")):
        if row["post"] not in POSTS or not _UNIT.fullmatch(row["unit"]):
            raise BadInput(f"line {n}: post is one of {', '.join(POSTS)}; a unit is letters, digits and . _ -")
        duty = Duty(row["person"], row["post"], row["unit"], _time(n, row["from"], 0), _time(n, row["to"], ALWAYS))
        if duty.begins_at >= duty.ends_at:
            raise BadInput(f"line {n}: a duty ends after it begins")
        key = (duty.post, duty.unit, duty.person, duty.begins_at)
        if key in found:
            raise BadInput(f"line {n}: this duty is there twice")
        found[key] = duty
    return list(found.values())


def replace_addresses(tx: Connection, addresses: list[Address]) -> None:
    """These addresses and no others."""
    tx.execute(delete(table(AddressRow)))
    insert_rows(tx, AddressRow, [(one.person, one.channel, one.address, one.lang) for one in addresses])


def replace_roster(tx: Connection, duties: list[Duty], since: int) -> int:
    """From ``since`` (µs UTC) on these duties and no others; earlier ones end there. Returns how many were added.

    Of a new duty that began before ``since`` the part from then on counts.
    """
    row = table(DutyRow)
    tx.execute(delete(row).where(row.c.begins_at >= since))
    tx.execute(update(row).where(row.c.ends_at > since).values(ends_at=since))
    fresh = [one for one in duties if one.ends_at > since]
    cut = {(one.post, one.unit, one.person, max(one.begins_at, since)): one.ends_at for one in fresh}
    insert_rows(tx, DutyRow, [(*key, ends_at) for key, ends_at in cut.items()])
    return len(cut)


def on_duty(tx: Connection, at: int, post: str = "", unit: str = "") -> list[Duty]:
    """Who is on duty at ``at`` (µs UTC), in any post and unit where they are left out; by post, unit, person."""
    row = table(DutyRow)
    query = select(row).where(row.c.begins_at <= at, row.c.ends_at > at)
    if post:
        query = query.where(row.c.post == post)
    if unit:
        query = query.where(row.c.unit == unit)
    found = tx.execute(query.order_by(row.c.post, row.c.unit, row.c.person)).all()
    return [Duty(one.person, one.post, one.unit, one.begins_at, one.ends_at) for one in found]


def people_for(tx: Connection, recipient: Recipient, at: int, units: tuple[str, ...]) -> set[str]:
    """The people that a rule means: of the roster, and of the centre's shifts where no unit is asked for.

    ``units`` are what the entry names as its unit or department.
    """
    if recipient.person:
        return {recipient.person}
    if recipient.unit == "case":
        return {one.person for unit in units for one in on_duty(tx, at, recipient.post, unit)}
    people = {one.person for one in on_duty(tx, at, recipient.post, recipient.unit)}
    return people if recipient.unit else people | _on_shift(tx, at, recipient.post)


def _on_shift(tx: Connection, at: int, post: str) -> set[str]:
    """The centre's own people on shift in a post, by their person id."""
    row = table(ShiftRow)
    return set(
        tx.execute(select(row.c.person).where(row.c.post == post, row.c.starts_at <= at, row.c.ends_at > at)).scalars()
    )


def addresses_of(tx: Connection, people: set[str], channels: list[Channel]) -> list[Address]:
    """Where these people are reached by these channels, by person and channel."""
    row = table(AddressRow)
    query = select(row).where(row.c.person.in_(sorted(people)), row.c.channel.in_(channels))
    found = tx.execute(query.order_by(row.c.person, row.c.channel)).all()
    return [Address(one.person, one.channel, one.address, one.lang) for one in found]


def _lines(text: str, columns: tuple[str, ...]) -> Iterator[tuple[int, dict[str, str]]]:
    """The rows of a CSV file with their line numbers; BadInput for other columns or a bad person."""
    reader = csv.DictReader(io.StringIO(text.removeprefix("\ufeff")), strict=True)
    try:
        if tuple(reader.fieldnames or ()) != columns:
            raise BadInput(f"line 1: the columns are {','.join(columns)}")
        for count, row in enumerate(reader, 1):
            n = reader.line_num
            if count > MOST_ROWS:
                raise BadInput(f"line {n}: a file has at most {MOST_ROWS} rows")
            if None in row or None in row.values():
                raise BadInput(f"line {n}: has not {len(columns)} columns")
            cells = {name: value.strip() for name, value in row.items()}
            if not _PERSON.fullmatch(cells["person"]):
                raise BadInput(f"line {n}: person is an id: letters, digits and . _ -")
            yield n, cells
    except csv.Error as error:
        raise BadInput(f"line {reader.line_num}: is no CSV: {error}") from error


def _time(n: int, text: str, empty: int) -> int:
    if not text:
        return empty
    try:
        local = datetime.fromisoformat(text)
    except ValueError:
        raise BadInput(f"line {n}: {text!r} is no time like 2026-11-24 08:00") from None
    given = local if local.tzinfo is not None else local.replace(tzinfo=ZONE)
    return int(given.timestamp()) * SECOND
