"""A version goes from the city to a district by link; cases keep theirs; replay finds the same."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Callable, Iterator
from contextlib import redirect_stdout
from pathlib import Path

import pytest

from wanmi.cases import StepTable
from wanmi.cli import build_app
from wanmi.codes import Profile, files_digest
from wanmi.errors import BadInput, Conflict, NotAllowed, NotFound
from wanmi.models import table
from wanmi.node import Node
from wanmi.profiles import ProfileActivated, ProfileProposed, ProfileStore, activate_profile, pack
from wanmi.profiles.bodies import ProfileChunkRow, ProfileVersionRow
from wanmi.registry import Draft
from wanmi.testing import SmallCity, carry, react, replay_differences, small_city

Files = dict[str, bytes]


@pytest.fixture(name="town")
def _town(tmp_path: Path, database: Callable[[str], str]) -> Iterator[SmallCity]:
    with small_city(tmp_path, database=database) as town:
        carry(town.city, town.district)
        yield town


def second(files: Files, version: str = "2") -> Files:
    """The shipped profile as a city changes it: its own name, a category and a limit more."""
    own = 'name = "shenyang-2026"'
    row = "0198,01,市容环境类,98,共享单车淤积,Piled-up shared bicycles,point,the city,verified\n"
    limit = "event:0198,共享单车淤积,Piled up,Cleared,成堆淤积,清理,4,work_hour,the city,verified\n"
    toml = files["profile.toml"].decode().replace('name = "cjt-2007"', own, 1)
    return files | {
        "profile.toml": toml.replace('version = "1"', f'version = "{version}"', 1).encode(),
        "steps.toml": files["steps.toml"].decode().replace('name = "cjt-2007"', own, 1).encode(),
        "events.csv": files["events.csv"] + row.encode(),
        "time_limits.csv": files["time_limits.csv"] + limit.encode(),
    }


def hand_on(town: SmallCity) -> None:
    """The district's own chain to its edge, which takes no other: as the link does."""
    after = town.edge.journal.cursor("210102").seq
    batch = town.district.journal.batch_for("21010201", "210102", after)
    assert batch is not None
    town.edge.journal.apply(batch, "210102").result()


def test_until_a_city_activates_one_the_shipped_profile_holds(town: SmallCity) -> None:
    for node in (town.city, town.district, town.edge):
        assert ProfileStore(node).active() is Profile.load()
        assert ProfileStore(node).held("") is Profile.load()
        assert ProfileStore(node).versions() == []


def test_a_version_reaches_the_district_and_its_edge(town: SmallCity, files: Files) -> None:
    seen = [ProfileStore(node) for node in (town.city, town.district, town.edge)]
    old = seen[1].active()
    version = activate_profile(town.city, second(files), actor="person:7", opinion="共享单车")
    assert version.ref == f"shenyang-2026@{files_digest(second(files))[:16]}"
    assert (version.opinion, version.actor) == ("共享单车", "person:7")
    assert seen[0].active().ref == version.ref
    assert seen[1].active() is old
    carry(town.city, town.district)
    assert react(town.district) == 2
    assert react(town.district) == 0
    hand_on(town)
    for store in seen:
        assert store.active().ref == version.ref
        assert store.active().category("event", "0198").name_zh == "共享单车淤积"
        assert store.steps(store.active()).name == "shenyang-2026"
        assert [one.digest for one in store.versions()] == [version.digest]
    for node in (town.city, town.district, town.edge):
        assert replay_differences(node) == []


def test_a_case_keeps_the_version_that_it_names(town: SmallCity, files: Files) -> None:
    store = ProfileStore(town.district)
    first = store.active().ref
    activate_profile(town.city, second(files, "2"))
    carry(town.city, town.district)
    between = store.active().ref
    activate_profile(town.city, second(files, "3"))
    carry(town.city, town.district)
    assert [store.active().version, store.of(between).version, store.of(first).version] == ["3", "2", "1"]
    fresh = ProfileStore(town.district)
    assert fresh.of(between).digest == store.of(between).digest
    assert "0198" in {one.code for one in fresh.of(between).catalogue.of_kind("event")}
    assert fresh.of(first) is Profile.load()
    assert fresh.steps(fresh.of(first)) == StepTable.load()


def test_going_back_to_an_earlier_version_sends_its_name_alone(town: SmallCity, files: Files) -> None:
    old = activate_profile(town.city, second(files, "2"))
    activate_profile(town.city, second(files, "3"))
    before = town.city.journal.cursor(town.city.code).seq
    back = activate_profile(town.city, second(files, "2"), opinion="zurück")
    assert town.city.journal.cursor(town.city.code).seq == before + 1
    assert (back.digest, back.seq) == (old.digest, before + 1)
    carry(town.city, town.district)
    assert ProfileStore(town.district).active().version == "2"
    assert replay_differences(town.district) == []


def test_entries_stay_under_their_limit_and_say_what_they_replace(town: SmallCity, files: Files) -> None:
    big = second(files)
    rows = "".join(f"# {n}: {hash((n, 'x')) & 0xFFFFFFFFFFFF:012x}\n" for n in range(12_000))
    big["profile.toml"] += rows.encode()
    activate_profile(town.city, big)
    stored = town.city.journal.subject("profile:shenyang-2026")
    bodies = [one.entry.body for one in stored if one.entry is not None]
    assert [one.entry.kind for one in stored if one.entry] == ["profile.proposed"] * (len(stored) - 1) + [
        "profile.activated"
    ]
    assert len(stored) > 3
    assert all(one.raw is not None and len(one.raw) < 64 * 1024 for one in stored)
    assert bodies[-1]["replaces"] == Profile.load().ref
    assert {one.audience for one in stored} == {"*"}
    carry(town.city, town.district)
    assert ProfileStore(town.district).active().digest == files_digest(big)


