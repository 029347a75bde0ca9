"""One snapshot a screen, in both languages at 80 by 24, as text. After a change on purpose: `WANMI_SNAPSHOTS=write`."""

from __future__ import annotations

import asyncio
import os
import re
from pathlib import Path

import pytest
from rich.cells import cell_len

from tui.edge_node import screen_text
from tui.scene import scene
from tui.walk import SCREENS, go
from wanmi_tui.words import LANGS, Lang

SNAPSHOTS = Path(__file__).parent / "snapshots"


async def capture(name: str, lang: Lang) -> str:
    app = scene(lang, several=name.startswith("several"))
    async with app.run_test(size=(80, 24)) as pilot:
        await go(app, pilot, SCREENS[name])
        # How often a value that stays was read before the capture is the machine's affair.
        return re.sub("▁+", "▁", screen_text(app)) + "\n"


@pytest.mark.parametrize("lang", LANGS)
@pytest.mark.parametrize("name", sorted(SCREENS))
def test_screen(name: str, lang: Lang) -> None:
    said = asyncio.run(capture(name, lang))
    path = SNAPSHOTS / f"{name}-{lang}.txt"
    if os.environ.get("WANMI_SNAPSHOTS") == "write":
        path.write_text(said, encoding="utf-8")
    assert said == path.read_text(encoding="utf-8")
    assert max(map(cell_len, said.splitlines())) <= 80
    assert len(said.splitlines()) == 24
