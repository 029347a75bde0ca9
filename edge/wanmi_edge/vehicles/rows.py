"""Local table of vehicles: positions that are in no sealed segment yet."""

from __future__ import annotations

from sqlalchemy import BigInteger, String
from sqlalchemy.orm import Mapped, mapped_column

from wanmi.models import Row, mark


class VehicleFixRow(Row):
    """A valid position of a vehicle; ``at`` is the device's time, or when it came."""

    __tablename__ = "vehicle_fix"
    device: Mapped[str] = mapped_column(String(20), primary_key=True)
    part: Mapped[str] = mapped_column(String(40), primary_key=True)
    at: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    lon_e7: Mapped[int] = mapped_column(BigInteger)
    lat_e7: Mapped[int] = mapped_column(BigInteger)
    kept_at: Mapped[int] = mapped_column(BigInteger)
    __table_args__ = mark("local")
