"""A chain that names another district's blob opens nothing by it: not at the city, not over a link, not for a department."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import update

from support.browser import Browser
from support.small_town import PASSWORD, TINY_PNG, Seen, Town, small_town
from wanmi.case_kinds import CaseRequestMade
from wanmi.identity import add_unit, set_unit
from wanmi.kinds import Attachment, ReportRegistered
from wanmi.links.directory import StoreDepot
from wanmi.models import CaseRow, table
from wanmi.order_kinds import OrderAsked, OrderedCase, ask_subject
from wanmi.registry import Draft
from wanmi.store import vouchers_of
from wanmi.web import build_app
from wanmi_supervision.reacting import register_asks

CITY, VICTIM, THIEF = "210100", "210102", "210103"


class Theft:
    """A city that holds a victim's case with a photo, and a thief's case that names the photo as its own."""

    def __init__(self, town: Town) -> None:
        self.town = town
        self.city = town.nodes[CITY]
        self.theirs = town.report(Seen(district=VICTIM, photos=[TINY_PNG], text="井盖破损"))
        town.carry(f"{VICTIM}01", VICTIM)
        town.carry(VICTIM, CITY)
        self.mine = town.report(Seen(district=THIEF))
        opened = town.nodes[VICTIM].journal.subject(f"case:{self.theirs}")[0].entry
        assert opened is not None
        self.parts = [Attachment(**one) for one in opened.body["attachments"]]
        self.blobs = [one.blob for one in self.parts]

    def named(self) -> None:
        """The thief's chain, whole and signed, names what is not its own; it comes to the city."""
        body = CaseRequestMade(
            request="q-1", what="void", post="dispatcher", axis="command", unit=None, opinion="x", until=None,
            expires=2**50, approvers=["shift_leader"], reviewers=1, fields={}, attachments=self.parts,
        )  # fmt: skip
        draft = Draft("case.request_made", f"case:{self.mine}", body, "*", "p-1")
        self.town.nodes[THIEF].journal.append(draft).result()
        self.town.carry(f"{THIEF}01", THIEF)
        self.town.carry(THIEF, CITY, blobs=False)


@pytest.fixture
def theft(tmp_path: Path) -> Iterator[Theft]:
    made = Theft(small_town(tmp_path))
    made.named()
    yield made
    made.town.close()


def test_the_city_opens_it_as_the_victims_only(theft: Theft) -> None:
    theft.town.person(CITY, "wangmin", "王敏", "operator")
    with Browser(build_app(theft.city)) as browser:
        browser.log_in("wangmin", PASSWORD)
        assert [one["blob"] for one in browser.get(f"/api/v1/cases/{theft.mine}").json()["evidence"]] == []
        assert "井盖破损" not in browser.page(f"/cases/{theft.mine}")
        assert "井盖破损" in browser.page(f"/cases/{theft.theirs}")
        evidence = browser.get(f"/api/v1/cases/{theft.theirs}").json()["evidence"]
        assert {one["blob"] for one in evidence} == set(theft.blobs)
        assert all(one["subject"].startswith(f"report:{VICTIM}01:") for one in evidence)


def test_a_department_of_the_thiefs_case_opens_nothing(theft: Theft) -> None:
    add_unit(theft.city, code="roads", name="市政")
    theft.town.person(CITY, "roads", "市政", "department")
    set_unit(theft.city, "roads", "roads")
    cases = table(CaseRow)
    own = update(cases).where(cases.c.number == theft.mine).values(department="roads")
    theft.city.store.write(lambda tx: tx.execute(own)).result()
    with Browser(build_app(theft.city)) as browser:
        browser.log_in("roads", PASSWORD)
        assert browser.get(f"/api/v1/cases/{theft.mine}").status_code == 200
        for blob in theft.blobs:
            assert browser.get(f"/api/v1/blobs/{blob}").status_code == 404


def test_no_link_hands_it_out(theft: Theft) -> None:
    depot = StoreDepot(theft.city.store, theft.city.blobs, vouchers_of(CITY, None))
    for blob in theft.blobs:
        assert depot.may_see(VICTIM, blob)
        assert not depot.may_see(THIEF, blob), "its own word gives the thief nothing"


def test_the_city_hands_nothing_on_that_an_ask_only_claims(theft: Theft) -> None:
    state = OrderedCase(
        "event", "0102", None, None, None, 0, 0, "collector", 1, "collect", "reported", None, theft.parts
    )  # fmt: skip
    asked = OrderAsked("a-1", theft.mine, "请协助", state)
    draft = Draft("order.asked", ask_subject(THIEF, "a-1"), asked, (CITY,), "p-1")
    [stored] = theft.town.nodes[THIEF].journal.append(draft).result()
    theft.town.carry(THIEF, CITY, blobs=False)
    [(_, registered)] = register_asks(theft.city, [stored])
    assert isinstance(registered.body, ReportRegistered)
    assert registered.body.attachments == []
