"""The city changes its profile: edges refuse the category that went and take the new one; old cases keep their profile."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import wanmi_casework
import wanmi_edge
from core.cases.worked import DOES
from edge.street import Street
from support.browser import Browser
from support.live import wanmi
from wanmi.clock import SystemClock
from wanmi.codes import Profile
from wanmi.hookspecs import Actor
from wanmi.identity import add_token
from wanmi.kinds import TerminalAdmitted
from wanmi.mqtt import Message
from wanmi.profiles import Version, activate_profile, pack, unpack, write_profile
from wanmi.query import CaseFilter, list_cases
from wanmi.registry import Draft
from wanmi.reports import Receipt, decode_receipt, report_topic
from wanmi.testing import carry, react, replay_differences, running, small_city
from wanmi.web import build_app
from wanmi_casework.desk import CaseDesk, Said
from wanmi_edge.appliance import Edge, make_spool
from wanmi_edge.field_desk import FieldDesk
from wanmi_edge.intake import Intake
from wanmi_edge.key_desk import KeyDesk
from wanmi_edge.settings import EdgeSettings
from wanmi_edge.verdicts import Judge, rules_of

GONE, KEPT, LOCAL = "0118", "0102", "0198"


class Broker:
    """Stands for the broker: what the intake publishes is kept."""

    def __init__(self) -> None:
        self.sent: list[Receipt] = []

    def publish(self, _topic: str, payload: bytes, **_: object) -> bool:
        self.sent.append(decode_receipt(payload))
        return True


class Town:
    """A city, a district, an edge with real journals; a terminal that speaks to the edge's intake."""

    def __init__(self, dir: Path) -> None:
        self.nodes = small_city(
            dir, city=[wanmi_casework], district=[wanmi_casework], edge=[wanmi_edge], clock=SystemClock()
        )
        self.city, self.district, self.edge = self.nodes.city, self.nodes.district, self.nodes.edge
        self.street, self.broker = Street("T210102-0001"), Broker()
        admitted = TerminalAdmitted(self.street.id, self.street.public.hex(), self.street.verifier, None)
        self.district.journal.append(Draft("terminal.admitted", f"terminal:{self.street.id}", admitted)).result()
        self.down()
        self.intake = self.open_intake()

    def open_intake(self) -> Intake:
        """The intake as the edge's task makes it, before this broker."""
        appliance, settings = Edge(), self.edge.settings.section("edge", EdgeSettings)
        appliance._wire(self.edge)
        book, spool = appliance._book(), make_spool(self.edge, settings.intake)
        active = appliance._profiles_of(self.edge).active
        judge = Judge(rules_of(self.edge.code, self.edge.settings.region, settings.intake, active), book.known)
        keys = KeyDesk(self.edge, lambda: self.broker, book)  # type: ignore[arg-type, return-value]
        field = FieldDesk(self.edge, self.broker, spool, appliance._sender(), appliance._desk(), keys)  # type: ignore[arg-type]
        return Intake(self.edge, self.broker, judge, spool, book, field, settings.intake)  # type: ignore[arg-type]

    def report(self, category: str) -> Receipt:
        """The terminal reports; the edge's answer."""
        payload = self.street.signed(category=category)[1]
        self.intake.work([Message(report_topic(self.street.id), payload, "application/json", 1, 1, lambda _: None)])
        self.intake._settle(leave=0)
        return self.broker.sent[-1]

    def up(self) -> None:
        """Links upward, with what the nodes make of it."""
        carry(self.edge, self.district)
        react(self.district)
        carry(self.district, self.city)

    def down(self) -> None:
        """Links downward: the city's chain to the district, the district's own to its edge."""
        carry(self.city, self.district)
        react(self.district)
        code = self.district.code
        batch = self.district.journal.batch_for(self.edge.code, code, self.edge.journal.cursor(code).seq)
        if batch is not None:
            self.edge.journal.apply(batch, code).result()

    def cases(self, node: Any) -> dict[str, Any]:
        """The newest case of each category."""
        with node.store.reader() as tx:
            return {case.category: case for case in reversed(list_cases(tx, CaseFilter(), limit=100).cases)}

    def profile_of(self, number: str) -> str:
        """The profile that the case's first entry names."""
        entry = self.district.journal.subject(f"case:{number}")[0].entry
        assert entry is not None
        return str(entry.body["profile"])


def changed(profile: Profile) -> dict[str, bytes]:
    """An archive's files of a city's own version: a category less, a local one more; the way of cases as it was."""
    files = dict(profile.files)
    for name in ("events.csv", "time_limits.csv"):
        lines = files[name].decode().splitlines(keepends=True)
        files[name] = "".join(one for one in lines if not one.startswith((f"{GONE},", f"event:{GONE},"))).encode()
    row = f"{LOCAL},01,市容环境类,98,共享单车淤积,Piled-up shared bicycles,point,the city,verified\n"
    files["events.csv"] += row.encode()
    toml = files["profile.toml"].decode()
    files["profile.toml"] = toml.replace('version = "1"', 'version = "2"', 1).encode()
    return unpack(pack(files))


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    town = Town(tmp_path)
    yield town
    for node in (town.city, town.district, town.edge):
        assert replay_differences(node) == []
    town.nodes.close()


