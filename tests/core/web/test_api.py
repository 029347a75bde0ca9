"""The JSON API: what it answers, what it refuses, and that a chain can be verified from its bytes."""

from __future__ import annotations

import base64
import hashlib
import json

import pytest

from support.browser import Browser
from support.small_town import PASSWORD, TINY_PNG
from support.town_fixture import HOSTILE, Shown
from wanmi.entries import chain_hash
from wanmi.node import Node


@pytest.fixture
def reader(machine) -> Browser:  # type: ignore[no-untyped-def]
    made: Browser = machine("read")
    return made


def test_cases_are_listed_newest_first_page_by_page(reader: Browser, shown: Shown) -> None:
    numbers: list[str] = []
    path = "/api/v1/cases?limit=2&count=true"
    while path:
        page = reader.get(path).json()
        assert (page["count"], page["count_exact"]) == (7, True)
        numbers += [case["number"] for case in page["cases"]]
        path = f"/api/v1/cases?limit=2&count=true&cursor={page['next']}" if page["next"] else ""
    assert numbers == [
        shown.pending, shown.erased, shown.hostile, shown.component, shown.with_photo, shown.outside, shown.plain,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("district=210103", {"outside", "component"}),
        ("kind=component", {"component"}),
        ("stage=close", {"erased"}),
        ("grid=210103005003", {"component"}),
        ("category=0101", {"component"}),
        ("from=2026-11-25", set()),
        ("to=2026-11-23", set()),
        ("from=2026-11-24&to=2026-11-24&district=210103&kind=event", {"outside"}),
    ],
)
def test_cases_are_filtered(reader: Browser, shown: Shown, query: str, names: set[str]) -> None:
    page = reader.get(f"/api/v1/cases?{query}").json()
    assert {case["number"] for case in page["cases"]} == {getattr(shown, name) for name in names}
    assert page["count"] is None


def test_cases_are_found_by_a_part_of_their_number(reader: Browser, shown: Shown) -> None:
    page = reader.get(f"/api/v1/cases?q={shown.component[6:].lower()}").json()
    assert [case["number"] for case in page["cases"]] == [shown.component]


@pytest.mark.parametrize(
    "query", ["district=abc", "cursor=!!", "limit=0", "limit=501", "limit=x", "from=yesterday", "q=%25", "kind=x"]
)
def test_a_bad_question_is_a_problem(reader: Browser, query: str) -> None:
    answer = reader.get(f"/api/v1/cases?{query}")
    problem = answer.json()
    assert (answer.status_code, problem["status"]) == (422, 422)
    assert answer.headers["content-type"] == "application/problem+json"
    assert problem["instance"] == "/api/v1/cases"
    assert query.split("=", maxsplit=1)[0].replace("from", "day").replace("q", "number") in problem["detail"]


def test_a_case_comes_with_its_report_evidence_and_entries(reader: Browser, shown: Shown) -> None:
    found = reader.get(f"/api/v1/cases/{shown.with_photo}").json()
    assert [entry["kind"] for entry in found["entries"]] == ["report.received", "case.opened"]
    assert {entry["proof"]["state"] for entry in found["entries"]} == {"sound"}
    assert {entry["proof"]["cosigned_by"] for entry in found["entries"]} == {"210100"}
    assert found["report"]["datum"] == "GCJ02"
    assert found["report"]["lon_e7"] - found["case"]["lon_e7"] == 60_000
    assert [(one["role"], one["state"]) for one in found["evidence"]] == [("text", "here"), ("photo", "here")]
    opened = {one["role"]: reader.get(one["url"]) for one in found["evidence"]}
    assert opened["text"].text == "井盖破损"
    assert (opened["photo"].content, opened["photo"].headers["content-type"]) == (TINY_PNG, "image/png")


def test_an_unknown_case_is_a_problem(reader: Browser) -> None:
    answer = reader.get("/api/v1/cases/210102-E0102-20200101-0001")
    assert answer.status_code == 404
    assert "210102-E0102-20200101-0001" in answer.json()["detail"]


