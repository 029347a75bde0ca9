"""Pictures of every screen of the terminal UI in both languages, to be looked at: `PYTHONPATH=tests python -m tui FOLDER`."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

from tui.scene import scene
from tui.walk import SCREENS, go
from wanmi_tui.words import LANGS, Lang


async def draw(lang: Lang) -> dict[str, str]:
    """One language's screens as SVG, by name."""
    drawn = {}
    for name, keys in SCREENS.items():
        app = scene(lang, several=name.startswith("several"))
        async with app.run_test(size=(80, 24), notifications=True) as pilot:
            await go(app, pilot, keys)
            drawn[f"{name}-{lang}"] = app.export_screenshot()
    return drawn


def main(folder: Path) -> None:
    """Draw, and turn into PNG."""
    folder.mkdir(parents=True, exist_ok=True)
    for lang in LANGS:
        for name, svg in asyncio.run(draw(lang)).items():
            picture = folder / f"{name}.png"
            subprocess.run(["rsvg-convert", "-z", "0.75", "-o", str(picture)], input=svg.encode(), check=True)
            print(picture)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