def test_only_a_city_only_good_ones_and_not_twice(town: SmallCity, files: Files) -> None:
    with pytest.raises(NotAllowed, match="node 210102: the profile is the city's; activate it at 210100"):
        activate_profile(town.district, second(files))
    with pytest.raises(BadInput, match=r"events.csv: error: is missing"):
        activate_profile(town.city, {name: one for name, one in second(files).items() if name != "events.csv"})
    activate_profile(town.city, second(files))
    with pytest.raises(Conflict, match="is active already"):
        activate_profile(town.city, second(files))
    with pytest.raises(BadInput, match="opinion: 2001 characters"):
        activate_profile(town.city, second(files, "3"), opinion="x" * 2001)


def drafts(files: Files, **change: object) -> list[Draft]:
    digest = files_digest(files)
    data = base64.urlsafe_b64encode(pack(files)).decode().rstrip("=")
    part = {"name": "shenyang-2026", "version": "2", "digest": digest, "n": 0, "of": 1, "data": data}
    done = {"name": "shenyang-2026", "version": "2", "digest": digest, "chunks": 1, "replaces": "", "opinion": ""}
    part |= {key: value for key, value in change.items() if key in part}
    done |= {key: value for key, value in change.items() if key in done}
    return [
        Draft("profile.proposed", "profile:shenyang-2026", part),
        Draft("profile.activated", "profile:shenyang-2026", done),
    ]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"of": 2}, "1 parts of its archive are here"),
        ({"digest": "0" * 64}, "it was tampered with"),
        ({"data": base64.urlsafe_b64encode(b"no archive").decode()}, "is no whole archive"),
        ({"data": "=*="}, "is no base64url"),
        ({"n": 1}, "part 1 of 1"),
        ({"name": "other"}, "part 0 of 1 under subject"),
        ({"version": "9"}, "the files say shenyang-2026 2"),
    ],
)
def test_parts_that_do_not_add_up_are_refused(
    town: SmallCity, files: Files, change: dict[str, object], told: str
) -> None:
    with pytest.raises(BadInput, match=told):
        town.city.journal.append(*drafts(second(files), **change)).result()
    assert ProfileStore(town.city).active() is Profile.load()
    town.city.journal.append(*drafts(second(files))).result()
    assert ProfileStore(town.city).active().version == "2"


def test_what_a_district_activates_by_itself_counts_nowhere(town: SmallCity, files: Files) -> None:
    town.district.journal.append(*drafts(second(files))).result()
    carry(town.district, town.city)
    for node in (town.district, town.city):
        assert ProfileStore(node).active() is Profile.load()
        assert replay_differences(node) == []


def test_a_district_does_not_hand_on_what_it_could_not_take(town: SmallCity, files: Files) -> None:
    """A city of another release writes what this one refuses: it is quarantined and the reactor goes on."""
    activate_profile(town.city, second(files))
    carry(town.city, town.district)
    with town.district.store.writing.begin() as tx:
        tx.execute(table(ProfileVersionRow).delete())
        tx.execute(table(ProfileChunkRow).delete())
    assert react(town.district) == 0
    assert town.district.journal.subject("profile:shenyang-2026")[-1].origin == "210100"


def test_a_profile_of_a_later_release_is_told(town: SmallCity, files: Files) -> None:
    later = second(files)
    later["profile.toml"] = later["profile.toml"].replace(b'form = "node"', b'form = "tree"')
    town.city.journal.append(*drafts(later)).result()
    with pytest.raises(BadInput, match=r"is active, and this release cannot read it .*update this node"):
        ProfileStore(town.city).active()
    activate_profile(town.city, second(files, "3"))
    assert ProfileStore(town.city).active().version == "3"


def test_a_version_that_was_never_here_is_told(town: SmallCity) -> None:
    store = ProfileStore(town.district)
    with pytest.raises(NotFound, match="profile atlantis@0123456789abcdef: was never activated here"):
        store.of("atlantis@0123456789abcdef")
    assert store.of("cjt-2007@0123456789abcdef") is Profile.load()


def wanmi(*args: str) -> str:
    """What a command prints; it must end well."""
    out = io.StringIO()
    with redirect_stdout(out):
        build_app(complete=False)(list(args), standalone_mode=False)
    return out.getvalue()


def test_the_command_line_walks_it(tmp_path: Path, files: Files) -> None:
    with small_city(tmp_path / "town") as town:
        dir = town.city.dir
    own = tmp_path / "own"
    wanmi("profile", "pack", "cjt-2007", str(own))
    for name, content in second(files).items():
        (own / name).write_bytes(content)
    assert "0 errors, 0 warnings" in wanmi("profile", "check", str(own))
    assert "category added: event 0198 共享单车淤积" in wanmi("profile", "diff", str(dir), str(own))
    wanmi("profile", "pack", str(own), str(tmp_path / "own.zip"))
    assert "is active since entry" in wanmi(
        "profile", "activate", str(dir), str(tmp_path / "own.zip"), "--why", "新类别"
    )
    assert "no difference" in wanmi("profile", "diff", str(dir), str(own))
    told = json.loads(wanmi("profile", "list", str(dir), "--json"))
    assert told["active"]["name"] == "shenyang-2026"
    assert [one["opinion"] for one in told["versions"]] == ["新类别"]
    assert "共享单车淤积" in wanmi("profile", "print", str(dir), "--book", "supervision", "--lang", "zh", "--md")
    with Node.open(dir) as node:
        bodies = {ProfileProposed: "profile.proposed", ProfileActivated: "profile.activated"}
        assert {node.registry.kind(name).body for name in bodies.values()} == set(bodies)
