"""One terminal's connection: registers, authenticates, reports. Garbage is counted and passed over, never fatal."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

from wanmi.devices import Event, Identity, Sample
from wanmi.errors import DeviceGarbled
from wanmi_hardware.jt808 import messages as m
from wanmi_hardware.jt808.frames import Frame, FrameReader, read_frame, write_frame
from wanmi_hardware.jt808.gateway import Gateway
from wanmi_hardware.jt808.parts import Joiner
from wanmi_hardware.jt808.taking import batch_of, media_event, sample_of

CHUNK = 16_384
GARBAGE_MOST = 100
"""Damaged frames in a row after which a connection is closed: whoever it is, it speaks something else."""
UNREAD_MOST = 65_536
"""Bytes of answers that a terminal may leave unread before its connection is closed."""
MEDIA_FILES = 500
"""Photos, sounds and films kept of all vehicles; the oldest give way."""


class Connection:
    """Reads, answers, hands samples over. ``phone`` is known after a good authentication."""

    def __init__(
        self, gateway: Gateway, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, silent_after: float
    ) -> None:
        self._gateway = gateway
        self._reader, self._writer = reader, writer
        self._silent_after = silent_after
        self._frames = FrameReader()
        self._joiner = Joiner()
        self._serial = 0
        self._phone = ""
        self._bad = 0

    def close(self) -> None:
        """End it."""
        self._writer.close()

    async def run(self) -> None:
        """Until it ends, is silent for too long, or is no terminal."""
        if not self._gateway.admit(self):
            self.close()
            return
        try:
            while self._bad < GARBAGE_MOST:
                chunk = await asyncio.wait_for(self._reader.read(CHUNK), self._silent_after)
                if not chunk:
                    return
                for raw in self._frames.feed(chunk):
                    await self._frame(raw)
        except (TimeoutError, OSError):
            return
        finally:
            self._gateway.leave(self)
            self.close()

    async def _frame(self, raw: bytes) -> None:
        try:
            frame = read_frame(raw)
            if frame.encrypted:
                self._refuse_encrypted(frame)
            await self._heard(frame)
            self._bad = 0
        except DeviceGarbled:
            self._gateway.garbled += 1
            self._bad += 1

    def _refuse_encrypted(self, frame: Frame) -> None:
        """Never read as plain bytes: the terminal hears "not supported", the technician why."""
        why = f"message {frame.kind:#06x} is encrypted, which this port cannot read; switch it off in the terminal"
        self._gateway.note_waiting(frame.phone, why)
        self._answer(frame, m.UNSUPPORTED)
        raise DeviceGarbled(f"terminal {frame.phone}: {why}")

    async def _heard(self, frame: Frame) -> None:
        if frame.kind == m.REGISTER:
            self._register(frame)
        elif frame.kind == m.AUTHENTICATE:
            await self._authenticate(frame)
        elif self._phone != frame.phone:
            self._answer(frame, m.FAILED)
        elif frame.kind == m.ANSWERED:
            return
        else:
            await self._report(frame)

    # -- who it is ----------------------------------------------------------------------------------------

    def _register(self, frame: Frame) -> None:
        said = m.read_registration(frame)
        if not self._gateway.may_report(frame.phone):
            self._gateway.note_waiting(
                frame.phone, f"{said.plate or 'no plate'}, {said.maker} {said.model} {said.serial}"
            )
            self._send(m.registered(frame, self._next(), m.NO_SUCH_TERMINAL))
            return
        self._gateway.waiting.pop(frame.phone, None)
        self._send(m.registered(frame, self._next(), m.OK, self._gateway.codes.code(frame.phone)))

    async def _authenticate(self, frame: Frame) -> None:
        code = m.read_code(frame)
        if not self._gateway.may_report(frame.phone):
            self._gateway.note_waiting(frame.phone, "tried to authenticate without having been approved")
            self._answer(frame, m.FAILED)
        elif not self._gateway.codes.fits(frame.phone, code):
            self._answer(frame, m.FAILED)
        else:
            self._phone = frame.phone
            version = "2019" if frame.is_2019 else "2013"
            sample = Sample(
                events=(Event("connected"),), identity=Identity(model=f"JT/T 808-{version}"), part=frame.phone
            )
            await self._hand(sample, frame)

    # -- what it says -------------------------------------------------------------------------------------

    async def _report(self, frame: Frame) -> None:
        whole = self._joiner.take(frame)
        if whole is None:
            self._part_came(frame)
            return
        try:
            sample = await self._sample(whole)
        except DeviceGarbled:
            self._answer(frame, m.WRONG)
            raise
        if sample is None:
            self._answer(frame, m.UNSUPPORTED)
        else:
            await self._hand(sample, frame, self._after(whole))

    async def _sample(self, frame: Frame) -> Sample | None:
        now, datum = self._gateway.place.clock.now(), self._gateway.datum
        vehicle = self._gateway.vehicle(frame.phone)
        if frame.kind == m.LOCATION:
            return sample_of(frame.phone, vehicle, m.read_location(frame.body), datum, now)
        if frame.kind == m.BATCH:
            return batch_of(frame.phone, vehicle, m.read_batch(frame.body), datum, now)
        if frame.kind == m.MEDIA_EVENT:
            return Sample(events=(media_event(m.read_media_event(frame.body), now),), part=frame.phone)
        if frame.kind == m.MEDIA:
            return await self._media(frame, now)
        words = {m.HEARTBEAT: "heartbeat", m.LOGOUT: "logged_out"}
        return Sample(events=(Event(words[frame.kind]),), part=frame.phone) if frame.kind in words else None

    async def _media(self, frame: Frame, now: int) -> Sample:
        media, location, content = m.read_media(frame.body)
        name = f"{now}-{frame.phone}-{media.media_id}.{media.format}"
        await asyncio.to_thread(_keep, self._gateway.place.dir / "media", name, content)
        event = media_event(media, location.made_at or now, file=name, size=str(len(content)))
        return Sample(events=(event,), part=frame.phone)

    def _part_came(self, frame: Frame) -> None:
        """A part is answered; after a medium's last one the missing ones are asked for."""
        self._answer(frame, m.OK)
        first = self._joiner.first(frame)
        missing = self._joiner.missing(frame)
        if frame.kind == m.MEDIA and frame.part == frame.parts and missing and first is not None:
            self._send(m.media_done(frame, self._next(), int.from_bytes(first[:4], "big"), missing))

    def _after(self, frame: Frame) -> Callable[[], None]:
        if frame.kind != m.MEDIA:
            return lambda: None
        media_id = int.from_bytes(frame.body[:4], "big")
        return lambda: self._send(m.media_done(frame, self._next(), media_id))

    # -- answers ------------------------------------------------------------------------------------------

    async def _hand(self, sample: Sample, frame: Frame, after: Callable[[], None] = lambda: None) -> None:
        """Hand a sample over; it is answered when it has been taken, so what is lost before is sent again."""

        def done() -> None:
            self._answer(frame, m.OK)
            after()

        await self._gateway.take(sample, done)

    def _answer(self, frame: Frame, result: int) -> None:
        self._send(m.general(frame, self._next(), result))

    def _send(self, frame: Frame) -> None:
        if self._writer.transport.get_write_buffer_size() > UNREAD_MOST:
            self.close()
        if not self._writer.is_closing():
            self._writer.write(write_frame(frame))

    def _next(self) -> int:
        self._serial = (self._serial + 1) & 0xFFFF
        return self._serial


def _keep(folder: Path, name: str, content: bytes) -> None:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    old = sorted(folder.iterdir())
    for path in old[: max(0, len(old) - MEDIA_FILES + 1)]:
        path.unlink(missing_ok=True)
    (folder / name).write_bytes(content)
