"""What the house tests look at: the project's files and settings, read once."""

from __future__ import annotations

import ast
import subprocess
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
SHELVES = ("core", "edge", "federation", "hardware", "tui", "plugins")
NOT_PLUGINS = {"wanmi", "wanmi_tui"}
"""The core, and the technicians' UI, which is a client of the HTTP API."""


@cache
def project() -> dict[str, Any]:
    """pyproject.toml."""
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def tool(*path: str) -> Any:
    """A value under [tool] in pyproject.toml."""
    value = project()["tool"]
    for name in path:
        value = value[name]
    return value


def shelves() -> list[str]:
    """The top folders that hold packages."""
    return [name for name in SHELVES if (ROOT / name).is_dir()]


def packages() -> dict[str, Path]:
    """Import name to folder, for every package that pyproject.toml lists."""
    return {Path(listed).name: ROOT / listed for listed in tool("hatch", "build", "targets", "wheel", "packages")}


def plugin_packages() -> dict[str, Path]:
    """The packages that are plugins."""
    return {name: folder for name, folder in packages().items() if name not in NOT_PLUGINS}


@cache
def project_files() -> tuple[Path, ...]:
    """Every file that is in git or would be with the next `git add`."""
    command = ["git", "-c", "safe.directory=*", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout.decode()
    paths = {ROOT / name for name in listed.split("\0") if name}
    return tuple(sorted(path for path in paths if path.is_file()))


@cache
def texts() -> dict[str, str]:
    """Project path to content, for every project file that is UTF-8 text."""
    found = {}
    for path in project_files():
        try:
            found[path.relative_to(ROOT).as_posix()] = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
    return found


@cache
def modules() -> dict[str, ast.Module]:
    """Project path to syntax tree, for every Python file."""
    return {name: ast.parse(text, name) for name, text in texts().items() if name.endswith(".py")}


def is_product(name: str) -> bool:
    """True for a file of a package that is shipped."""
    return name.startswith(tuple(f"{shelf}/" for shelf in SHELVES))
