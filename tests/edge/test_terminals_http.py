"""Terminals over HTTP: who asks is admitted or turned away at the district, who is admitted is rotated or revoked."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from edge.asking_town import Town, town_of
from support.browser import Browser
from wanmi.clock import ManualClock
from wanmi.identity import add_token
from wanmi.node import Node
from wanmi.web import build_app

API = "/api/v1/terminals"
WEEK_AND_A_DAY = 8 * 86_400_000_000


@dataclass
class Desk:
    """The district's API for a technician's token, and for one that only reads."""

    town: Town
    http: Browser
    reader: Browser
    token: str

    def said(self, kind: str) -> list[tuple[str | None, dict[str, object]]]:
        """Actors and bodies of the district's entries of a kind."""
        found = [one.entry for one in self.town.district.journal.read("210102", 0) if one.entry]
        return [(one.actor, dict(one.body)) for one in found if one.kind == kind]

    def post(self, path: str, status: int = 200, **body: object) -> dict[str, object]:
        answer = self.http.request("POST", f"{API}{path}", json=body)
        assert answer.status_code == status, answer.text
        told: dict[str, object] = answer.json()
        return told

    def admitted(self, name: str) -> str:
        """A terminal that asked and was admitted."""
        return str(self.post(f"/asked/{self.town.asks(name).key_id}/approve")["terminal"])


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    with town_of(tmp_path_factory.mktemp("town"), ManualClock()) as town:
        app = build_app(town.district)
        token = add_token(town.district, name="technician", scopes=["devices:read", "devices:write"])
        reader = add_token(town.district, name="screen", scopes=["devices:read"])
        with Browser(app, token=token.secret) as http, Browser(app, token=reader.secret) as looks:
            yield Desk(town, http, looks, f"token:{token.token.id}")
        town.edge.close()


def test_an_asking_terminal_is_listed_with_its_fingerprint_and_admitted_once(desk: Desk) -> None:
    asking = desk.town.asks("new")
    (one,) = desk.reader.get(f"{API}/asked").json()["asked"]
    assert (one["id"], one["fingerprint"], one["state"]) == (asking.key_id, asking.fingerprint, "pending")
    told = desk.post(f"/asked/{asking.key_id}/approve", holder=" p-1 ", unit="dep-1")
    assert (told["state"], str(told["terminal"])[:8]) == ("approved", "T210102-")
    actor, body = desk.said("terminal.admitted")[-1]
    assert (actor, body["terminal"], body["holder"], body["unit"]) == (desk.token, told["terminal"], "p-1", "dep-1")
    assert "approved already" in str(desk.post(f"/asked/{asking.key_id}/approve", 409)["detail"])
    assert "approved already" in str(desk.post(f"/asked/{asking.key_id}/deny", 409, reason="late")["detail"])
    assert desk.reader.get(f"{API}/asked").json()["asked"] == []
    every = desk.reader.get(f"{API}/asked", params={"state": "all"}).json()["asked"]
    assert told in every
    desk.town.exchange()
    assert desk.town.said(desk.town.desk(), asking).status == "approved"


def test_a_repeated_request_with_its_key_admits_once(desk: Desk) -> None:
    asking, before = desk.town.asks("repeated"), len(desk.said("terminal.admitted"))
    path, key = f"{API}/asked/{asking.key_id}/approve", {"idempotency-key": "approve-1"}
    first, second = (desk.http.request("POST", path, json={}, headers=key) for _ in range(2))
    assert (first.status_code, first.json()) == (second.status_code, second.json()) == (200, first.json())
    assert len(desk.said("terminal.admitted")) == before + 1


def test_a_denial_needs_a_reason_which_the_terminal_is_told(desk: Desk) -> None:
    asking = desk.town.asks("stranger")
    for reason in ("", "  ", "x" * 501, "x" * 3000):
        desk.post(f"/asked/{asking.key_id}/deny", 422, reason=reason)
    assert desk.post(f"/asked/{asking.key_id}/deny", reason=" not ours ")["state"] == "denied"
    actor, body = desk.said("terminal.denied")[-1]
    assert (actor, body["reason"]) == (desk.token, "not ours")
    assert "denied already" in str(desk.post(f"/asked/{asking.key_id}/deny", 409, reason="again")["detail"])
    desk.town.exchange()
    assert desk.town.said(desk.town.desk(), asking).reason == "not ours"


