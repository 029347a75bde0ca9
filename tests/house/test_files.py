"""What may lie in the project: no machine's paths, no registry's host, nothing minified, no dead links."""

from __future__ import annotations

import json
import re

import pytest

from house.tree import ROOT, project, project_files, texts, tool

OWN = "tests/house/"
PLACES = {
    "a path of one machine": r"(?<![\w.:/~])/(work|root|home|Users)/\w",
    "a package registry's host": (
        r"pypi\.org|pythonhosted|test\.pypi|registry\.npmjs|npmjs\.(org|com)|npmmirror|yarnpkg\.com"
        r"|deb\.debian\.org|mirrors?\.(aliyun|tuna|ustc|huaweicloud|cloud\.tencent)"
    ),
    "a content delivery network": r"cdn\.jsdelivr|unpkg\.com|cdnjs\.|fonts\.(googleapis|gstatic)\.com",
}
MAX_LINE = 1000
MAX_BYTES = 2_000_000


@pytest.mark.parametrize("what", sorted(PLACES))
def test_no_file_names(what: str) -> None:
    regex = re.compile(PLACES[what])
    found = [
        f"{name}:{n}"
        for name, text in texts().items()
        if not name.startswith(OWN)
        for n, line in enumerate(text.splitlines(), 1)
        if regex.search(line)
    ]
    assert found == []


def test_nothing_is_minified() -> None:
    written = {name: text for name, text in texts().items() if name.endswith((".js", ".css", ".html", ".svg"))}
    by_name = [name for name in written if ".min." in name]
    by_line = [name for name, text in written.items() if max(map(len, text.splitlines()), default=0) > MAX_LINE]
    assert by_name + by_line == []


def test_files_are_small() -> None:
    large = {str(path.relative_to(ROOT)): path.stat().st_size for path in project_files()}
    assert {name: size for name, size in large.items() if size > MAX_BYTES} == {}


def requirement_name(requirement: str) -> str:
    """`psycopg[binary]>=3.2` -> `psycopg`, spelt as locks spell it."""
    found = re.match(r"[A-Za-z0-9._-]+", requirement)
    assert found, requirement
    return re.sub(r"[-_.]+", "-", found[0]).lower()


def test_every_requirement_is_locked() -> None:
    table = project()["project"]
    asked = [*table["dependencies"], *(one for extra in table["optional-dependencies"].values() for one in extra)]
    lock = (ROOT / "requirements" / "dev.lock").read_text(encoding="ascii")
    locked = set(re.findall(r"^([a-z0-9-]+)(?:\[[a-z0-9,-]+\])?==", lock, re.MULTILINE))
    assert {requirement_name(one) for one in asked} - {"wanmi"} - locked == set(), "run `make lock`"


@pytest.mark.parametrize("name", ["dev.lock", "node.lock"])
def test_every_locked_package_is_hashed(name: str) -> None:
    text = (ROOT / "requirements" / name).read_text(encoding="ascii")
    blocks = re.split(r"^(?=[a-z0-9])", text, flags=re.MULTILINE)
    pinned = [block for block in blocks if "==" in block.split("\n", 1)[0]]
    assert pinned
    assert [block.split("\n", 1)[0] for block in pinned if "--hash=sha256:" not in block] == []


def test_npm_packages_are_locked_without_address() -> None:
    wanted = json.loads((ROOT / "package.json").read_text())["dependencies"]
    locked = json.loads((ROOT / "package-lock.json").read_text())["packages"]
    assert {name: locked[f"node_modules/{name}"]["version"] for name in wanted} == wanted
    assert [name for name, entry in locked.items() if "resolved" in entry] == []
    assert [name for name, entry in locked.items() if name and "integrity" not in entry] == []


def test_notice_names_every_shipped_browser_file() -> None:
    notice = (ROOT / "NOTICE").read_text()
    files = tool("hatch", "build", "targets", "wheel", "hooks", "custom", "files")
    assert [name for name in files.values() if name not in notice] == []


def test_links_in_the_docs_lead_somewhere() -> None:
    dead = [
        f"{name}: {link}"
        for name, text in texts().items()
        if name.endswith(".md")
        for link in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", text)
        if "://" not in link and not (ROOT / name).parent.joinpath(link).exists()
    ]
    assert dead == []


def test_make_targets_in_the_docs_exist() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    told = {
        target
        for name, text in texts().items()
        if name.endswith(".md")
        for target in re.findall(r"(?:`|^ {4}|^\$ )make ([a-z]+)\b", text, re.MULTILINE)
    }
    assert told - targets == set()
