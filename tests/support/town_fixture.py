"""The town that tests of pages look at: two districts' cases at the city, with photos here, pending and erased."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from support.small_town import TINY_PNG, Seen, Town, small_town

HOSTILE = "\"><script>alert(1)</script><img src=x onerror=alert(1)>&'{{7*7}}"
"""What somebody might send in to be run in another's browser."""


@dataclass(frozen=True)
class Shown:
    """The town with the numbers of its cases, each named for what is special about it."""

    town: Town
    plain: str
    outside: str
    with_photo: str
    pending: str
    erased: str
    hostile: str
    component: str


def shown_town(folder: Path) -> Shown:
    """Build it: seven cases in two districts, people of several posts at the city."""
    town = small_town(folder)
    plain = town.report(Seen())
    outside = town.report(Seen(district="210103", grid=None))
    with_photo = town.report(Seen(text="井盖破损", photos=[TINY_PNG], similar=[plain, "210102-E0102-20200101-0001"]))
    component = town.report(Seen(district="210103", kind="component", category="0101", grid="210103005003001"))
    hostile = town.report(
        Seen(text=HOSTILE, photos=[b"<svg onload=alert(1)>"], media="image/svg+xml", app="<script>alert(2)</script>")
    )
    erased = town.report(Seen(text="to be forgotten", stage="close", state="checked"))
    for district in ("210102", "210103"):
        town.carry(f"{district}01", district)
        town.carry(district, "210100")
    pending = town.report(Seen(photos=[TINY_PNG]))
    town.carry("21010201", "210102", blobs=False)
    town.carry("210102", "210100", blobs=False)
    _erase(town, erased)
    town.link("210100", "210102", up=True, reason="hello")
    for login, name, posts in (
        ("wangmin", "王敏", ("operator", "shift_leader")),
        ("zhang", "张伟", ("collector",)),
        ("root", "刘洋", ("administrator",)),
        ("mallory", HOSTILE, ("operator",)),
    ):
        town.person("210100", login, name, *posts)
    return Shown(town, plain, outside, with_photo, pending, erased, hostile, component)


def _erase(town: Town, number: str) -> None:
    from wanmi.query import evidence_of, find_case

    city = town.nodes["210100"]
    with city.store.reader() as tx:
        [evidence] = evidence_of(tx, [str(find_case(tx, number).report)], {"210100"})
    city.store.write(lambda tx: city.blobs.destroy_key(tx, evidence.blob)).result()
