"""Bodies of the entries that carry a profile, and the tables that they add up to."""

from __future__ import annotations

import msgspec
from sqlalchemy import BigInteger, Integer, LargeBinary, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from wanmi.models import Row, mark

__all__ = ["ProfileActivated", "ProfileChunkRow", "ProfileProposed", "ProfileVersionRow"]


class ProfileProposed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``profile.proposed``, subject ``profile:<name>``: part ``n`` of ``of`` of a version's archive (base64url).

    ``digest`` is the hex SHA-256 over the files in it, as cases name it.
    """

    name: str
    version: str
    digest: str
    n: int
    of: int
    data: str


class ProfileActivated(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``profile.activated``, subject ``profile:<name>``: cases opened from now on follow this version.

    Its parts stand before it in the same chain. ``replaces`` is what was active (``name@digest16``), ``opinion`` why.
    """

    name: str
    version: str
    digest: str
    chunks: int
    replaces: str
    opinion: str


class ProfileChunkRow(Row):
    """A part of a version's archive, as a city proposed it."""

    __tablename__ = "profile_file"
    origin: Mapped[str] = mapped_column(String(10), primary_key=True)
    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    n: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    of: Mapped[int] = mapped_column(Integer)
    data: Mapped[bytes] = mapped_column(LargeBinary)
    __table_args__ = mark("projection")


class ProfileVersionRow(Row):
    """A version that was activated; the newest of a city's chain is the active one."""

    __tablename__ = "profile_version"
    origin: Mapped[str] = mapped_column(String(10), primary_key=True)
    seq: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    name: Mapped[str] = mapped_column(String(40))
    version: Mapped[str] = mapped_column(String(40))
    digest: Mapped[str] = mapped_column(String(64))
    opinion: Mapped[str] = mapped_column(Text)
    actor: Mapped[str | None] = mapped_column(Text)
    at: Mapped[int] = mapped_column(BigInteger)
    __table_args__ = mark("projection")
