"""A call from the first ring to the case, the call back and the rating; each event once."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import orjson

from plugins.hotline.desk import CALLER, POINT, REPORT, Desk, desk, popup, send
from wanmi.journal.proof import verify_paths
from wanmi.testing import react, replay_differences

EVENTS = "/api/v1/hotline/events"
CALLS = "/api/v1/hotline/calls"


def tell(pbx: Any, *events: dict[str, Any]) -> dict[str, int]:
    answer = send(pbx, "POST", EVENTS, {"events": list(events)} if len(events) > 1 else events[0])
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def nowhere_in_clear(made: Desk, *words: str) -> None:
    """No entry of the node says one of these words."""
    for stored in made.node.journal.read(made.node.code, 0, limit=10_000):
        raw = (stored.raw or b"").decode()
        assert not [word for word in words if word in raw], raw


def test_a_call_becomes_a_case(tmp_path: Path) -> None:
    with desk(tmp_path) as made:
        pbx, operator = made.machine(), made.operator()
        assert tell(pbx, made.event("ringing")) == {"taken": 1, "known": 0}

        [call] = popup(operator)["calls"]
        assert (call["state"], call["number"], call["called"], call["history"]) == (
            "ringing",
            "+8613940012345",
            "12319",
            [],
        )

        tell(
            pbx,
            made.event("answered", seat="8001"),
            made.event("held"),
            made.event("resumed"),
            made.event("ended", reason="normal"),
        )
        [call] = popup(operator)["calls"]
        assert call["state"] == "ended"
        answer = send(operator, "POST", f"{CALLS}/{call['call']}/wrap-up", REPORT)
        assert answer.status_code == 200, answer.text
        told = answer.json()
        assert (told["state"], told["outcome"], told["held_seconds"]) == ("wrapped", "report", 1)
        assert popup(operator)["calls"] == []

        assert react(made.node) == 1
        [case] = made.cases()
        assert (case.source, case.category, case.lon_e7, case.lat_e7, case.terminal) == (
            "hotline",
            "0102",
            *POINT.values(),
            None,
        )
        assert case.report_subject == told["report"]
        assert operator.get(f"{CALLS}/{call['call']}").json()["case"] == case.number
        shown = operator.get(f"/api/v1/cases/{case.number}").json()
        [text] = shown["evidence"]
        assert text["role"] == "text"
        assert operator.get(text["url"]).text == REPORT["text"]

        nowhere_in_clear(made, "13940012345", "4001", "李先生", "垃圾成堆", "晚上在家")
        assert replay_differences(made.node) == []
        assert verify_paths([made.node.dir]).ok


def test_the_same_event_again_changes_nothing(tmp_path: Path) -> None:
    with desk(tmp_path) as made:
        pbx = made.machine()
        events = [made.event("ringing"), made.event("answered", seat="8001"), made.event("ended")]
        assert tell(pbx, *events) == {"taken": 3, "known": 0}
        before = made.node.journal.pos
        assert tell(pbx, *reversed(events)) == {"taken": 0, "known": 3}
        assert made.node.journal.pos == before
        assert [len(made.entries(f"call.{kind}")) for kind in ("begun", "rang", "answered", "ended")] == [1, 0, 1, 1]


def test_events_out_of_order_and_of_unknown_calls_are_taken(tmp_path: Path) -> None:
    with desk(tmp_path) as made:
        pbx, operator = made.machine(), made.operator()
        late = made.event("ringing")
        answered = made.event("answered", seat="8001", number=CALLER)
        tell(pbx, answered, late, made.event("ended"))
        [call] = popup(operator)["calls"]
        assert (call["state"], call["number"], call["seat"]) == ("ended", "+8613940012345", "8001")
        assert len(made.entries("call.begun")) == 1
        assert replay_differences(made.node) == []


def test_the_history_knows_a_number_in_any_spelling(tmp_path: Path) -> None:
    with desk(tmp_path) as made:
        pbx, operator = made.machine(), made.operator()
        tell(
            pbx,
            made.event("ringing", number="0139-4001-2345"),
            made.event("answered", seat="8001"),
            made.event("ended"),
        )
        [first] = popup(operator)["calls"]
        send(operator, "POST", f"{CALLS}/{first['call']}/wrap-up", REPORT)
        react(made.node)
        [case] = made.cases()
        tell(
            pbx,
            made.event("ringing", "c-2", number="+86 139 4001 2345"),
            made.event("ringing", "c-3", number="anonymous"),
        )
        calls = {call["number"]: call for call in popup(operator)["calls"]}
        [earlier] = calls["+8613940012345"]["history"]
        assert (earlier["case"], earlier["outcome"], earlier["name"]) == (case.number, "report", "李先生")
        assert calls["+8613940012345"]["name"] == "李先生"
        assert calls[""]["history"] == []


def test_a_call_rings_at_several_seats_and_one_takes_it(tmp_path: Path) -> None:
    with desk(tmp_path) as made:
        pbx, one, two = made.machine(), made.operator("one", "8001"), made.operator("two", "8002")
        tell(pbx, made.event("ringing"), made.event("ringing", seat="8002"))
        assert len(popup(one)["calls"]) == len(popup(two)["calls"]) == 1
        tell(pbx, made.event("answered", seat="8002"))
        assert popup(one)["calls"] == []
        [call] = popup(two)["calls"]
        refused = send(one, "POST", f"{CALLS}/{call['call']}/wrap-up", REPORT)
        assert (refused.status_code, "another operator" in refused.text) == (403, True)
        assert send(two, "POST", f"{CALLS}/{call['call']}/wrap-up", REPORT).status_code == 200
        again = send(two, "POST", f"{CALLS}/{call['call']}/wrap-up", REPORT)
        assert (again.status_code, made.people["two"] in again.text) == (409, True)
        assert len(made.entries("report.registered")) == 1


def test_a_missed_call_waits_to_be_called_back(tmp_path: Path) -> None:
    with desk(tmp_path) as made:
        pbx, operator = made.machine(), made.operator()
        tell(pbx, made.event("ringing"), made.event("ended", reason="no answer"))
        assert popup(operator)["calls"] == []
        [missed] = operator.get(CALLS, params={"missed": True}).json()["calls"]
        assert operator.get(f"{CALLS}/{missed['call']}/caller").json()["number"] == "+8613940012345"


def test_call_back_and_satisfaction(tmp_path: Path) -> None:
    with desk(tmp_path) as made:
        pbx, operator = made.machine(), made.operator()
        tell(pbx, made.event("ringing"), made.event("answered", seat="8001"), made.event("ended"))
        [call] = popup(operator)["calls"]
        back = f"{CALLS}/{call['call']}/call-back"
        assert send(operator, "POST", back, {"result": "reached"}).status_code == 409
        send(operator, "POST", f"{CALLS}/{call['call']}/wrap-up", REPORT)
        assert [one["call"] for one in operator.get(CALLS, params={"to_call_back": True}).json()["calls"]] == [
            call["call"]
        ]
        assert send(operator, "POST", back, {"result": "no_answer", "rating": "satisfied"}).status_code == 422
        answer = send(
            operator, "POST", back, {"result": "reached", "rating": "satisfied", "note": "很快就清了，谢谢小王"}
        )
        assert (answer.json()["called_back"], answer.json()["rating"]) == ("reached", "satisfied")
        assert operator.get(CALLS, params={"to_call_back": True}).json()["calls"] == []
        [rated] = made.entries("call.rated")
        assert rated.entry is not None
        assert rated.entry.body["report"] == made.entries("report.registered")[0].entry.subject  # type: ignore[union-attr]
        nowhere_in_clear(made, "谢谢小王")
        assert replay_differences(made.node) == []


def test_a_recording_is_tied_by_its_hash(tmp_path: Path) -> None:
    folder = tmp_path / "records"
    folder.mkdir()
    sound = b"RIFF" + bytes(range(256)) * 200
    (folder / "c-1.wav").write_bytes(sound)
    digest = hashlib.sha256(sound).hexdigest()
    with desk(tmp_path, recordings=str(folder)) as made:
        pbx, operator = made.machine(), made.operator()
        recorded = made.event("recording", recording={"media": "audio/wav", "file": "c-1.wav", "digest": digest})
        tell(pbx, made.event("ringing"), made.event("answered", seat="8001"), recorded, made.event("ended"))
        [call] = popup(operator)["calls"]
        told = send(operator, "POST", f"{CALLS}/{call['call']}/wrap-up", REPORT).json()
        [heard] = told["recordings"]
        assert heard["digest"] == digest
        assert made.entries("call.wrapped")[0].entry.body["recordings"] == [digest]  # type: ignore[union-attr]
        assert operator.get(heard["url"]).content == sound
        late = made.event("recording", recording={"media": "audio/wav", "content": "UklGRg=="})
        tell(pbx, late)
        assert made.entries("call.recorded")[-1].entry.body["report"] == told["report"]  # type: ignore[union-attr]
        viewed = [one.entry.body["why"] for one in made.entries("sealed.viewed") if one.entry is not None]
        assert viewed == ["popup", "recording"]
        for name in ("../node/node.toml", "none.wav"):
            bad = made.event("recording", recording={"media": "audio/wav", "file": name})
            assert send(pbx, "POST", EVENTS, bad).status_code == 422
        lied = made.event("recording", recording={"media": "audio/wav", "file": "c-1.wav", "digest": "0" * 64})
        assert send(pbx, "POST", EVENTS, lied).status_code == 422


def test_a_city_opens_the_cases_of_its_own_hotline(tmp_path: Path) -> None:
    with desk(tmp_path, role="city", code="210100") as made:
        pbx, operator = made.machine(), made.operator()
        tell(pbx, made.event("ringing"), made.event("answered", seat="8001"), made.event("ended"))
        [call] = popup(operator)["calls"]
        send(operator, "POST", f"{CALLS}/{call['call']}/wrap-up", REPORT)
        react(made.node)
        [case] = made.cases()
        assert (case.number[:6], case.source) == ("210100", "hotline")
        [report] = made.entries("report.registered")
        assert report.audience == ("210100",)
        assert replay_differences(made.node) == []


NOT_FITTING: list[tuple[dict[str, Any], str]] = [
    ({"category": "9999"}, "9999"),
    ({"text": " "}, "text"),
    ({"point": None}, "place"),
    ({"area": "210102001002001"}, "place"),
    ({"point": None, "area": "210102001002001"}, "not known here"),
    ({"point": None, "area": "2101"}, "15 digits"),
    ({"outcome": "about_case"}, "about"),
    ({"about": "210102-E0102-20261124-0001"}, "no case"),
    ({"number": "call me"}, "telephone number"),
    ({"oops": 1}, "oops"),
]


def test_a_wrap_up_that_does_not_fit_explains_itself(tmp_path: Path) -> None:
    with desk(tmp_path) as made:
        pbx, operator = made.machine(), made.operator()
        tell(pbx, made.event("ringing"), made.event("answered", seat="8001"))
        [call] = popup(operator)["calls"]
        for change, word in NOT_FITTING:
            answer = send(operator, "POST", f"{CALLS}/{call['call']}/wrap-up", REPORT | change)
            assert (answer.status_code, word in answer.text) == (422, True), (change, answer.text)
        assert made.entries("call.wrapped") == []
        assert send(operator, "POST", f"{CALLS}/00/wrap-up", REPORT).status_code == 404


def not_events() -> list[bytes]:
    good = {"v": 1, "id": "x", "system": "pbx", "event": "ended", "call": "c", "at": 1}
    bad: list[dict[str, Any]] = [
        {"system": "PBX!"}, {"event": "ringing"}, {"at": -1}, {"at": 1.5}, {"system": "pbx\n"}, {"event": "recording"}, {"v": 2},
        {"number": "no number"}, {"id": ""}, {"call": "c" * 201}, {"recording": {"media": "audio/wav", "file": "a.wav"}},
        {"event": "recording", "recording": {"media": "audio/wav", "file": "../a.wav"}},
        {"event": "recording", "recording": {"media": "audio/wav"}},
        {"event": "recording", "recording": {"media": "audio/wav", "content": "!"}},
    ]  # fmt: skip
    raw = [b"{", b"[]", b'"x"', b"{}", b'{"events":[]}', b'{"events":1}', b"\xff\xfe", b"[" * 5000]
    return [*raw, *(orjson.dumps(good | one) for one in bad)]


def test_what_is_no_event_is_refused(tmp_path: Path) -> None:
    with desk(tmp_path) as made:
        pbx = made.machine()
        for body in not_events():
            answer = pbx.request("POST", EVENTS, content=body, headers={"content-type": "application/json"})
            assert answer.status_code == 422, (body, answer.text)
            assert "no number" not in answer.text
        assert [one.entry.kind for one in made.node.journal.read(made.node.code, 0) if one.entry] == ["node.admitted"]
