"""The shipped profile as files, and a way to change one of them."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from wanmi.codes import Profile

Files = dict[str, bytes]
Change = Callable[..., Files]


@pytest.fixture(name="files")
def _files() -> Files:
    return dict(Profile.load().files)


@pytest.fixture(name="change")
def _change(files: Files) -> Change:
    """change("events.csv", old, new): the profile with a text of one file replaced once."""

    def change(name: str, old: str, new: str) -> Files:
        text = files[name].decode()
        assert old in text, (name, old)
        return files | {name: text.replace(old, new, 1).encode()}

    return change
