"""How commands of a terminal end: an error of ours in one line, or something that is left to do."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

import typer

from wanmi.errors import WanmiError
from wanmi_terminal.field import Progress

LEFT = 3
"""Exit code when something still waits at the end."""


@contextmanager
def told() -> Iterator[None]:
    """Tell an error of ours in one line and leave with 1."""
    try:
        yield
    except WanmiError as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(1) from None


class ProgressLine:
    """One line of progress on the screen, at most five times a second."""

    def __init__(self) -> None:
        self._shown = 0.0

    def __call__(self, progress: Progress) -> None:
        if time.monotonic() - self._shown > 0.2:
            self._shown = time.monotonic()
            typer.echo(f"\r\x1b[K{short(progress)}", nl=False, err=True)


def short(progress: Progress) -> str:
    """The counts in one line."""
    counts = progress.counts
    return (
        f"new {counts.new} · kept {counts.kept} · safe {counts.safe} · refused {counts.refused} · sent {progress.sent}"
    )
