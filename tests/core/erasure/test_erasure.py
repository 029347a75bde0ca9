"""A person's data ends at every holder, and stays ended; chains, replay and proofs do not notice."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import select

from support.live import wanmi
from wanmi.entries import EVERYONE
from wanmi.erasure import PER_ENTRY, erase_blobs, is_erased
from wanmi.errors import BadInput, NotAllowed, NotFound
from wanmi.hookspecs import hookimpl
from wanmi.journal.proof import verify_paths
from wanmi.kinds import Attachment, Place, ReportRegistered, Sealed
from wanmi.models import BlobRow, ErasedRow, table
from wanmi.node import Node, run_action
from wanmi.registry import Draft
from wanmi.testing import SmallCity, carry, quick_plugin, react, reopen, replay_differences, small_city, small_node

TEXT = b"0123456789abcdefwhat the caller said"
WHO = b"0123456789abcdef{who called}"


@dataclass(frozen=True)
class Told:
    """A registered report: its two blobs."""

    text: str
    who: str

    @property
    def both(self) -> list[str]:
        return [self.text, self.who]


def register(node: Node, report_id: str = "r-1") -> Told:
    """A report that somebody made by telephone, in the node's chain."""
    text, who = node.blobs.seal(TEXT), node.blobs.seal(WHO)
    body = ReportRegistered(
        report_id=report_id, source="hotline", kind="event", category="0102",
        place=Place(1_234_330_000, 417_900_000, "point", None, None), address="", made_at=1,
        attachments=[Attachment("text", "aa" * 32, len(TEXT), "text/plain", text.blob)],
        caller=Sealed("bb" * 32, len(WHO), "application/json", who.blob), registered_by="p-1",
    )  # fmt: skip
    audience = (node.parent,) if node.parent else EVERYONE
    draft = Draft("report.registered", f"report:{node.code}:{report_id}:hotline", body, audience)

    def also(tx: object, _: object) -> None:
        node.blobs.add(tx, text)  # type: ignore[arg-type]
        node.blobs.add(tx, who)  # type: ignore[arg-type]

    node.journal.append(draft, also=also).result()
    return Told(text.blob, who.blob)


def fetch(source: Node, target: Node) -> list[str]:
    """What a link does for missing blobs: bytes and the wrapped key; blobs whose key is gone are not given."""
    got = []
    for missing in target.blobs.missing():
        try:
            key = source.blobs.wrap_key(missing.blob, target.keys.seal_public)
        except (NotFound, NotAllowed):
            continue
        target.blobs.accept(missing.blob, source.blobs.read(missing.blob, 0, 1 << 20), key).result()
        got.append(missing.blob)
    return got


def readable(node: Node, told: Told) -> list[bool]:
    """Which of the two can be opened."""

    def can(blob: str) -> bool:
        try:
            return bool(node.blobs.open(blob))
        except (NotAllowed, NotFound):
            return False

    return [can(blob) for blob in told.both]


def sound(*nodes: Node) -> None:
    """Replay and proofs find nothing wrong, and the sealed bytes have the digests that name them."""
    for node in nodes:
        assert replay_differences(node) == []
    report = verify_paths([node.dir for node in nodes])
    assert report.ok, [str(one) for one in report.findings]


@pytest.fixture
def small(tmp_path: Path) -> Iterator[SmallCity]:
    with small_city(tmp_path) as made:
        yield made


def test_every_holder_destroys_its_keys(small: SmallCity) -> None:
    told = register(small.district)
    other = register(small.district, "r-2")
    carry(small.district, small.city)
    assert sorted(fetch(small.district, small.city)) == sorted([*told.both, *other.both])
    assert readable(small.city, told) == [True, True]

    erase_blobs(small.district, told.both, "request")
    assert readable(small.district, told) == [False, False]
    assert readable(small.city, told) == [True, True]
    carry(small.district, small.city)
    react(small.city)
    assert readable(small.city, told) == [False, False]
    assert readable(small.city, other) == readable(small.district, other) == [True, True]
    sound(small.city, small.district)


def test_a_blob_that_comes_after_its_erasure_gets_no_key(small: SmallCity) -> None:
    """The key was under way already when the person was erased."""
    told = register(small.district)
    keys = {blob: small.district.blobs.wrap_key(blob, small.city.keys.seal_public) for blob in told.both}
    carry(small.district, small.city)
    erase_blobs(small.district, told.both, "order")
    carry(small.district, small.city)
    react(small.city)
    for blob, key in keys.items():
        small.city.blobs.accept(blob, small.district.blobs.read(blob, 0, 1 << 20), key).result()
    assert all(small.city.blobs.has(blob) for blob in told.both)
    assert readable(small.city, told) == [False, False]
    sound(small.city, small.district)


