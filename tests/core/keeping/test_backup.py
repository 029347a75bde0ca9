"""Backups: whole or not there, signed, without keys; restored into a node that waits for its peers."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

import wanmi_federation
from core.erasure.test_erasure import TEXT, WHO, register
from support.live import wanmi
from wanmi.erasure import erase_blobs
from wanmi.errors import BadInput, Conflict, NotAllowed, StoreError
from wanmi.identity import NodeKeys
from wanmi.identity.sessions import SessionRow
from wanmi.ids import SystemIds
from wanmi.journal.proof import state_hash
from wanmi.keeping import back_up, check_archive, read_manifest
from wanmi.keeping.working import working
from wanmi.links import HoldRow
from wanmi.models import BlobRow, table
from wanmi.node import Node, prove_archive, restore_node
from wanmi.node.restored import tell_of_restores
from wanmi.registry import Progress
from wanmi.store import upsert_rows
from wanmi.testing import SmallCity, carry, replay_differences, small_city, small_node

BIG = bytes(40_000)
PLUGINS = [wanmi_federation]


@pytest.fixture
def small(tmp_path: Path, database: Callable[[str], str]) -> Iterator[SmallCity]:
    with small_city(tmp_path, city=PLUGINS, district=PLUGINS, edge=PLUGINS, database=database) as made:
        yield made


def write(node: Node, count: int) -> None:
    """So many entries about nothing."""
    for _ in range(count):
        erase_blobs(node, [os.urandom(32).hex()], "request")


def photo(node: Node) -> str:
    """A blob that lies in a file of its own."""
    sealed = node.blobs.seal(BIG)
    node.store.write(lambda tx: node.blobs.add(tx, sealed)).result()
    return sealed.blob


def restored(small: SmallCity, archive: Path, monkeypatch: pytest.MonkeyPatch, **more: object) -> Node:
    """The district after its box died: its directory is another one, its database a new one."""
    small.district.close()
    new, keys = small.district.dir.with_name("again"), small.district.dir
    if small.district.store.dialect == "postgresql":
        import psycopg

        url = small.district.store.url
        with psycopg.connect(url.replace("+psycopg", "").rpartition("/")[0] + "/postgres", autocommit=True) as server:
            server.execute(f'CREATE DATABASE "{url.rpartition("/")[2]}_again"')
        monkeypatch.setenv("WANMI_DATABASE__URL", url + "_again")
    restore_node(archive, new, keys, clock=small.district.clock, plugins=small.district.given, **more)  # type: ignore[arg-type]
    return Node.open(new, clock=small.district.clock, plugins=small.district.given)


def test_a_node_comes_back_as_it_was(small: SmallCity, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told, big = register(small.district), photo(small.district)
    carry(small.edge, small.district)
    small.district.store.write(lambda tx: upsert_rows(tx, SessionRow, [("d" * 64, "p", "o", 1, 1 << 60)])).result()
    manifest = back_up(small.district, tmp_path / "b.tar")
    assert manifest == read_manifest(tmp_path / "b.tar", small.district.keys.sign_public)
    assert manifest.chains["210102"][0] == small.district.journal.cursor("210102").seq
    assert prove_archive(tmp_path / "b.tar", small.district.dir) == (manifest, [])
    before = state_hash(small.district.store, small.district.registry)

    node = restored(small, tmp_path / "b.tar", monkeypatch)
    assert state_hash(node.store, node.registry) == before
    assert replay_differences(node) == []
    assert [node.blobs.open(told.text), node.blobs.open(told.who), node.blobs.open(big)] == [TEXT, WHO, BIG]
    with node.store.reader() as tx:
        assert tx.execute(select(table(SessionRow))).all() == []
        assert set(tx.execute(select(table(HoldRow).c.peer)).scalars()) == {"210100", "21010201"}
    with pytest.raises(Conflict, match="writes nothing now: restored from a backup of "):
        write(node, 1)
    assert any(line.name == "journal" and line.state == "bad" for line in node.health())
    node.close()


def test_what_is_written_meanwhile_is_in_it_or_not(small: SmallCity, tmp_path: Path) -> None:
    """A backup is one moment: the chain in it is whole, whoever writes."""
    write(small.district, 300)
    with ThreadPoolExecutor(1) as pool:
        writing = pool.submit(write, small.district, 300)
        manifest = back_up(small.district, tmp_path / "b.tar")
        writing.result()
    assert prove_archive(tmp_path / "b.tar", small.district.dir)[1] == []
    assert 300 < manifest.chains["210102"][0] <= small.district.journal.cursor("210102").seq


def test_no_key_is_in_it(small: SmallCity, tmp_path: Path) -> None:
    register(small.district)
    back_up(small.district, tmp_path / "b.tar")
    content = (tmp_path / "b.tar").read_bytes()
    for file in (small.district.dir / "keys").iterdir():
        secret = bytes.fromhex(file.read_text())
        assert secret not in content
        assert secret.hex().encode() not in content
    with tarfile.open(tmp_path / "b.tar") as tar:
        assert not [name for name in tar.getnames() if "key" in name]
    assert (tmp_path / "b.tar").stat().st_mode & 0o077 == 0


def test_erasures_are_run_again(small: SmallCity, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that the backup's own entries tell of, though the key is in it again; and one that comes with the tail."""
    first, later = register(small.district, "r-1"), register(small.district, "r-2")
    with small.district.store.reader() as tx:
        key = tx.execute(select(table(BlobRow).c.key).where(table(BlobRow).c.blob == first.who)).scalar_one()
    erase_blobs(small.district, first.both, "request")
    again = table(BlobRow).update().where(table(BlobRow).c.blob == first.who).values(key=key)
    small.district.store.write(lambda tx: tx.execute(again)).result()
    back_up(small.district, tmp_path / "b.tar")
    erase_blobs(small.district, later.both, "request")
    carry(small.district, small.city)

    node = restored(small, tmp_path / "b.tar", monkeypatch)
    with pytest.raises(NotAllowed):
        node.blobs.open(first.who)
    assert node.blobs.open(later.who) == WHO
    tail = small.city.journal.batch_for(node.code, node.code, node.journal.cursor(node.code).seq)
    assert tail is not None
    node.journal.apply(tail, "210100", own=True).result()
    node.close()
    node = Node.open(node.dir, clock=node.clock, plugins=node.given)
    with pytest.raises(NotAllowed):
        node.blobs.open(later.who)
    node.close()


