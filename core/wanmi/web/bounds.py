"""How long a text and how large a number a request may bring: what no entry and no database holds is refused at the door.

Every bound stands twice, for FastAPI (it is in the API's description) and for msgspec (``wanmi.web.direct``).
"""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta
from pydantic import Field

from wanmi.entries import MAX_INT

Id = Annotated[str, Field(max_length=200), Meta(max_length=200)]
"""A name, number, code or cursor."""
Words = Annotated[str, Field(max_length=2000), Meta(max_length=2000)]
"""What somebody says: an opinion, a reason, a demand."""
Whole = Annotated[int, Field(ge=-MAX_INT, le=MAX_INT), Meta(ge=-MAX_INT, le=MAX_INT)]
"""An integer as JSON and every database hold it."""
Time = Annotated[int, Field(ge=0, le=MAX_INT), Meta(ge=0, le=MAX_INT)]
"""An instant, µs UTC."""
Count = Annotated[int, Field(ge=0, le=MAX_INT), Meta(ge=0, le=MAX_INT)]
"""How many: bytes, or entries of a subject."""
E7 = Annotated[int, Field(ge=-1_800_000_000, le=1_800_000_000), Meta(ge=-1_800_000_000, le=1_800_000_000)]
"""A longitude or latitude in 1e-7 degree."""
Values = Annotated[dict[Id, Words | Whole], Field(max_length=100), Meta(max_length=100)]
"""Fields of a form by their names."""