def activate(town: Town) -> Version:
    return activate_profile(town.city, changed(Profile.load()), actor="person:7", opinion="本市目录")


def test_a_new_profile_reaches_the_edge_and_old_cases_keep_theirs(town: Town) -> None:
    shipped = Profile.load().ref
    assert [town.report(one).status for one in (GONE, KEPT)] == ["kept", "kept"]
    assert town.report(LOCAL).reason == "unknown_category"
    town.up()
    old = {category: case.number for category, case in town.cases(town.district).items()}
    assert {town.profile_of(number) for number in old.values()} == {shipped}

    version = activate(town)
    assert town.report(GONE).status == "kept", "the edge has not heard of it yet"
    town.down()
    assert (town.report(GONE).status, town.broker.sent[-1].reason) == ("refused", "unknown_category")
    assert [town.report(one).status for one in (KEPT, LOCAL)] == ["kept", "kept"]
    town.up()

    new = {category: case.number for category, case in town.cases(town.district).items()}
    assert set(new) == {GONE, KEPT, LOCAL}
    assert town.profile_of(new[KEPT]) == town.profile_of(new[LOCAL]) == version.ref != shipped
    assert new[GONE] != old[GONE], "what the edge took before it knew has its case"
    assert town.profile_of(new[GONE]) == shipped, "under the version that has its category"
    assert town.profile_of(old[KEPT]) == shipped
    assert town.cases(town.city).keys() == new.keys()


def test_the_desk_works_each_case_by_its_own_profile(town: Town) -> None:
    town.report(GONE)
    town.up()
    old = town.cases(town.district)[GONE].number
    activate(town)
    town.down()
    town.report(LOCAL)
    town.up()
    new = town.cases(town.district)[LOCAL].number
    desk = CaseDesk(town.district)
    assert desk.profile(desk.case(old)).category("event", GONE).name_zh == "擅自饲养家禽家畜"
    assert desk.profile(desk.case(new)).category("event", LOCAL).name_zh == "共享单车淤积"
    assert desk.profile(desk.case(new)).catalogue.get("event", GONE) is None
    for number in (old, new):
        assert desk.step(number, "accept", Actor(*DOES["accept"]), Said(opinion="受理")).state == "pending_file"


def test_the_catalogue_over_http_is_the_active_one(town: Town) -> None:
    token = add_token(town.district, name="test", scopes=["read"]).secret
    with Browser(build_app(town.district), token=token) as api:
        before = api.get("/api/v1/catalogue").json()
        version = activate(town)
        town.down()
        after = api.get("/api/v1/catalogue").json()
    codes = [{one["code"] for one in told["categories"] if one["kind"] == "event"} for told in (before, after)]
    assert (codes[0] - codes[1], codes[1] - codes[0]) == ({GONE}, {LOCAL})
    assert after["digest"] == version.digest


def test_a_version_is_activated_at_the_running_city_and_its_open_cases_keep_theirs(town: Town, tmp_path: Path) -> None:
    """``wanmi profile check``, ``diff`` and ``activate`` as an administrator types them, over the admin socket."""
    own, shipped = tmp_path / "own", Profile.load().ref
    write_profile(changed(Profile.load()), own)
    assert wanmi("profile", "check", own).returncode == 0
    assert f"event {LOCAL}" in wanmi("profile", "diff", "cjt-2007", own).stdout
    town.report(KEPT)
    town.up()
    old = town.cases(town.district)[KEPT].number
    with running(town.city):
        done = wanmi("profile", "activate", town.city.dir, own, "--why", "本市目录")
        assert done.returncode == 0, done.stderr
        again = wanmi("profile", "activate", town.city.dir, own)
        listed = wanmi("profile", "list", town.city.dir).stdout
    ref = done.stdout.split()[0]
    assert "open cases keep theirs" in done.stdout
    assert again.returncode == 1 or ref in again.stdout, again.stderr
    assert ref in listed
    assert "本市目录" in listed
    town.down()
    town.report(LOCAL)
    town.up()
    new = town.cases(town.district)[LOCAL].number
    assert (town.profile_of(old), town.profile_of(new)) == (shipped, ref)
    desk = CaseDesk(town.district)
    for number in (old, new):
        assert desk.step(number, "accept", Actor(*DOES["accept"]), Said(opinion="受理")).state == "pending_file"


def test_a_district_may_not_activate_a_version_of_its_own(town: Town, tmp_path: Path) -> None:
    own = tmp_path / "own"
    write_profile(changed(Profile.load()), own)
    with running(town.district):
        refused = wanmi("profile", "activate", town.district.dir, own)
    assert (refused.returncode, "city" in refused.stderr) == (1, True), refused.stderr
