"""Which profile is active at a node, and any earlier one by its digest: from the journal, else the shipped one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Self

import msgspec
from sqlalchemy import Connection, select

from wanmi.calendar import shipped_calendar
from wanmi.cases.table import StepTable
from wanmi.codes import CaseKind, Profile, files_digest, shipped_profiles
from wanmi.errors import BadInput, NotFound, WanmiError
from wanmi.models import table
from wanmi.profiles.bodies import ProfileChunkRow, ProfileVersionRow
from wanmi.profiles.check_steps import STEPS
from wanmi.profiles.kinship import Kin, kin_among
from wanmi.profiles.packing import Files, unpack
from wanmi.registry import NodeContext, Stored

__all__ = ["ProfileStore", "Version", "city_of", "files_of", "source_of", "steps_of"]

CHUNK = table(ProfileChunkRow)
VERSION = table(ProfileVersionRow)
ACTIVATED = "profile.activated"


@dataclass(frozen=True)
class Version:
    """An activated version: where and when (µs UTC), by whom, why."""

    origin: str
    seq: int
    name: str
    version: str
    digest: str
    opinion: str
    actor: str | None
    at: int

    @property
    def ref(self) -> str:
        """As cases name it: ``name@`` and 16 digits of the digest."""
        return f"{self.name}@{self.digest[:16]}"


class ProfileStore:
    """The profiles of a node. Thread safe; what was read once is kept, a new activation is seen at once.

    Until the city activates one the shipped default holds, at every node and for everything that runs there.
    """

    def __init__(self, node: NodeContext) -> None:
        self._node = node
        self._source = source_of(node)
        self._seen: tuple[int, Profile] | None = None
        self._kept: dict[str, Profile] = {}
        self._tables: dict[str, StepTable] = {}
        self._heard: int | None = None

    def watching(self) -> Self:
        """From now on look for a new version only after the journal took one: for hot paths, once for each of them."""
        if self._heard is None:
            self._heard = 0
            self._node.journal.listen(self._hear)
        return self

    def active(self) -> Profile:
        """The profile that cases opened now follow: the city's newest activation, else the shipped default."""
        heard, seen = self._heard, self._seen
        mark = self._node.journal.cursor(self._source).seq if heard is None else heard
        if seen is None or seen[0] != mark:
            newest = self.versions(1)
            profile = self._journaled(newest[0].digest) if newest else Profile.load()
            self._seen = seen = (mark, profile)
        return seen[1]

    def knowing(self, kind: CaseKind, category: str) -> Profile:
        """The active profile where it has the category, else the newest earlier one that had it; none: the active one.

        A report may be older than the version that took its category away.
        """
        active = self.active()
        if active.catalogue.get(kind, category) is not None:
            return active
        return next((one for one in self.earlier() if one.catalogue.get(kind, category) is not None), active)

    def earlier(self) -> list[Profile]:
        """What held before the active profile, the newest first, the shipped default last."""
        return [*(self._journaled(one.digest) for one in self.versions()[1:]), Profile.load()]

    def of(self, ref: str) -> Profile:
        """The profile that a case names (``name@digest16``): the journaled version, else the shipped one of that name.

        Raises NotFound where neither is held.
        """
        name, _, begin = ref.partition("@")
        for profile in [self.active(), *self._kept.values()]:
            if profile.ref == ref:
                return profile
        if name in shipped_profiles() and Profile.load(name).ref == ref:
            return Profile.load(name)
        digest = self._digest_of(name, begin)
        if digest is not None:
            return self._journaled(digest)
        if name not in shipped_profiles():
            raise NotFound(f"profile {ref}: was never activated here and is not shipped; fetch the city's chain first")
        return Profile.load(name)

    def kin(self, kind: CaseKind, category: str) -> Kin:
        """The category as every catalogue that holds or held here has it."""
        return kin_among([self.active(), *self.earlier()], (kind, category))

    def held(self, ref: str) -> Profile:
        """The profile that a case names, for its words: the active one where that is not held here, or none is named."""
        if not ref:
            return self.active()
        try:
            return self.of(ref)
        except WanmiError:
            return self.active()

    def steps(self, profile: Profile) -> StepTable:
        """The step table of a profile, read once; a profile without one works by the shipped default's."""
        if profile.digest not in self._tables:
            self._tables[profile.digest] = steps_of(profile)
        return self._tables[profile.digest]

    def versions(self, most: int = 100) -> list[Version]:
        """What the city activated, newest first."""
        columns = [VERSION.c[name] for name in Version.__dataclass_fields__]
        query = select(*columns).where(VERSION.c.origin == self._source).order_by(VERSION.c.seq.desc()).limit(most)
        with self._node.store.reader() as connection:
            return [Version(*row) for row in connection.execute(query)]

    def _hear(self, entries: Sequence[Stored]) -> None:
        """After a commit, in the writer's thread."""
        if any(one.entry is not None and one.entry.kind == ACTIVATED for one in entries):
            self._heard = (self._heard or 0) + 1

    def _digest_of(self, name: str, begin: str) -> str | None:
        if len(begin) < 16:
            return None
        like = VERSION.c.digest.startswith(begin, autoescape=True)
        query = select(VERSION.c.digest).where(VERSION.c.origin == self._source, VERSION.c.name == name, like).limit(1)
        with self._node.store.reader() as connection:
            return connection.execute(query).scalar_one_or_none()

    def _journaled(self, digest: str) -> Profile:
        if digest not in self._kept:
            with self._node.store.reader() as connection:
                archive = _archive(connection, self._source, digest)
            self._kept[digest] = _read(archive, digest)
        return self._kept[digest]


