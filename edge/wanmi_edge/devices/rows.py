"""Local tables of devices: secrets of their settings, and the samples of the last days."""

from __future__ import annotations

from sqlalchemy import BigInteger, Index, Integer, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from wanmi.models import Row, mark


class DeviceSecretRow(Row):
    """A secret of a device's settings (a community, a pass phrase), encrypted with the node's local key."""

    __tablename__ = "device_secret"
    device: Mapped[str] = mapped_column(String(20), primary_key=True)
    name: Mapped[str] = mapped_column(String(60), primary_key=True)
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    __table_args__ = mark("local")


class DeviceSampleRow(Row):
    """What a device said at once: readings and fixes, packed. ``n`` tells two of one microsecond apart."""

    __tablename__ = "device_sample"
    device: Mapped[str] = mapped_column(String(20), primary_key=True)
    part: Mapped[str] = mapped_column(String(40), primary_key=True)
    at: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    n: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    packed: Mapped[bytes] = mapped_column(LargeBinary)
    __table_args__ = mark("local", Index("device_sample_at", "at"))


DEVICE_ROWS: tuple[type[Row], ...] = (DeviceSecretRow, DeviceSampleRow)