def test_a_restored_backup_erases_again_at_start(small: SmallCity, tmp_path: Path) -> None:
    """The database with the old keys comes back; the entry stands in it or comes from the parent again."""
    told = register(small.district)
    carry(small.district, small.city)
    fetch(small.district, small.city)
    small.district.close()
    backup = tmp_path / "backup"
    shutil.copytree(small.district.dir, backup)

    district = Node.open(small.district.dir, clock=small.district.clock)
    erase_blobs(district, told.both, "request")
    carry(district, small.city)
    react(small.city)
    district.close()
    entries = tmp_path / "entries"
    shutil.copytree(district.dir, entries)

    for name in ("keys", "node.toml"):
        assert (backup / name).exists()
    shutil.rmtree(district.dir)
    shutil.copytree(backup, district.dir)
    restored = Node.open(district.dir, clock=district.clock)
    assert readable(restored, told) == [True, True], "the backup is from before"
    tail = small.city.journal.batch_for(restored.code, restored.code, restored.journal.cursor(restored.code).seq)
    assert tail is not None
    restored.journal.apply(tail, small.city.code, own=True).result()
    assert react(restored) == 0
    assert readable(restored, told) == [False, False]
    sound(restored, small.city)
    restored.close()

    keys = _keys_of(backup)
    _put_keys_back(entries, keys)
    shutil.rmtree(district.dir)
    shutil.copytree(entries, district.dir)
    again = Node.open(district.dir, clock=district.clock)
    assert readable(again, told) == [False, False], "only the keys were put back; the entry was there"
    sound(again)
    again.close()


def _keys_of(dir: Path) -> dict[str, bytes]:
    from pysqlite3 import dbapi2

    with dbapi2.connect(dir / "journal.db") as connection:
        return dict(connection.execute("SELECT blob, key FROM blob WHERE key IS NOT NULL"))


def _put_keys_back(dir: Path, keys: dict[str, bytes]) -> None:
    from pysqlite3 import dbapi2

    with dbapi2.connect(dir / "journal.db") as connection:
        connection.executemany("UPDATE blob SET key = ? WHERE blob = ?", [(key, blob) for blob, key in keys.items()])
        assert connection.execute("SELECT count(*) FROM blob WHERE key IS NOT NULL").fetchone()[0] == len(keys) > 0


def test_no_byte_of_a_destroyed_key_is_left_on_disk(tmp_path: Path) -> None:
    with small_node(tmp_path / "n") as node:
        told = register(node)
        with node.store.reader() as tx:
            keys = {blob: bytes(key) for blob, key in tx.execute(select(table(BlobRow).c.blob, table(BlobRow).c.key))}
        assert set(keys) == set(told.both)
        erase_blobs(node, told.both, "request")
        disk = b"".join(path.read_bytes() for path in node.dir.glob("journal.db*"))
        assert [blob for blob, key in keys.items() if key in disk] == []


def test_a_node_cannot_erase_what_others_reported(small: SmallCity) -> None:
    """An edge's word does not count for its district's blobs, the city's does; each erases what it holds itself."""
    told = register(small.district)
    erase_blobs(small.edge, told.both, "request")
    carry(small.edge, small.district)
    react(small.district)
    with small.district.store.reader() as tx:
        assert tx.execute(select(table(ErasedRow))).all() != []
        assert not is_erased(tx, small.district.code, told.text)
    assert readable(small.district, told) == [True, True]
    reopened = reopen(small.district)
    assert readable(reopened, told) == [True, True]
    erase_blobs(small.city, told.both, "order")
    carry(small.city, reopened)
    react(reopened)
    assert readable(reopened, told) == [False, False]
    sound(reopened)
    reopened.close()


def test_many_blobs_make_several_entries(tmp_path: Path) -> None:
    with small_node(tmp_path / "n") as node:
        blobs = [f"{n:064x}" for n in range(2 * PER_ENTRY + 1)]
        stored = erase_blobs(node, [*blobs, blobs[0]], "retention")
        assert [len(one.entry.body["blobs"]) for one in stored if one.entry] == [PER_ENTRY, PER_ENTRY, 1]
        assert replay_differences(node) == []


@pytest.mark.parametrize(
    ("blobs", "reason"), [([], "request"), (["x" * 64], "request"), (["ab"], "request"), (["ab" * 32], "because")]
)
def test_what_names_no_blob_or_reason_is_refused(tmp_path: Path, blobs: list[str], reason: str) -> None:
    with small_node(tmp_path / "n") as node:
        with pytest.raises(BadInput):
            erase_blobs(node, blobs, reason)
        assert node.journal.cursor(node.code).seq == 1


def test_plugins_say_what_is_of_a_number(tmp_path: Path) -> None:
    asked: list[str] = []
    blobs = ["ab" * 32, "cd" * 32]

    @hookimpl
    def blobs_of_person(number: str) -> list[str] | None:
        asked.append(number)
        return blobs if number == "12319" else None

    plugin = quick_plugin("numbers", blobs_of_person)
    with small_node(tmp_path / "n", plugins=[plugin]) as node:
        [result] = [one for one in run_action(node, "person.erase", {"number": "12319"}) if isinstance(one, dict)]
        assert (result["blobs"], asked) == (blobs, ["12319"])
        with pytest.raises(NotFound, match="nothing here"):
            list(run_action(node, "person.erase", {"number": "110"}))


def test_the_command_erases_without_a_running_node(tmp_path: Path) -> None:
    node = small_node(tmp_path / "n")
    told = register(node)
    node.close()
    result = wanmi("erase-person", node.dir, "--blob", told.text, "--blob", told.who, "--reason", "order")
    assert result.returncode == 0, result.stderr
    assert "erased 2 sealed blobs" in result.stdout
    with Node.open(node.dir, clock=node.clock) as again:
        assert readable(again, told) == [False, False]
    for wrong in ((), ("--number", "12319"), ("--number", "12319", "--blob", told.text)):
        assert wanmi("erase-person", node.dir, *wrong).returncode != 0
