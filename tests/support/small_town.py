"""A city node and its children on disk, with reports, photos and cases in their journals: for pages and queries.

The nodes do not run: what links would carry is handed over here, verified and applied as links do it.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

import wanmi_console
from wanmi.cases import FIRST_STAGE, FIRST_STATE
from wanmi.clock import SECOND, ManualClock
from wanmi.codes import local_date
from wanmi.identity import add_person
from wanmi.ids import SeededIds
from wanmi.kinds import Attachment, CaseOpened, LinkChanged, ReportReceived, Role
from wanmi.node import Node, node_card
from wanmi.registry import Draft
from wanmi.reports import Attachment as Part
from wanmi.reports import Report, digest_of, text_part
from wanmi.reports.envelope import REPORT_DOMAIN, envelope_bytes, to_b64
from wanmi.store import Sealed
from wanmi.testing import Enabled, admit, carry, small_node

PASSWORD = "correct horse battery"
START = 1_795_489_200 * SECOND
"""2026-11-24 11:00:00 in Shenyang."""


@dataclass
class Seen:
    """What a terminal saw, and how far its case has come. ``grid`` None: outside every unit grid."""

    district: str = "210102"
    kind: str = "event"
    category: str = "0102"
    grid: str | None = "210102001002007"
    stage: str = FIRST_STAGE
    state: str = FIRST_STATE
    source: str = "collector"
    text: str = ""
    photos: Sequence[bytes] = ()
    media: str = "image/png"
    app: str = "wanmi-terminal 0.1"
    similar: Sequence[str] = ()
    minutes: int = 1


@dataclass
class Town:
    """The nodes of a small town, by code; the first one is the city."""

    folder: Path
    clock: ManualClock
    sections: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    nodes: dict[str, Node] = field(default_factory=dict)
    numbers: dict[str, int] = field(default_factory=dict)
    terminal_key: Ed25519PrivateKey = field(default_factory=lambda: Ed25519PrivateKey.from_private_bytes(b"k" * 32))

    def add(self, role: Role, code: str, parent: str = "", plugins: Sequence[Enabled] = (wanmi_console,)) -> Node:
        """Make a node, admitted by its parent."""
        node = small_node(
            self.folder / code,
            role=role,
            code=code,
            plugins=plugins,
            sections={"link": {"listen": f"tcp://127.0.0.1:{7400 + len(self.nodes)}"}, **self.sections},
            parent=node_card(self.nodes[parent].dir) if parent else "",
            clock=self.clock,
            ids=SeededIds(code),
        )
        if parent:
            admit(self.nodes[parent], node)
        self.nodes[code] = node
        return node

    def report(self, seen: Seen, edge: str = "", owner: str = "") -> str:
        """A report at an edge, and the case that its district opens for it; returns the case's number."""
        self.clock.advance(seen.minutes * 60 * SECOND)
        owner = owner or seen.district
        edge_node = self.nodes[edge or f"{seen.district}01"]
        report, subject, draft, sealed = self._signed(edge_node, seen)
        edge_node.journal.append(
            draft, also=lambda tx, _: [edge_node.blobs.add(tx, one) for one in sealed] and None
        ).result()
        self.clock.advance(3 * SECOND)
        return self._open_case(self.nodes[owner], seen, report, subject, draft.body)  # type: ignore[arg-type]

    def _signed(self, edge: Node, seen: Seen) -> tuple[Report, str, Draft, list[Sealed]]:
        ids, now = edge.ids, self.clock.now()
        contents = [("photo", seen.media, photo) for photo in seen.photos]
        if seen.text:
            contents.insert(0, ("text", "text/plain", text_part(seen.text, ids.token(16))))
        sealed = [edge.blobs.seal(content) for _, _, content in contents]
        parts = [Part(role, digest_of(content), len(content), media) for role, media, content in contents]  # type: ignore[arg-type]
        lon, lat = 1_234_296_100 + len(self.numbers) * 900, 417_966_800 + sum(self.numbers.values()) * 700
        report = Report(
            1, f"T{seen.district}-0001", f"R{now:016d}", now, seen.kind, seen.category, None, lon, lat, "GCJ02", 320,  # type: ignore[arg-type]
            "gnss", now, 14, seen.source, False, tuple(parts), seen.app, 0,  # type: ignore[arg-type]
        )  # fmt: skip
        raw = envelope_bytes(report)
        attachments = [
            Attachment(part.role, part.digest, part.size, part.media, one.blob)
            for part, one in zip(parts, sealed, strict=True)
        ]
        body = ReportReceived(
            report.terminal, report.report_id, to_b64(raw), to_b64(self.terminal_key.sign(REPORT_DOMAIN + raw)),
            digest_of(raw), report.kind, report.category, report.made_at, attachments,
        )  # fmt: skip
        subject = f"report:{edge.code}:{report.terminal}:{report.report_id}"
        return report, subject, Draft("report.received", subject, body), sealed

    def _open_case(self, owner: Node, seen: Seen, report: Report, subject: str, body: ReportReceived) -> str:
        day = local_date(self.clock.now()).strftime("%Y%m%d")
        self.numbers[owner.code] = seq = self.numbers.get(owner.code, 0) + 1
        letter = "C" if seen.kind == "component" else "E"
        number = f"{owner.code}-{letter}{seen.category}-{day}-{seq:04d}"
        opened = CaseOpened(
            number, seen.district, day, seq, report.kind, seen.category, "cjt-2007@1", None, seen.grid,
            "v1" if seen.grid else None, report.lon_e7 - 60_000, report.lat_e7 - 20_000, seen.source,
            report.terminal, report.report_id, subject, report.made_at, seen.stage, seen.state, list(seen.similar),
            body.attachments,
        )  # fmt: skip
        owner.journal.append(Draft("case.opened", f"case:{number}", opened)).result()
        return number

    def carry(self, source: str, target: str, *, blobs: bool = True) -> None:
        """Hand everything that ``source`` holds to ``target``, with countersignatures back and, if told, photos."""
        giver, taker = self.nodes[source], self.nodes[target]
        carry(giver, taker)
        for origin in giver.journal.cursors():
            cosign = taker.journal.cosign(origin)
            if cosign is not None:
                taker.journal.note_cosign(cosign).result()
                giver.journal.note_cosign(cosign).result()
        if blobs:
            for missing in taker.blobs.missing(limit=1000):
                if giver.blobs.has(missing.blob):
                    data = giver.blobs.read(missing.blob, 0, giver.blobs.size(missing.blob))
                    key = giver.blobs.wrap_key(missing.blob, taker.keys.seal_public)
                    taker.blobs.accept(missing.blob, data, key).result()

    def link(self, parent: str, child: str, *, up: bool, reason: str) -> None:
        """Journal a link's state at its parent."""
        body = LinkChanged(child, up, reason, self.clock.now())
        self.nodes[parent].journal.append(Draft("link.changed", f"link:{child}", body)).result()

    def person(self, node: str, login: str, name: str, *posts: str) -> None:
        """Somebody who may log in at a node, with the password ``PASSWORD``."""
        add_person(self.nodes[node], login=login, name=name, posts=posts, password=PASSWORD)

    def close(self) -> None:
        """Close every node."""
        for node in self.nodes.values():
            node.close()


def small_town(folder: Path, sections: Mapping[str, Mapping[str, object]] | None = None) -> Town:
    """A city (210100), two districts (210102, 210103) and an edge each, empty; ``sections`` for every node.toml."""
    town = Town(folder, ManualClock(START), sections or {})
    town.add("city", "210100")
    for district in ("210102", "210103"):
        town.add("district", district, "210100")
        town.add("edge", f"{district}01", district)
    return town


TINY_PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