def steps_of(profile: Profile) -> StepTable:
    """The step table of a profile; one without its own works by the shipped default's."""
    return StepTable.parse(profile.text(STEPS)) if STEPS in profile.files else StepTable.load()


def read_shipped() -> None:
    """Read what the package ships, once for the process: a release that is put in place under a running node, of which
    this code may not know every field, is read at the next start. Errors as of reading.
    """
    shipped_calendar()
    StepTable.load()
    for name in shipped_profiles():
        steps_of(Profile.load(name))


@lru_cache(maxsize=8)
def _read(archive: bytes, digest: str) -> Profile:
    """Read once for all stores of a process. A later release may activate what this one cannot read: it says so
    rather than decide by other data.
    """
    files = _files_in(archive, digest)
    try:
        return Profile.of_files(files)
    except (WanmiError, msgspec.MsgspecError, ArithmeticError, KeyError, TypeError, ValueError) as error:
        raise BadInput(
            f"profile {digest[:16]}: is active, and this release cannot read it ({type(error).__name__}: {error}); "
            "update this node, or activate an earlier version at the city"
        ) from error


def city_of(code: str) -> str:
    """The city that a node belongs to: the first four digits of every code below it (GB/T 2260)."""
    return f"{code[:4]}00"


def source_of(node: NodeContext) -> str:
    """Whose chain says what is active here: the city's, at an edge its district's, which hands the city's on."""
    return node.parent or node.code if node.role == "edge" else city_of(node.code)


def files_of(tx: Connection, origin: str, digest: str) -> Files:
    """The files of a version, put together from its parts; BadInput where they do not add up to the digest."""
    return _files_in(_archive(tx, origin, digest), digest)


def _archive(tx: Connection, origin: str, digest: str) -> bytes:
    query = select(CHUNK.c.of, CHUNK.c.data).where(CHUNK.c.origin == origin, CHUNK.c.digest == digest)
    parts = tx.execute(query.order_by(CHUNK.c.n)).all()
    if not parts or len(parts) != parts[0].of:
        raise BadInput(f"profile {digest[:16]}: {len(parts)} parts of its archive are here; propose all of them first")
    return b"".join(bytes(part.data) for part in parts)


def _files_in(archive: bytes, digest: str) -> Files:
    files = unpack(archive, f"profile {digest[:16]}")
    if files_digest(files) != digest:
        raise BadInput(f"profile {digest[:16]}: its parts add up to {files_digest(files)[:16]}; it was tampered with")
    return files
