"""A profile's files together: read from a folder or an archive, packed into one file that names its own digest."""

from __future__ import annotations

import io
import tomllib
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path

from wanmi.codes import Profile, files_digest, is_profile_file, shipped_profiles
from wanmi.errors import BadInput, Conflict, NotFound, StoreError

__all__ = ["Files", "pack", "profile_files", "unpack", "write_profile"]

Files = Mapping[str, bytes]
"""A profile's files by name."""

MANIFEST = "MANIFEST.toml"
MOST_FILES = 40
MOST_BYTES = 8 * 1024 * 1024
"""Of all files together, unpacked: the shipped profiles have less than a fiftieth."""
_FIXED = (2000, 1, 1, 0, 0, 0)


def profile_files(where: str) -> Files:
    """The files of a profile: a folder, an archive, or the name of a shipped one.

    Raises NotFound (nothing there), BadInput (no archive, too big, not what its manifest says).
    """
    path = Path(where)
    if path.is_dir():
        return _folder_files(path)
    if path.is_file():
        return unpack(path.read_bytes(), where)
    if where in shipped_profiles():
        return Profile.load(where).files
    raise NotFound(f"{where}: no folder, no archive and no shipped profile ({', '.join(shipped_profiles())})")


def write_profile(files: Files, out: Path) -> None:
    """Write a profile as an archive (a name that ends in .zip) or into a new folder; Conflict if something is there."""
    if out.exists() and (out.is_file() or any(out.iterdir())):
        raise Conflict(f"{out}: something is there already; name a new file or folder")
    try:
        if out.suffix == ".zip":
            out.write_bytes(pack(files))
            return
        out.mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            (out / name).write_bytes(content)
    except OSError as error:
        raise StoreError(f"{out}: cannot be written: {error.strerror or error}") from error


def pack(files: Files) -> bytes:
    """One archive (zip) of the files, with a manifest of their digest: the same files make the same bytes."""
    raw = io.BytesIO()
    manifest = f'digest = "{files_digest(files)}"\n'.encode()
    with zipfile.ZipFile(raw, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, content in [(MANIFEST, manifest), *sorted(files.items())]:
            entry = zipfile.ZipInfo(name, _FIXED)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, content)
    return raw.getvalue()


def unpack(content: bytes, name: str = "archive") -> Files:
    """The files of an archive; BadInput for what is no archive, is too big, or differs from its manifest.

    Files may stand in one folder inside it, as other programs pack them; one without a manifest is taken as it is.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            found = _read_all(archive, name)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise BadInput(
            f"{name}: is no whole archive of a profile ({error}); pack it again with wanmi profile pack"
        ) from error
    manifest = found.pop(MANIFEST, None)
    files = {file: data for file, data in found.items() if is_profile_file(file)}
    if not files:
        raise BadInput(f"{name}: holds no file of a profile (profile.toml, components.csv …)")
    if manifest is not None and _promised(manifest) != files_digest(files):
        raise BadInput(
            f"{name}: the files are not those that its {MANIFEST} names; somebody changed the archive. Change a folder "
            "and pack it with wanmi profile pack"
        )
    return files


def _read_all(archive: zipfile.ZipFile, name: str) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    left = MOST_BYTES
    for entry in archive.infolist():
        file = entry.filename.rpartition("/")[2]
        if not (is_profile_file(file) or file == MANIFEST):
            continue
        if file in found:
            raise BadInput(f"{name}: {file} stands in it twice")
        with archive.open(entry) as opened:
            found[file] = opened.read(left + 1)
        left -= len(found[file])
        if left < 0 or len(found) > MOST_FILES:
            raise BadInput(
                f"{name}: more than {MOST_FILES} files or {MOST_BYTES // 1024 // 1024} MiB; no profile is so big"
            )
    return found


def _promised(manifest: bytes) -> object:
    try:
        return tomllib.loads(manifest.decode()).get("digest")
    except (tomllib.TOMLDecodeError, UnicodeDecodeError):
        return None


def _folder_files(path: Path) -> Files:
    try:
        files = {
            one.name: one.read_bytes() for one in sorted(path.iterdir()) if is_profile_file(one.name) and one.is_file()
        }
    except OSError as error:
        raise StoreError(f"{path}: cannot be read: {error.strerror or error}") from error
    if not files:
        raise BadInput(f"{path}: holds no file of a profile (profile.toml, components.csv …)")
    if len(files) > MOST_FILES or sum(map(len, files.values())) > MOST_BYTES:
        raise BadInput(
            f"{path}: more than {MOST_FILES} files or {MOST_BYTES // 1024 // 1024} MiB; no profile is so big"
        )
    return files
