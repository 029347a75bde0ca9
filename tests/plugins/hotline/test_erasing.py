"""A caller's number erases everything of that caller: here, at the city, in history; the case stays."""

from __future__ import annotations

from pathlib import Path

import wanmi_casework
import wanmi_console
import wanmi_hotline
from plugins.hotline.desk import REPORT, START, Desk, popup, send
from wanmi.clock import ManualClock
from wanmi.errors import NotAllowed, NotFound
from wanmi.journal.proof import verify_paths
from wanmi.models import table
from wanmi.node import run_action
from wanmi.testing import carry, react, replay_differences, small_city
from wanmi_hotline.rows import NumberRow

PLUGINS = (wanmi_console, wanmi_casework, wanmi_hotline)
OTHER = "13800000000"


def test_a_caller_is_erased_everywhere(tmp_path: Path) -> None:
    clock = ManualClock(START)
    with small_city(tmp_path, city=PLUGINS, district=PLUGINS, clock=clock) as made:
        desk, city = Desk(made.district, clock), made.city
        pbx, operator = desk.machine(), desk.operator()
        calls = {}
        for n, number in enumerate(("+86 139 4001 2345", "013940012345", OTHER)):
            call = f"c-{n}"
            for event in (
                desk.event("ringing", call, number=number),
                desk.event("answered", call, seat="8001"),
                desk.event("ended", call),
            ):
                assert send(pbx, "POST", "/api/v1/hotline/events", event).status_code == 200
            [shown] = popup(operator)["calls"]
            calls[call] = shown["call"]
            answer = send(operator, "POST", f"/api/v1/hotline/calls/{shown['call']}/wrap-up", REPORT)
            assert answer.status_code == 200, answer.text
        react(made.district)
        carry(made.district, city)
        wanted = {one.blob for one in city.blobs.missing()}
        for blob in wanted:
            key = made.district.blobs.wrap_key(blob, city.keys.seal_public)
            city.blobs.accept(blob, made.district.blobs.read(blob, 0, 1 << 20), key).result()
        assert len(wanted) == 6, "text and caller of three reports; calls' own blobs stay at home"

        [result] = [
            one
            for one in run_action(made.district, "person.erase", {"number": "0139-4001-2345"})
            if isinstance(one, dict)
        ]
        assert len(result["blobs"]) == 6, "of two calls: the number as it came, the caller as written down, the text"
        react(made.district)
        carry(made.district, city)
        react(city)

        for node in (made.district, city):
            for blob in set(result["blobs"]) & (wanted if node is city else set(result["blobs"])):
                try:
                    node.blobs.open(blob)
                except (NotAllowed, NotFound):
                    continue
                raise AssertionError(blob)
        assert [city.blobs.open(blob) for blob in wanted - set(result["blobs"])], "the other caller's are there"
        with made.district.store.reader() as tx:
            assert len(tx.execute(table(NumberRow).select()).all()) == 1
        for call, status in (("c-0", 404), ("c-1", 404), ("c-2", 200)):
            assert operator.get(f"/api/v1/hotline/calls/{calls[call]}/caller").status_code == status
        send(pbx, "POST", "/api/v1/hotline/events", desk.event("ringing", "c-9", number="13940012345"))
        [anew] = popup(operator)["calls"]
        assert (anew["history"], anew["name"]) == ([], "")
        assert len(desk.cases()) == 3
        for node in (made.district, city):
            assert replay_differences(node) == []
        assert verify_paths([made.district.dir, city.dir]).ok
        for browser in desk.browsers:
            browser.close()