def test_what_nobody_asked_or_admitted_is_not_found(desk: Desk) -> None:
    desk.post("/asked/0123456789abcdef/approve", 404)
    desk.post("/asked/0123456789abcdef/deny", 404, reason="r")
    for what in ("rotate", "revoke"):
        desk.post(f"/T210102-9999/{what}", 404, reason="r")
        desk.post(f"/x/{what}", 404, reason="r")
        desk.post(f"/{'T' * 300}/{what}", 422, reason="r")


def test_a_request_that_expired_is_neither_admitted_nor_denied(desk: Desk) -> None:
    asking = desk.town.asks("slow")
    desk.town.edge.clock.advance(WEEK_AND_A_DAY)  # type: ignore[attr-defined]
    assert "expired" in str(desk.post(f"/asked/{asking.key_id}/approve", 409)["detail"])
    assert "expired" in str(desk.post(f"/asked/{asking.key_id}/deny", 409, reason="r")["detail"])
    assert desk.reader.get(f"{API}/asked").json()["asked"] == []


def test_an_id_that_is_taken_is_given_again_only_when_its_key_is_lost(desk: Desk) -> None:
    taken, asking = desk.admitted("first"), desk.town.asks("second")
    for wrong in ("T210103-0001", "x", "T" * 201):
        desk.post(f"/asked/{asking.key_id}/approve", 422, terminal=wrong)
    assert "lost" in str(desk.post(f"/asked/{asking.key_id}/approve", 409, terminal=taken)["detail"])
    told = desk.post(f"/asked/{asking.key_id}/approve", terminal=taken, replace=True)
    assert (told["state"], told["terminal"]) == ("approved", taken)


def test_an_admitted_terminal_is_rotated_and_revoked_and_then_it_is_none(desk: Desk) -> None:
    terminal = desk.admitted("worker")
    desk.post(f"/{terminal}/rotate", 422, reason=" ")
    assert desk.post(f"/{terminal}/rotate", reason=" yearly ")["state"] == "admitted"
    actor, body = desk.said("terminal.rotation_ordered")[-1]
    assert (actor, body) == (desk.token, {"terminal": terminal, "reason": "yearly"})
    desk.post(f"/{terminal}/revoke", 422, reason="")
    assert desk.post(f"/{terminal}/revoke", reason="stolen")["state"] == "revoked"
    actor, body = desk.said("terminal.revoked")[-1]
    assert (actor, body) == (desk.token, {"terminal": terminal, "reason": "stolen"})
    for what in ("revoke", "rotate"):
        desk.post(f"/{terminal}/{what}", 404, reason="again")


def test_who_reads_devices_decides_nothing(desk: Desk) -> None:
    terminal, asking = desk.admitted("watched"), desk.town.asks("waits")
    paths = (
        f"asked/{asking.key_id}/approve",
        f"asked/{asking.key_id}/deny",
        f"{terminal}/rotate",
        f"{terminal}/revoke",
    )
    for path in paths:
        answer = desk.reader.request("POST", f"{API}/{path}", json={"reason": "r"})
        assert (answer.status_code, "devices:write" in answer.json()["detail"]) == (403, True), path
    assert desk.town.said(desk.town.desk(), asking).status == "pending"


def test_an_edge_shows_who_asks_and_leaves_it_to_its_district(desk: Desk) -> None:
    edge: Node = desk.town.edge
    asking = desk.town.asks("at the edge")
    secret = add_token(edge, name="technician", scopes=["devices:read", "devices:write"]).secret
    with Browser(build_app(edge), token=secret) as http:
        assert asking.key_id in [one["id"] for one in http.get(f"{API}/asked").json()["asked"]]
        answer = http.request("POST", f"{API}/asked/{asking.key_id}/approve", json={})
        assert (answer.status_code, "district" in answer.json()["detail"]) == (403, True)
