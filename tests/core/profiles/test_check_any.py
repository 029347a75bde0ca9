"""Whatever stands in the files, a check answers; what it passes can be read, told apart, packed and printed."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from wanmi.cases import StepTable
from wanmi.codes import Profile, shipped_profiles
from wanmi.errors import BadInput
from wanmi.profiles import check_profile, differences, must_be_good, pack, print_book, unpack

FILES = {name: dict(Profile.load(name).files) for name in shipped_profiles()}
PIECES = st.sampled_from(
    ['"', ",", "\n", "[", "]", "=", "{", "1", "-1", "0102", "true", "[x]\n", "a = 1\n", '"x"', "[]", "\x00", "é"]
)


def judged(old: dict[str, bytes], new: dict[str, bytes]) -> None:
    found = check_profile(new)
    assert all(one.what and one.do for one in found)
    if any(one.level == "error" for one in found):
        with pytest.raises(BadInput, match="profile: "):
            must_be_good(new)
        return
    profile = must_be_good(new)
    assert unpack(pack(new)) == new
    assert bool(differences(old, new)) == (old != new)
    steps = StepTable.parse(profile.text("steps.toml")) if "steps.toml" in new else StepTable.load()
    assert profile.title.zh in print_book(profile, steps, "command", "zh", markdown=True)


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(name=st.sampled_from(shipped_profiles()), data=st.data(), piece=PIECES)
def test_a_piece_more_or_in_place_of_another(name: str, data: st.DataObject, piece: str) -> None:
    old = FILES[name]
    file = data.draw(st.sampled_from(sorted(old)))
    text = old[file].decode()
    at = data.draw(st.integers(0, len(text)))
    cut = data.draw(st.integers(0, 30))
    judged(old, old | {file: (text[:at] + piece + text[at + cut :]).encode()})


@settings(max_examples=40, deadline=None)
@given(name=st.sampled_from(shipped_profiles()), data=st.data())
def test_a_line_twice_or_not_at_all(name: str, data: st.DataObject) -> None:
    old = FILES[name]
    file = data.draw(st.sampled_from(sorted(old)))
    lines = old[file].decode().splitlines(keepends=True)
    n = data.draw(st.integers(0, len(lines) - 1))
    times = data.draw(st.sampled_from([0, 2]))
    judged(old, old | {file: "".join(lines[:n] + lines[n : n + 1] * times + lines[n + 1 :]).encode()})


@pytest.mark.parametrize("value", ["1", '"x"', "[]", "{}", "true", "1.5", "[1]", "{ a = 1 }", "1979-05-27"])
@pytest.mark.parametrize("key", ["name", "version", "title_zh", "codes", "units", "groups", "labels"])
def test_any_value_for_a_part_of_the_profile(key: str, value: str) -> None:
    """A part that is another thing altogether is told, not fallen over."""
    old = FILES["cjt-2007"]
    kept = [line for line in old["profile.toml"].decode().splitlines() if not line.startswith(f"{key} =")]
    tables, keep = [], True
    for line in kept:
        if line.startswith("["):
            keep = not line.startswith((f"[{key}.", f"[{key}]"))
        if keep:
            tables.append(line)
    judged(old, old | {"profile.toml": "\n".join([f"{key} = {value}", *tables, ""]).encode()})
