"""An archive carries exactly its files; a changed one is refused."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest

from wanmi.codes import files_digest
from wanmi.errors import BadInput, Conflict, NotFound
from wanmi.profiles import pack, profile_files, unpack, write_profile

Files = dict[str, bytes]


def repacked(archive: bytes, change: dict[str, bytes | None]) -> bytes:
    """The archive with members replaced, added or (None) left out, as a careful hand would do it."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(archive)) as old, zipfile.ZipFile(out, "w") as new:
        members = {one: old.read(one) for one in old.namelist()} | change
        for name, content in members.items():
            if content is not None:
                new.writestr(name, content)
    return out.getvalue()


def test_pack_is_the_same_twice_and_comes_back(files: Files) -> None:
    assert pack(files) == pack(dict(reversed(files.items())))
    assert unpack(pack(files)) == files
    assert len(pack(files)) < 60_000


def test_a_changed_archive_is_refused(files: Files) -> None:
    events = files["events.csv"].replace(b"Exposed", b"Hidden")
    changes: list[dict[str, bytes | None]] = [
        {"events.csv": events}, {"events.csv": None}, {"more.csv": b"a\n1\n"}, {"MANIFEST.toml": b"digest = 1"},
    ]  # fmt: skip
    for change in changes:
        with pytest.raises(BadInput, match="somebody changed the archive"):
            unpack(repacked(pack(files), change))


def test_damaged_bytes_are_refused(files: Files) -> None:
    archive = pack(files)
    half = len(archive) // 2
    with pytest.raises(BadInput, match="is no whole archive"):
        unpack(archive[:half])
    with pytest.raises(BadInput, match=r"is no whole archive|somebody changed"):
        unpack(archive[:half] + bytes([archive[half] ^ 0xFF]) + archive[half + 1 :])
    with pytest.raises(BadInput, match="is no whole archive"):
        unpack(b"no zip at all")


def test_archives_of_other_programs_do(files: Files) -> None:
    """In a folder, with other files beside, without a manifest."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, content in files.items():
            archive.writestr(f"shenyang/{name}", content)
        archive.writestr("shenyang/README.md", b"hello")
    assert unpack(out.getvalue()) == files
    with pytest.raises(BadInput, match="holds no file of a profile"):
        unpack(repacked(out.getvalue(), {f"shenyang/{name}": None for name in files}))


def test_a_bomb_is_not_unpacked(files: Files) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("events.csv", b"0" * (9 * 1024 * 1024))
    assert len(out.getvalue()) < 20_000
    with pytest.raises(BadInput, match="no profile is so big"):
        unpack(out.getvalue())


def test_folder_file_and_name(tmp_path: Path, files: Files) -> None:
    write_profile(files, tmp_path / "own")
    write_profile(files, tmp_path / "own.zip")
    (tmp_path / "own" / "notes.md").write_text("not of the profile", "utf-8")
    found = [profile_files(where) for where in (str(tmp_path / "own"), str(tmp_path / "own.zip"), "cjt-2007")]
    assert {files_digest(one) for one in found} == {files_digest(files)}
    for out in (tmp_path / "own", tmp_path / "own.zip"):
        with pytest.raises(Conflict, match="something is there already"):
            write_profile(files, out)
    with pytest.raises(NotFound, match=r"no shipped profile \(cjt-2007, gbt-47678\)"):
        profile_files("atlantis")
    (tmp_path / "empty").mkdir()
    with pytest.raises(BadInput, match="holds no file of a profile"):
        profile_files(str(tmp_path / "empty"))