def test_a_peer_that_never_comes_back_is_not_waited_for(
    small: SmallCity, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    back_up(small.district, tmp_path / "b.tar")
    with pytest.raises(BadInput, match="210199 is no peer of 210102; its peers are 210100, 21010201"):
        restored(small, tmp_path / "b.tar", monkeypatch, without=["210199"])
    assert not small.district.dir.with_name("again").exists()
    if small.district.store.dialect == "postgresql":
        return
    node = restored(small, tmp_path / "b.tar", monkeypatch, without=["210100", "21010201"])
    assert node.journal.held is None
    assert tell_of_restores(node)
    assert tell_of_restores(node)
    [told] = [one.entry for one in node.journal.in_order(0) if one.entry and one.entry.kind == "node.restored"]
    assert told.body["without"] == ["210100", "21010201"]
    assert told.body["back"] == told.body["seq"] == told.seq - 1
    node.close()


def test_the_entry_waits_for_the_holds(small: SmallCity, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    back_up(small.district, tmp_path / "b.tar")
    node = restored(small, tmp_path / "b.tar", monkeypatch)
    assert not tell_of_restores(node)
    node.journal.release()
    assert tell_of_restores(node)
    node.close()


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Node]]:
    """A small backup, and its node."""
    folder = tmp_path_factory.mktemp("kept")
    with small_node(folder / "node", plugins=PLUGINS) as node:
        photo(node)
        back_up(node, folder / "b.tar")
        yield folder / "b.tar", node


