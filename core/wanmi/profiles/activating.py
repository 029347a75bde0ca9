"""Journals a new version of the profile at the city, and projects such entries everywhere."""

from __future__ import annotations

import base64
import binascii
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from sqlalchemy import Connection, select

from wanmi.codes import Profile
from wanmi.entries import Entry
from wanmi.errors import BadInput, Conflict, NotAllowed
from wanmi.journal.projecting import body_of
from wanmi.profiles.bodies import ProfileActivated, ProfileChunkRow, ProfileProposed, ProfileVersionRow
from wanmi.profiles.checking import must_be_good
from wanmi.profiles.keeping import CHUNK, VERSION, ProfileStore, Version, city_of, files_of
from wanmi.profiles.packing import Files, pack, unpack
from wanmi.registry import AdminResult, Draft, NodeContext, Progress, Registry, Stored
from wanmi.store import upsert_rows

__all__ = ["activate_profile", "register_profiles"]

CHUNK_BYTES = 42_000
"""Of an archive in one entry: 56,000 characters of base64 beside 64 KiB that an entry may have."""
MOST_CHUNKS = 200
LONGEST_OPINION = 2000


def register_profiles(to: Registry) -> None:
    """Register the entry kinds, their projection and the actions behind ``wanmi profile``."""
    to.entry_kind("profile.proposed", ProfileProposed, zh="方案文件", en="Profile proposed")
    to.entry_kind("profile.activated", ProfileActivated, zh="方案启用", en="Profile activated")
    to.projection(
        "profiles",
        kinds=("profile.proposed", "profile.activated"),
        rows=(ProfileChunkRow, ProfileVersionRow),
        apply=project_profiles,
    )
    to.reactor("profile-relay", kinds=("profile.proposed", "profile.activated"), decide=relay_profiles)
    to.action("profile.activate", _activate, help="journal a new version of the city's profile")
    to.action("profile.list", _list, help="the active profile and the versions before it")
    to.action("profile.archive", _archive, help="the archive of a version")


def activate_profile(node: NodeContext, files: Files, *, actor: str | None = None, opinion: str = "") -> Version:
    """Journal a version at the city; its districts receive it by link. Cases that are open keep theirs.

    Raises NotAllowed (not a city), BadInput (the profile has errors), Conflict (active already, or somebody was first).
    """
    if node.role != "city":
        raise NotAllowed(f"node {node.code}: the profile is the city's; activate it at {city_of(node.code)}")
    if len(opinion) > LONGEST_OPINION:
        raise BadInput(f"opinion: {len(opinion)} characters, at most {LONGEST_OPINION}")
    profile = must_be_good(files)
    store = ProfileStore(node)
    newest = store.versions(1)
    if newest and newest[0].digest == profile.digest:
        raise Conflict(f"profile {profile.ref}: is active already, since entry {newest[0].seq}")
    drafts = _drafts(node, profile, newest[0].ref if newest else store.active().ref, actor, opinion)
    node.journal.append(*drafts).result()
    return store.versions(1)[0]


def _drafts(node: NodeContext, profile: Profile, replaces: str, actor: str | None, opinion: str) -> Iterator[Draft]:
    subject = f"profile:{profile.name}"
    held = node.journal.subject(subject)
    version = max((one.entry.version for one in held if one.entry is not None), default=0)
    archive = pack(profile.files)
    chunks = [archive[at : at + CHUNK_BYTES] for at in range(0, len(archive), CHUNK_BYTES)]
    if not _is_held(node, profile.digest):
        for n, chunk in enumerate(chunks):
            data = base64.urlsafe_b64encode(chunk).decode().rstrip("=")
            body = ProfileProposed(profile.name, profile.version, profile.digest, n, len(chunks), data)
            yield Draft("profile.proposed", subject, body, actor=actor, expect=version + n)
        version += len(chunks)
    done = ProfileActivated(profile.name, profile.version, profile.digest, len(chunks), replaces, opinion)
    yield Draft("profile.activated", subject, done, actor=actor, expect=version)


def _is_held(node: NodeContext, digest: str) -> bool:
    """Whether the journal has the version's parts, from an earlier activation."""
    with node.store.reader() as connection:
        try:
            files_of(connection, node.code, digest)
        except BadInput:
            return False
    return True