def blob_of(reader: Browser, number: str, role: str = "photo") -> str:
    evidence = reader.get(f"/api/v1/cases/{number}").json()["evidence"]
    return str(next(one["url"] for one in evidence if one["role"] == role))


def test_content_may_do_nothing(reader: Browser, shown: Shown) -> None:
    svg = reader.get(blob_of(reader, shown.hostile))
    assert svg.headers["content-type"] == "application/octet-stream"
    assert svg.headers["content-disposition"].startswith("attachment")
    text = reader.get(blob_of(reader, shown.hostile, "text"))
    assert (text.text, text.headers["content-type"]) == (HOSTILE, "text/plain; charset=utf-8")
    for answer in (svg, text, reader.get(blob_of(reader, shown.with_photo))):
        assert "sandbox" in answer.headers["content-security-policy"]
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "no-store" in answer.headers["cache-control"]


def test_content_that_is_not_here_or_erased_is_told_apart(reader: Browser, shown: Shown) -> None:
    pending = reader.get(blob_of(reader, shown.pending))
    erased = reader.get(blob_of(reader, shown.erased, "text"))
    assert (pending.status_code, erased.status_code) == (404, 403)
    assert "not here yet" in pending.json()["detail"]
    assert "erased" in erased.json()["detail"]
    assert reader.get("/api/v1/blobs/" + "0" * 64).status_code == 404
    assert reader.get("/api/v1/blobs/..%2f..%2fkeys%2fsign.key").status_code == 404


def test_a_collector_may_not_open_sealed_evidence(reader: Browser, stranger: Browser, shown: Shown) -> None:
    address = blob_of(reader, shown.with_photo)
    stranger.log_in("zhang", PASSWORD)
    answer = stranger.get(address)
    assert answer.status_code == 403
    assert "collector" in answer.json()["detail"]
    assert stranger.get(f"/api/v1/cases/{shown.with_photo}").status_code == 404, "a case that is not theirs"


@pytest.mark.parametrize("step", [1, 3, 1000])
def test_a_chain_can_be_verified_from_its_bytes_alone(reader: Browser, city: Node, step: int) -> None:
    for origin, cursor in city.journal.cursors().items():
        after: int | None = 0
        hash_, seen = bytes(32), 0
        while after is not None:
            piece = reader.get(f"/api/v1/entries?origin={origin}&after={after}&limit={step}").json()
            assert piece["previous"] == hash_.hex()
            for entry in piece["entries"]:
                seen += 1
                raw = base64.b64decode(entry["raw"])
                audience = json.dumps(entry["audience"], separators=(",", ":")).encode()
                parts = hash_ + hashlib.sha256(audience).digest() + hashlib.sha256(raw).digest()
                hash_ = hashlib.sha256(parts).digest()
                assert (entry["seq"], entry["hash"]) == (seen, hash_.hex())
            after = piece["next"]
        assert (seen, hash_) == (cursor.seq, cursor.hash)
    assert chain_hash(bytes(32), "*", bytes(32)) != bytes(32)


def test_reading_beyond_a_chain_is_a_problem(reader: Browser) -> None:
    answer = reader.get("/api/v1/entries?origin=210102&after=9999")
    assert answer.status_code == 422
    assert "none after 9999" in answer.json()["detail"]
    assert reader.get("/api/v1/entries?origin=999999").json()["entries"] == []
    assert reader.get("/api/v1/entries?after=0").status_code == 422
    assert reader.get("/api/v1/entries?origin=210102&after=-1").status_code == 422


def test_entries_of_any_subject(reader: Browser, shown: Shown) -> None:
    entries = reader.get("/api/v1/subjects/entries", params={"subject": f"case:{shown.plain}"}).json()
    assert [entry["subject"] for entry in entries] == [f"case:{shown.plain}"]
    nodes = reader.get("/api/v1/subjects/entries", params={"subject": "node:210102"}).json()
    assert {entry["origin"] for entry in nodes} == {"210100", "210102"}
    assert reader.get("/api/v1/subjects/entries", params={"subject": "case:none"}).json() == []