@given(data=st.data())
def test_a_cut_or_damaged_archive_is_refused(kept: tuple[Path, Node], data: st.DataObject) -> None:
    path, node = kept
    content = bytearray(path.read_bytes())
    last = content.rindex(b"manifest.sig") + 512 + 128
    at = data.draw(st.integers(0, last - 1))
    broken = path.with_name("broken.tar")
    if data.draw(st.booleans()):
        broken.write_bytes(content[:at])
        with pytest.raises(StoreError):
            check_archive(broken, node.keys.sign_public)
        return
    content[at] ^= 1 << data.draw(st.integers(0, 7))
    broken.write_bytes(content)
    try:
        manifest = check_archive(broken, node.keys.sign_public)
    except StoreError:
        return
    assert manifest == check_archive(path, node.keys.sign_public), "a header's byte that says nothing of the members"


def test_anothers_keys_are_refused(kept: tuple[Path, Node], tmp_path: Path) -> None:
    NodeKeys.create(tmp_path / "other", SystemIds())
    with pytest.raises(StoreError, match="not signed with the key given here"):
        restore_node(kept[0], tmp_path / "new", tmp_path / "other")
    with pytest.raises(StoreError, match=r"sign\.key: not there"):
        restore_node(kept[0], tmp_path / "new", tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["other"]


def test_nothing_is_written_over(kept: tuple[Path, Node], tmp_path: Path) -> None:
    with pytest.raises(Conflict, match="never written over another"):
        back_up(kept[1], kept[0])
    (tmp_path / "something").touch()
    with pytest.raises(Conflict, match="a new or empty directory"):
        restore_node(kept[0], tmp_path, kept[1].dir)
    with pytest.raises(StoreError, match="No such file"):
        back_up(kept[1], tmp_path / "nowhere" / "b.tar")


def test_a_blob_that_is_damaged_here_is_fetched_from_others(tmp_path: Path) -> None:
    with small_node(tmp_path / "node", plugins=PLUGINS) as node:
        sound, gone, flipped = photo(node), photo(node), photo(node)
        (node.dir / "blobs" / gone[:2] / gone).unlink()
        (node.dir / "blobs" / flipped[:2] / flipped).write_bytes(b"?" * (len(BIG) + 16))
        manifest = back_up(node, tmp_path / "b.tar")
        assert sorted(manifest.unsound) == sorted([gone, flipped])
    restore_node(tmp_path / "b.tar", tmp_path / "again", node.dir, plugins=node.given)
    with Node.open(tmp_path / "again", plugins=node.given) as again:
        assert [again.blobs.has(blob) for blob in (sound, gone, flipped)] == [True, False, False]
        assert again.blobs.open(sound) == BIG


def test_an_older_schema_is_migrated_on_the_way(
    kept: tuple[Path, Node], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from wanmi.node import restoring
    from wanmi.store import schema
    from wanmi.store.migrations import SCHEMA, projections_anew

    for module in (restoring, schema):
        monkeypatch.setattr(module, "SCHEMA", SCHEMA + 1)
    monkeypatch.setattr(schema, "STEPS", (*schema.STEPS, projections_anew))
    restore_node(kept[0], tmp_path / "new", kept[1].dir, plugins=kept[1].given)
    Node.open(tmp_path / "new", plugins=kept[1].given).close()


def test_whoever_stops_waiting_ends_the_work() -> None:
    said: list[int] = []

    def work(say: Callable[[int, int, str], None]) -> None:
        for n in range(1_000_000):
            said.append(n)
            say(n, 0, "so far")

    with closing(working(work)) as steps:
        assert next(steps) == Progress(0, 0, "so far")
    assert len(said) < 1_000_000


KILLED = """
import os, signal, sys
from pathlib import Path
from wanmi.keeping import archive, backing
from wanmi.node import Node, restore_node, restoring
import wanmi_federation

def dying(left):
    def step(*_):
        left[0] -= 1
        if left[0] < 0:
            os.kill(os.getpid(), signal.SIGKILL)
    def around(owner, name):
        real = getattr(owner, name)
        def call(*args, **more):
            step()
            answer = real(*args, **more)
            step()
            return answer
        setattr(owner, name, call)
    return step, around

what, folder = sys.argv[1], Path(sys.argv[2])
for n in range(100):
    child = os.fork()
    if child:
        killed = os.waitpid(child, 0)[1] == signal.SIGKILL
        done = folder / ("new.tar" if what == "backup" else "new")
        print(n, int(killed), int(done.exists()), flush=True)
        if not killed:
            break
        if done.exists():
            done.rename(folder / f"done-{n}-{done.name}")
        continue
    step, around = dying([n])
    if what == "backup":
        around(archive.ArchiveWriter, "add"); around(archive, "sign_manifest"); around(archive.os, "fsync")
        around(Path, "rename")
        with Node.open(folder / "node") as node:
            backing.back_up(node, folder / "new.tar", lambda done, total, what: step() if "pages" in what else None)
    else:
        around(restoring, "take_keys"); around(archive.os, "fsync"); around(restoring, "upsert_rows")
        around(Path, "replace")
        restore_node(folder / "b.tar", folder / "new", folder / "node")
    os._exit(0)
"""


@pytest.mark.processes
@pytest.mark.parametrize("what", ["backup", "restore"])
def test_killed_at_any_step_it_is_whole_or_not_there(what: str, tmp_path: Path) -> None:
    with small_node(tmp_path / "node", role="edge", code="21010201", plugins=["federation"]) as node:
        for _ in range(3):
            photo(node)
        back_up(node, tmp_path / "b.tar")
    done = subprocess.run(
        [sys.executable, "-c", KILLED, what, str(tmp_path)], capture_output=True, text=True, timeout=120, check=False
    )
    lines = [tuple(map(int, line.split())) for line in done.stdout.splitlines()]
    assert len(lines) > 8, done.stderr
    assert [killed for _, killed, _ in lines[:-1]] == [1] * (len(lines) - 1), done.stderr
    assert lines[-1][1:] == (0, 1), done.stderr
    assert sum(there for _, _, there in lines) >= 2, "the kill after its last step left a whole one too"
    for path in tmp_path.glob("done-*" if what == "restore" else "*.tar"):
        if what == "backup":
            assert prove_archive(path, node.dir)[1] == []
        else:
            with Node.open(path) as again:
                assert again.journal.cursors() == node.journal.cursors()
    left = {".new.tar.partial", ".new.tar.journal.db"} if what == "backup" else {".new.restoring"}
    assert not [path.name for path in tmp_path.glob(".*") if path.name in left], (
        "the last one removed what the killed left"
    )


def test_the_commands(tmp_path: Path) -> None:
    with small_node(tmp_path / "node") as node:
        pass
    done = wanmi("backup", node.dir, tmp_path / "b.tar")
    assert "1 entries" in done.stdout, done.stderr
    shutil.copytree(node.dir / "keys", tmp_path / "safe")
    assert "verifies" in wanmi("backup", tmp_path / "safe", tmp_path / "b.tar", "--verify").stdout
    done = wanmi("restore", tmp_path / "b.tar", tmp_path / "new", "--keys", tmp_path / "safe")
    assert f"next: wanmi run {tmp_path}/new" in done.stdout, done.stderr
    assert "210102 district" in wanmi("status", tmp_path / "new").stdout
    with (tmp_path / "b.tar").open("r+b") as file:
        file.seek(3000)
        file.write(b"!")
    refused = wanmi("backup", tmp_path / "safe", tmp_path / "b.tar", "--verify")
    assert refused.returncode == 1
    assert "journal.db does not have the hash" in refused.stderr
