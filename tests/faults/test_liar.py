"""A district that cheats: the honest nodes keep every rule among themselves, lose no time, and say what they saw."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from faults.city import City, live
from faults.liar import ALARMS, LIES, Liar
from faults.plan import Plan
from faults.towns import CITY, DISTRICTS, EDGES
from wanmi.entries import Head, verify_head


def lying_town(lie: str, seed: int, folder: Path) -> City:
    """A town in bad weather whose first district cheats; nobody is restored from a backup."""
    plan = Plan.of(seed)
    faults = tuple(fault for fault in plan.faults if fault.kind not in ("restore", "full"))
    plan = replace(plan, instead=faults)
    return City(plan, folder, liar=Liar(DISTRICTS[0], lie))


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("lie", LIES)
def test_a_district_that_cheats_harms_nobody_else(lie: str, seed: int, tmp_path: Path) -> None:
    city = lying_town(lie, seed, tmp_path)
    live(city)
    assert city.machines[CITY.code].journal.held is None, "no child silences its parent"
    seen = {alarm.kind for code in (CITY.code, EDGES[0].code) for alarm in city.machines[code].hub.alarms}
    assert set(ALARMS[lie]) <= seen
    honest = city.machines[DISTRICTS[1].code].hub.alarms
    assert not [alarm for alarm in honest if alarm.kind != "refused"]


def test_two_histories_convict_by_their_own_signatures(tmp_path: Path) -> None:
    city = lying_town("two histories", 0, tmp_path)
    live(city)
    liar = DISTRICTS[0]
    heads = [heads_of(city, code, liar.code) for code in (CITY.code, EDGES[0].code)]
    key = liar.sign.public_key().public_bytes_raw()
    assert all(verify_head(head, key) for held in heads for head in held.values())
    contradicted = [seq for seq in heads[0].keys() & heads[1].keys() if heads[0][seq].hash != heads[1][seq].hash]
    assert contradicted, "one number, two hashes, both signed by the same key: whoever compares heads can prove it"


def heads_of(city: City, holder: str, origin: str) -> dict[int, Head]:
    """The signed heads that a node keeps of a chain."""
    rows = city.machines[holder].disk.ask("SELECT seq, hash, at, sig FROM head WHERE origin = ?", origin)
    return {seq: Head(origin, seq, bytes(hash_), at, bytes(sig)) for seq, hash_, at, sig in rows}
