"""Who may see who called: the desk and the supervisor, never a department; and that they looked is journaled."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import update

from plugins.hotline.desk import PASSWORD, REPORT, Desk, desk, popup, send
from support.browser import Browser
from wanmi.identity import add_unit, set_unit
from wanmi.models import CaseRow, table
from wanmi.testing import react

CALLS = "/api/v1/hotline/calls"


def wrapped_call(made: Desk) -> tuple[Browser, str]:
    """A call that became a case; the operator, the call."""
    pbx, operator = made.machine(), made.operator()
    for event in (made.event("ringing"), made.event("answered", seat="8001"), made.event("ended")):
        assert send(pbx, "POST", "/api/v1/hotline/events", event).status_code == 200
    [call] = popup(operator)["calls"]
    assert send(operator, "POST", f"{CALLS}/{call['call']}/wrap-up", REPORT).status_code == 200
    react(made.node)
    return operator, str(call["call"])


@pytest.mark.parametrize("post", ["department", "dispatcher", "collector", "assessor", "administrator"])
def test_others_never_see_who_called(tmp_path: Path, post: str) -> None:
    with desk(tmp_path) as made:
        _, call = wrapped_call(made)
        other = made.person("other", post)
        tries = [f"{CALLS}/{call}/caller", f"{CALLS}/{call}/recordings/{'0' * 64}", "/api/v1/hotline/popup", "/hotline"]
        assert {path: other.get(path).status_code for path in tries} == dict.fromkeys(tries, 403)
        caller = made.entries("report.registered")[0].entry.body["caller"]["blob"]  # type: ignore[union-attr]
        assert other.get(f"/api/v1/blobs/{caller}").status_code in (403, 404)
        [case] = made.cases()
        for path in (f"/api/v1/cases/{case.number}", f"/cases/{case.number}", f"{CALLS}/{call}", CALLS):
            text = other.get(path).text
            assert "13940012345" not in text
            assert "李先生" not in text.replace("李先生家门口", "")
        looked = [
            one.entry.actor for one in made.entries("sealed.viewed") if one.entry and caller in one.entry.body["blobs"]
        ]
        assert looked == []


def test_even_the_desk_does_not_get_the_caller_as_evidence(tmp_path: Path) -> None:
    with desk(tmp_path) as made:
        operator, _ = wrapped_call(made)
        caller = made.entries("report.registered")[0].entry.body["caller"]["blob"]  # type: ignore[union-attr]
        assert operator.get(f"/api/v1/blobs/{caller}").status_code == 404
        [case] = made.cases()
        assert [one["role"] for one in operator.get(f"/api/v1/cases/{case.number}").json()["evidence"]] == ["text"]


def test_a_department_that_handles_the_case_reads_nothing_of_the_caller(tmp_path: Path) -> None:
    with desk(tmp_path) as made:
        wrapped_call(made)
        add_unit(made.node, code="roads", name="市政")
        worker = made.person("worker", "department")
        set_unit(made.node, "worker", "roads")
        worker.log_in("worker", PASSWORD)
        [case] = made.cases()
        rows = table(CaseRow)
        made.node.store.write(lambda tx: tx.execute(update(rows).values(department="roads"))).result()
        who = made.entries("report.registered")[0].entry.body["caller"]  # type: ignore[union-attr]
        of_case = f"/api/v1/cases/{case.number}"
        shown = [of_case, f"{of_case}/work", f"{of_case}/clock", f"/cases/{case.number}", "/api/v1/cases", "/cases.csv"]
        shown += [f"/api/v1/exports/cases.{one}" for one in ("csv", "xlsx", "geojson")]
        for path in (*shown, "/metrics", "/api/v1/requests", "/"):
            answer = worker.get(path)
            assert path not in shown or answer.status_code == 200, (path, answer.status_code)
            for secret in (who["blob"], who["digest"], "13940012345", "李先生"):
                assert secret.encode() not in answer.content.replace("李先生家门口".encode(), b""), (path, secret)
        blob = made.entries("report.registered")[0].entry.body["attachments"][0]["blob"]  # type: ignore[union-attr]
        assert "李先生家门口" in worker.get(f"/api/v1/blobs/{blob}").text, "what is the matter is theirs to read"
        assert worker.get(f"/api/v1/blobs/{who['blob']}").status_code == 404
        for path in (f"/api/v1/subjects/entries?subject=report:{made.node.code}", "/api/v1/entries?origin=210102"):
            assert worker.get(path).status_code == 403


def test_each_look_is_journaled_once_an_hour(tmp_path: Path) -> None:
    with desk(tmp_path) as made:
        operator, call = wrapped_call(made)
        views = made.entries("sealed.viewed")
        assert [(one.entry.actor, one.entry.body["why"]) for one in views if one.entry] == [
            (made.people["wangmin"], "popup")
        ]
        supervisor = made.person("liu", "supervisor")
        for browser in (supervisor, operator, operator):
            assert browser.get(f"{CALLS}/{call}/caller").json() == {
                "number": "+8613940012345", "name": "李先生", "notes": "晚上在家",
            }  # fmt: skip
        views = made.entries("sealed.viewed")[1:]
        who = [made.people["liu"], made.people["wangmin"]]
        assert [(one.entry.actor, one.entry.body["why"]) for one in views if one.entry] == [
            (one, "caller") for one in who
        ]


def test_a_pop_up_that_is_asked_for_again_is_one_view(tmp_path: Path) -> None:
    with desk(tmp_path) as made:
        pbx, operator = made.machine(), made.operator()
        send(pbx, "POST", "/api/v1/hotline/events", made.event("ringing"))
        for _ in range(3):
            assert len(popup(operator)["calls"]) == 1
        assert len(made.entries("sealed.viewed")) == 1


def test_machines_tell_and_see_nothing(tmp_path: Path) -> None:
    with desk(tmp_path) as made:
        _, call = wrapped_call(made)
        pbx, admin = made.machine(), made.machine("admin")
        for path in (f"{CALLS}/{call}/caller", "/api/v1/hotline/popup"):
            assert pbx.get(path).status_code == admin.get(path).status_code == 403
        reader = made.machine("hotline:read")
        assert "13940012345" not in reader.get(CALLS).text
        assert send(reader, "POST", "/api/v1/hotline/events", made.event("ringing", "c-9")).status_code == 403
        people = made.person("zhao", "operator")
        assert send(people, "POST", "/api/v1/hotline/events", made.event("ringing", "c-9")).status_code == 403


def test_one_sits_at_one_telephone(tmp_path: Path) -> None:
    with desk(tmp_path) as made:
        pbx, one, two = made.machine(), made.operator("one", "8001"), made.operator("two", "8001")
        send(pbx, "POST", "/api/v1/hotline/events", made.event("ringing"))
        assert (len(popup(one)["calls"]), popup(one)["seat"]) == (0, "")
        assert (len(popup(two)["calls"]), popup(two)["seat"]) == (1, "8001")
