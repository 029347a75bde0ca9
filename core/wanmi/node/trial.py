"""A settings change on trial: what DIR/change.json holds, and what a start of the node makes of it.

The file is the decision, node.toml follows it: only a start writes node.toml, from what the file says. So a crash at any
point leaves a node that knows where it is, and nothing is left half done.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal

import msgspec
import structlog

from wanmi.node.lock import NodeLock
from wanmi.settings import FILE

TRIAL_FILE = "change.json"
KEPT = f"{FILE}.by-hand"
"""What somebody wrote into node.toml while a change was on trial, kept beside what is put back."""
MOST_STARTS = 3
"""Starts with the new settings, each of which ended before the uplink was proven, after which the old ones return."""
Phase = Literal["staged", "trying", "confirmed", "giving_up"]


class Trial(msgspec.Struct, frozen=True):
    """One change under way: node.toml before and after it, ``probation`` in seconds, ``starts`` with the new settings.

    ``failing``: tasks that failed before the change already and tell nothing about it.
    """

    district: str
    change_id: str
    actor: str
    phase: Phase
    before: str
    after: str
    probation: int
    starts: int = 0
    reason: str = ""
    failing: tuple[str, ...] = ()

    @property
    def name(self) -> tuple[str, str]:
        """The district that ordered it, and its id there."""
        return self.district, self.change_id

    def to(self, phase: Phase, reason: str = "") -> Trial:
        """The same change, one phase on."""
        return msgspec.structs.replace(self, phase=phase, reason=reason)


def at_start(trial: Trial, text: str) -> tuple[Trial | None, str]:
    """The change as a start goes on with it, and what node.toml must say; ``text`` is what it says now.

    The probation counts from each start anew, by the monotonic clock: a step of the wall clock changes nothing, hours
    without power neither. So that it ends, starts are counted.
    """
    if trial.phase == "staged":
        return (trial, text) if text == trial.before else (None, text)
    if trial.phase == "confirmed":
        return trial, text
    if trial.phase == "trying" and trial.starts >= MOST_STARTS:
        trial = trial.to("giving_up", f"{trial.starts} starts with the new settings ended before the uplink was proven")
    if trial.phase == "giving_up":
        return trial, trial.before
    return msgspec.structs.replace(trial, starts=trial.starts + 1), trial.after


def begin_start(dir: Path) -> Trial | None:
    """Put the settings in force that this start is to have. To be called once by whatever runs a node, before it
    reads node.toml; a process that only opens a node leaves things as they are. StoreError where the node runs already.
    """
    if not (dir / TRIAL_FILE).exists():
        return None
    lock = NodeLock.take(dir)
    try:
        return _begin(dir)
    finally:
        lock.release()


def _begin(dir: Path) -> Trial | None:
    trial = read_trial(dir)
    if trial is None:
        return None
    path = dir / FILE
    text = path.read_text(encoding="utf-8")
    going, wanted = at_start(trial, text)
    if going is None:
        remove_trial(dir)
    elif going != trial:
        write_trial(dir, going)
    if wanted != text:
        if text not in {trial.before, trial.after}:
            replace_file(dir / KEPT, text, path)
        replace_file(path, wanted, path)
    return going


def give_up(dir: Path, reason: str) -> bool:
    """The node cannot be started with the settings on trial; True where the next start has the old ones."""
    trial = read_trial(dir)
    if trial is None or trial.phase != "trying":
        return False
    write_trial(dir, trial.to("giving_up", reason))
    return True


def read_trial(dir: Path) -> Trial | None:
    """The change that is under way. A file that cannot be read is put aside: node.toml then holds as it stands."""
    path = dir / TRIAL_FILE
    try:
        return msgspec.json.decode(path.read_bytes(), type=Trial)
    except FileNotFoundError:
        return None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        structlog.get_logger("wanmi.node").error("change_file_unreadable", path=str(path), error=str(error))
        path.replace(path.with_suffix(".unreadable"))
        return None


def write_trial(dir: Path, trial: Trial) -> None:
    """Keep the change durably."""
    replace_file(dir / TRIAL_FILE, msgspec.json.encode(trial).decode(), dir / FILE)


def remove_trial(dir: Path) -> None:
    """The change is over."""
    (dir / TRIAL_FILE).unlink(missing_ok=True)
    _sync(dir)


def replace_file(path: Path, text: str, like: Path) -> None:
    """Write a file as a whole and durably, with the mode of ``like``: settings may hold secrets."""
    temporary = path.with_name(f".{path.name}.new")
    mode = like.stat().st_mode & 0o777
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
    _sync(path.parent)


def _sync(dir: Path) -> None:
    handle = os.open(dir, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
