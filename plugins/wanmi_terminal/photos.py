"""Photos: what kind a file is, and pictures made up for trying the terminal out."""

from __future__ import annotations

import io

from wanmi.errors import BadInput
from wanmi.ids import Ids

_MAGIC = ((b"\xff\xd8\xff", "image/jpeg"), (b"\x89PNG\r\n\x1a\n", "image/png"))


def media_type(content: bytes) -> str:
    """``image/jpeg``, ``image/png`` or ``image/webp`` by the first bytes; BadInput for anything else."""
    for magic, media in _MAGIC:
        if content.startswith(magic):
            return media
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "image/webp"
    raise BadInput("the photo is neither JPEG, PNG nor WebP; take it again or convert it")


def made_up_photo(size: int, ids: Ids) -> bytes:
    """A JPEG of coarse coloured noise with exactly ``size`` bytes (at least 2,000): another one at every call.

    JPEG readers ignore what follows the end marker, so the picture is padded to the size.
    """
    from PIL import Image

    if size < 2_000:
        raise BadInput(f"a photo of {size} bytes: at least 2,000")
    noise = Image.frombytes("RGB", (16, 12), ids.token(16 * 12 * 3))
    file = io.BytesIO()
    noise.resize((160, 120), Image.Resampling.BICUBIC).save(file, "JPEG", quality=30)
    picture = file.getvalue()[:size]
    return picture + ids.token(size - len(picture))
