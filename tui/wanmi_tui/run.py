"""Starts the terminal UI: where the token comes from, and what is said when something is missing."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from wanmi.errors import BadInput
from wanmi_tui.words import Lang

TOKEN = "WANMI_TOKEN"  # noqa: S105 - a variable's name


@dataclass(frozen=True)
class Wanted:
    """What the command line asks for; ``token_file`` and ``ca`` are paths or empty."""

    urls: tuple[str, ...]
    token_file: str = ""
    ca: str = ""
    lang: str = ""


def run_tui(wanted: Wanted) -> None:
    """Run in this terminal until the technician leaves."""
    from wanmi_tui.app import WanmiApp
    from wanmi_tui.client import NodeClient, checked_url

    urls = [checked_url(url) for url in wanted.urls]
    tokens = read_tokens(wanted.token_file, len(urls))
    clients = [NodeClient(url, token, wanted.ca) for url, token in zip(urls, tokens, strict=True)]
    WanmiApp(clients, language(wanted.lang)).run()


def language(wanted: str) -> Lang:
    """The language that was asked for, else the environment's, else Chinese."""
    if wanted and wanted not in {"zh", "en"}:
        raise BadInput(f"--lang {wanted}: zh or en")
    told = wanted or os.environ.get("LC_ALL") or os.environ.get("LC_MESSAGES") or os.environ.get("LANG") or "zh"
    return "zh" if told.startswith(("zh", "C", "POSIX")) else "en"


def read_tokens(file: str, nodes: int) -> list[str]:
    """A token for each node: lines of a file (one for all, or one each), the environment, or asked for.

    Never an argument: arguments are seen by everybody on the machine.
    """
    lines = _from_file(file) if file else os.environ.get(TOKEN, "").split() or [_ask()]
    if len(lines) not in {1, nodes}:
        raise BadInput(
            f"{len(lines)} tokens for {nodes} nodes: give one for all, or one for each, in the order of --url"
        )
    return lines if len(lines) == nodes else lines * nodes


def _from_file(file: str) -> list[str]:
    path = Path(file)
    try:
        if stat.S_IMODE(path.stat().st_mode) & 0o077:
            print(f"wanmi: {file} can be read by others: chmod 600 {file}", file=sys.stderr)  # noqa: T201
        lines = path.read_text(encoding="ascii").split()
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"--token-file {file}: {error}") from error
    if not lines:
        raise BadInput(f"--token-file {file}: is empty; `wanmi token add DIR NAME --scope …` makes a token")
    return lines


def _ask() -> str:
    if not sys.stdin.isatty():
        raise BadInput(f"no token: give --token-file FILE, or set {TOKEN}")
    from getpass import getpass

    return getpass("Token 令牌: ").strip()


def words_of(urls: Sequence[str]) -> str:
    """The addresses, for a title."""
    return " ".join(url.partition("://")[2] or url for url in urls)