def relay_profiles(node: NodeContext, batch: Sequence[Stored]) -> list[tuple[Stored, Draft]]:
    """A district hands its city's versions on, entry by entry: its edges receive its chain, not the city's."""
    if node.role != "district":
        return []
    city = city_of(node.code)
    with node.store.reader() as connection:
        return [
            (stored, Draft(stored.entry.kind, stored.entry.subject, stored.entry.body, actor=stored.entry.actor))
            for stored in batch
            if stored.entry is not None and stored.origin == city and _was_taken(connection, stored.entry)
        ]


def _was_taken(tx: Connection, entry: Entry) -> bool:
    """Whether the projection took it: what was quarantined here would be refused in this node's own chain."""
    columns = CHUNK.c if entry.kind == "profile.proposed" else VERSION.c
    query = select(columns.origin).where(columns.origin == entry.origin)
    if entry.kind == "profile.proposed":
        query = query.where(CHUNK.c.digest == entry.body["digest"], CHUNK.c.n == entry.body["n"])
    else:
        query = query.where(VERSION.c.seq == entry.seq)
    return tx.execute(query).first() is not None


def project_profiles(tx: Connection, entries: Sequence[Entry]) -> None:
    """Parts and versions by the chain that they came in; a version whose parts do not add up is refused."""
    for entry in entries:
        if entry.kind == "profile.proposed":
            upsert_rows(tx, ProfileChunkRow, [_chunk(entry, body_of(entry, ProfileProposed))])
            continue
        body = body_of(entry, ProfileActivated)
        files = files_of(tx, entry.origin, body.digest)
        _says(files, body)
        row = (entry.origin, entry.seq, body.name, body.version, body.digest, body.opinion, entry.actor, entry.at)
        upsert_rows(tx, ProfileVersionRow, [row])


def _chunk(entry: Entry, body: ProfileProposed) -> tuple[Any, ...]:
    if entry.subject != f"profile:{body.name}" or not 0 <= body.n < body.of <= MOST_CHUNKS:
        raise BadInput(f"profile {body.name}: part {body.n} of {body.of} under subject {entry.subject}")
    try:
        data = base64.b64decode(body.data + "=" * (-len(body.data) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise BadInput(f"profile {body.name}: part {body.n} is no base64url") from error
    return (entry.origin, body.digest, body.n, body.of, data)


def _says(files: Files, body: ProfileActivated) -> None:
    """The entry's name and version are those in the files: nothing is activated under another name."""
    try:
        toml = tomllib.loads(files["profile.toml"].decode("utf-8-sig"))
    except (KeyError, ValueError) as error:
        raise BadInput(f"profile {body.digest[:16]}: profile.toml is missing or not TOML") from error
    if (toml.get("name"), toml.get("version")) != (body.name, body.version):
        raise BadInput(f"profile {body.name} {body.version}: the files say {toml.get('name')} {toml.get('version')}")


def _activate(node: NodeContext, args: Mapping[str, Any]) -> Iterator[Progress | AdminResult]:
    try:
        archive = base64.b64decode(str(args.get("archive", "")), validate=True)
    except binascii.Error as error:
        raise BadInput("argument archive is no base64") from error
    actor = args.get("actor")
    version = activate_profile(
        node, unpack(archive), actor=str(actor) if actor else None, opinion=str(args.get("opinion", ""))
    )
    yield {**asdict(version), "ref": version.ref}


def _list(node: NodeContext, _args: Mapping[str, Any]) -> Iterator[Progress | AdminResult]:
    store = ProfileStore(node)
    versions = store.versions()
    active = store.active()
    yield {
        "active": {"name": active.name, "version": active.version, "digest": active.digest, "shipped": not versions},
        "versions": [{**asdict(one), "ref": one.ref} for one in versions],
    }


def _archive(node: NodeContext, args: Mapping[str, Any]) -> Iterator[Progress | AdminResult]:
    store = ProfileStore(node)
    ref = str(args.get("ref", ""))
    profile = store.of(ref) if ref else store.active()
    yield {"ref": profile.ref, "archive": base64.b64encode(pack(profile.files)).decode()}