def test_heads_and_countersignatures_verify(reader: Browser, city: Node) -> None:
    from wanmi.entries import Cosign, Head, verify_cosign, verify_head

    told = reader.get("/api/v1/heads").json()
    assert {chain["origin"]: chain["seq"] for chain in told["chains"]} == {
        origin: cursor.seq for origin, cursor in city.journal.cursors().items()
    }
    keys = {one["code"]: bytes.fromhex(one["sign_key"]) for one in reader.get("/api/v1/nodes").json()}
    for one in told["heads"]:
        head = Head(one["origin"], one["seq"], bytes.fromhex(one["hash"]), one["at"], bytes.fromhex(one["sig"]))
        assert verify_head(head, keys[head.origin])
    assert told["cosigns"]
    for one in told["cosigns"]:
        cosign = Cosign(
            one["origin"], one["seq"], bytes.fromhex(one["hash"]), one["by"], one["at"], bytes.fromhex(one["sig"])
        )
        assert verify_cosign(cosign, keys[cosign.by])
    assert (told["forks"], told["quarantined"]) == (0, 0)


def test_links_health_and_codes(reader: Browser) -> None:
    [link] = reader.get("/api/v1/links").json()["links"]
    assert (link["by"], link["peer"], link["up"]) == ("210100", "210102", True)
    assert {"journal", "disk"} <= {line["name"] for line in reader.get("/api/v1/health").json()}
    catalogue = reader.get("/api/v1/catalogue").json()
    assert [stage["zh"] for stage in catalogue["stages"]][-1] == "综合评价"
    assert ("event", "0102", "暴露垃圾") in {
        (one["kind"], one["code"], one["name_zh"]) for one in catalogue["categories"]
    }
    [top] = reader.get("/api/v1/divisions").json()
    districts = reader.get("/api/v1/divisions", params={"parent": top["code"]}).json()
    assert (top["code"], len(districts)) == ("210100", 13)


def test_metrics_are_prometheus_text(reader: Browser, city: Node) -> None:
    reader.get("/api/v1/cases/none")
    answer = reader.get("/metrics")
    lines = answer.text.splitlines()
    assert answer.headers["content-type"].startswith("text/plain")
    assert f'wanmi_chain_seq{{origin="210102"}} {float(city.journal.cursor("210102").seq)}' in lines
    assert 'wanmi_cases{district="210103",stage="collect"} 2.0' in lines
    assert 'wanmi_link_up{by="210100",peer="210102"} 1.0' in lines
    assert any(line.startswith('wanmi_http_answers_total{method="GET",status="404"}') for line in lines)
    assert 'wanmi_health{name="journal"} 0.0' in lines


def test_the_explorer_is_served_from_here(reader: Browser) -> None:
    description = reader.get("/openapi.json").json()
    assert "/api/v1/cases" in description["paths"]
    assert not [path for path in description["paths"] if not path.startswith(("/api/", "/healthz", "/metrics"))]
    page = reader.get("/docs")
    assert page.status_code == 200
    for address in ("/docs/swagger-ui-bundle.js", "/docs/swagger-ui.css", "/docs/explorer.js", "/docs/explorer.css"):
        assert address in page.text
        assert reader.get(address).status_code == 200
    assert "http" not in page.text.replace("http-equiv", "")
    assert reader.get("/docs/other.js").status_code == 404


def test_a_missing_explorer_says_what_to_do(reader: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    from wanmi.web import explorer

    monkeypatch.setattr(explorer, "_VENDOR", {"swagger-ui-missing.js": "text/javascript"})
    answer = reader.get("/docs")
    assert answer.status_code == 501
    assert "pip install -e ." in answer.json()["detail"]
