"""What the pictures show: a morning's cases in two districts, and drawn photos."""

from __future__ import annotations

import io
import random

from PIL import Image, ImageDraw, ImageFilter

from support.small_town import Seen, Town

_WHAT = (
    ("event", "0102"), ("event", "0505"), ("component", "0103"), ("event", "0110"), ("component", "0118"),
    ("event", "0201"), ("component", "0214"), ("event", "0504"), ("event", "0304"), ("component", "0402"),
)  # fmt: skip
_STAGES = ("collect", "collect", "collect", "file", "dispatch", "handle", "feedback", "close")
_GRIDS = {
    "210102": ("210102001002007", "210102001003012", "210102016008003", "210102019004011", None),
    "210103": ("210103005003004", "210103006003021", "210103014004009"),
}


def a_busy_morning(town: Town, reports: int = 90) -> None:
    """Reports in both districts, at every stage; carried up to the city."""
    dice = random.Random(11)
    for n in range(reports):
        district = dice.choice(("210102", "210102", "210103"))
        kind, category = dice.choice(_WHAT)
        town.report(
            Seen(
                district=district,
                kind=kind,
                category=category,
                grid=dice.choice(_GRIDS[district]),
                stage=dice.choice(_STAGES),
                source=dice.choice(("collector", "collector", "citizen", "inspector")),
                similar=["210102-E0102-20261124-0001"] if n % 17 == 9 else [],
                minutes=dice.randint(1, 4),
            )
        )
    for district in ("210102", "210103"):
        town.carry(f"{district}01", district)
        town.carry(district, "210100")


def photo(seed: int) -> bytes:
    """A drawn street: asphalt, a kerb, a manhole or a hole. JPEG, 800 x 600."""
    dice = random.Random(seed)
    picture = Image.effect_noise((800, 600), 26).convert("RGB")
    tint = Image.new("RGB", picture.size, (96, 98, 102))
    picture = Image.blend(picture, tint, 0.72)
    draw = ImageDraw.Draw(picture)
    draw.polygon([(0, 0), (800, 0), (800, 120), (0, 190)], fill=(168, 162, 150))
    draw.polygon([(0, 190), (800, 120), (800, 140), (0, 214)], fill=(204, 200, 192))
    for x in range(-100, 800, 220):
        draw.polygon([(x, 560), (x + 120, 549), (x + 124, 566), (x + 4, 577)], fill=(226, 224, 214))
    x, y = dice.randint(220, 380), dice.randint(270, 330)
    draw.ellipse((x, y, x + 300, y + 150), fill=(38, 34, 32), outline=(70, 66, 60), width=9)
    for _ in range(26):
        a, b = x + dice.randint(-30, 310), y + dice.randint(-24, 160)
        size = dice.randint(6, 34)
        shade = dice.randint(50, 120)
        draw.ellipse((a, b, a + size, b + size // 2), fill=(shade, shade - 4, shade - 8))
    picture = picture.filter(ImageFilter.GaussianBlur(1.1))
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=80)
    return out.getvalue()
