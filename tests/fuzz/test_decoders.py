"""The short cut of `make fuzz`: every decoder with some thousand damaged recordings, the same ones each time."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from fuzz.every import every_target
from fuzz.mutating import inputs
from fuzz.target import Crash, Target, run

INPUTS = 1500
ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("target", every_target(), ids=lambda target: target.name)
def test_no_damaged_recording_crashes_a_decoder(target: Target) -> None:
    told = run(target, INPUTS, seed=1)
    assert told.inputs == INPUTS
    assert told.read > INPUTS // 50, "the inputs are near enough to real ones that some are read"


@pytest.mark.parametrize("target", every_target(), ids=lambda target: target.name)
def test_what_was_recorded_is_read(target: Target) -> None:
    for one in target.seeds:
        target.take(one)


def test_the_same_seed_gives_the_same_inputs_and_another_others() -> None:
    def made(seed: int) -> list[bytes]:
        stream = inputs([b"$GPGGA,1", b"{}"], seed)
        return [next(stream) for _ in range(300)]

    assert made(1) == made(1) != made(2)


def test_a_crash_is_told_with_the_command_that_shows_it_again() -> None:
    def brittle(data: bytes) -> None:
        if b"]" in data:
            raise KeyError("]")

    with pytest.raises(Crash) as crash:
        run(Target("brittle", [b"[1, 2, 3]"], brittle, ()), 1000, seed=1)
    command = str(crash.value).split("-m fuzz brittle --hex ")[1]
    assert b"]" in bytes.fromhex(command)


def test_one_input_is_taken_again_by_the_command() -> None:
    told = subprocess.run(
        [sys.executable, "-m", "fuzz", "entry", "--hex", "7b7d"],
        cwd=ROOT / "tests", capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert "refused: not an entry" in told.stdout
