"""Folders, packages, entry points and the linter's roots are one list, told in several places."""

from __future__ import annotations

import ast
import importlib

import pytest

from house.tree import NOT_PLUGINS, ROOT, modules, packages, plugin_packages, project, shelves, tool


def contract(start: str) -> dict[str, object]:
    """The import-linter contract whose name starts so."""
    [found] = [one for one in tool("importlinter", "contracts") if one["name"].startswith(start)]
    return dict(found)


def test_folders_are_packages() -> None:
    folders = {
        folder.relative_to(ROOT).as_posix()
        for shelf in shelves()
        for folder in (ROOT / shelf).iterdir()
        if folder.is_dir() and any(folder.rglob("*.py"))
    }
    assert folders == set(tool("hatch", "build", "targets", "wheel", "packages"))


def test_shelves_are_no_packages() -> None:
    assert [shelf for shelf in shelves() if (ROOT / shelf / "__init__.py").exists()] == []


def test_shelves_are_told_alike() -> None:
    told = {folder.relative_to(ROOT).parts[0] for folder in packages().values()}
    assert set(tool("hatch", "build", "targets", "wheel", "dev-mode-dirs")) == told
    assert set(tool("mypy", "mypy_path").split(":")) == told
    assert told <= set(tool("mypy", "files"))
    assert told <= set(tool("pytest", "ini_options", "pythonpath"))
    assert told <= set(tool("ruff", "src"))
    assert told <= set(tool("ruff", "lint", "flake8-tidy-imports", "banned-api"))


def test_plugins_are_entry_points() -> None:
    points = project()["project"]["entry-points"]["wanmi.plugins"]
    assert points == {name.removeprefix("wanmi_"): name for name in plugin_packages()}


def test_packages_are_linter_roots() -> None:
    assert set(tool("importlinter", "root_packages")) == set(packages())
    assert set(tool("ruff", "lint", "isort", "known-first-party")) == set(packages())
    neighbours = set(packages()) - {"wanmi"}
    assert set(contract("neighbours")["modules"]) == neighbours  # type: ignore[call-overload]
    assert set(contract("the core")["forbidden_modules"]) == neighbours  # type: ignore[call-overload]


@pytest.mark.parametrize("name", sorted(packages()))
def test_package_imports(name: str) -> None:
    folder = packages()[name]
    assert (folder / "__init__.py").is_file(), f"{folder} has no __init__.py"
    importlib.import_module(name)


@pytest.mark.parametrize("name", sorted(plugin_packages()))
def test_plugin_tells_of_itself(name: str) -> None:
    assert (plugin_packages()[name] / "README.md").is_file(), f"{name} has no README.md"


@pytest.mark.parametrize("name", sorted(plugin_packages()))
def test_plugin_init_holds_hooks_only(name: str) -> None:
    path = (plugin_packages()[name] / "__init__.py").relative_to(ROOT).as_posix()
    tree = modules()[path]
    others = [node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef) and not is_hook(node)]
    assert others == [], f"{path}: only hooks live here, move {', '.join(others)} to a module beside it"
    assert any(isinstance(node, ast.FunctionDef) and node.name == "register" for node in tree.body)


def is_hook(node: ast.FunctionDef | ast.ClassDef) -> bool:
    """True when decorated with hookimpl, called or not."""
    for decorator in node.decorator_list:
        called = decorator.func if isinstance(decorator, ast.Call) else decorator
        if isinstance(called, ast.Name) and called.id == "hookimpl":
            return True
    return False


def test_core_is_no_plugin() -> None:
    assert NOT_PLUGINS.isdisjoint(plugin_packages())
