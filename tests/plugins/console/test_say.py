"""One sentence for every kind of the core; none that fails on what another node may send."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.shipped import ShippedProfiles
from wanmi import kinds
from wanmi.case_kinds import CaseStepped
from wanmi.entries import Entry
from wanmi.journal import register_core
from wanmi.registry import Registry, Stored
from wanmi_console.names import Names
from wanmi_console.say import _TELL, Teller
from wanmi_console.words import translator

OPENED = kinds.CaseOpened(
    "210102-E0102-20261124-0001", "210102", "20261124", 1, "event", "0102", "cjt-2007@1", None, "210102001002007", "v1",
    1, 2, "collector", "T210102-0001", "R1", None, 5, "collect", "reported", [], [],
)  # fmt: skip
STEPPED = CaseStepped(
    step="accept", from_state="reported", state="pending_file", stage="file", final=False, axis="supervision",
    post="operator", unit=None, opinion="", department=None, collector=None, clock=None, limit=None, deadline=None,
    warn=None, clocks=[], counts=[], fields={}, attachments=[], reason=None,
)  # fmt: skip
BODIES: dict[str, list[msgspec.Struct]] = {
    "node.admitted": [
        kinds.NodeAdmitted("210102", "district", "和平区平台", "210102", parent, "k", "c", "")
        for parent in (None, "210100")
    ],
    "node.revoked": [kinds.NodeRevoked("210102", "stolen")],
    "key.replaced": [kinds.KeyReplaced("210102", 40, "h", "k")],
    "terminal.admitted": [kinds.TerminalAdmitted("T210102-0001", "k", "v", None)],
    "terminal.revoked": [kinds.TerminalRevoked("T210102-0001", "lost")],
    "terminal.asked": [kinds.TerminalAsked("k", "s", "v", "phone 9", "app/1", 5)],
    "terminal.denied": [kinds.TerminalDenied("k", "not one of ours")],
    "terminal.rotating": [kinds.TerminalRotating("T210102-0001", "d", "e", "s", "n")],
    "terminal.rotated": [kinds.TerminalRotated("T210102-0001", "o", "k", "v", 5, "e", "s", "n")],
    "terminal.rotation_ordered": [kinds.TerminalRotationOrdered("T210102-0001", "yearly")],
    "report.received": [kinds.ReportReceived("T210102-0001", "R1", "e", "s", "d", "event", "0102", 5, [])],
    "report.refused": [kinds.ReportRefused("T210102-0001", "R1", "e", "s", "d", "unknown_category")],
    "case.opened": [OPENED, msgspec.structs.replace(OPENED, grid=None, category="9999")],
    "case.stepped": [STEPPED, msgspec.structs.replace(STEPPED, step="x", from_state="y", state="z")],
    "arrival.noted": [kinds.ArrivalNoted("210102", "210102", 7, "h", 5)],
    "link.changed": [kinds.LinkChanged("210102", up, "hello", 5) for up in (True, False)],
    "clock.stepped": [kinds.ClockStepped(-3_000_000, "ntp")],
}


@pytest.fixture(scope="module", params=["zh", "en"])
def teller(request: pytest.FixtureRequest) -> Teller:
    registry = Registry()
    register_core(registry)
    return Teller(translator(request.param), Names.load(request.param, ShippedProfiles()), registry)


def stored(kind: str, body: dict[str, object], kind_v: int = 1) -> Stored:
    entry = Entry(1, "210100", 1, 5, "*", kind, kind_v, "x:1", 1, None, "wanmi@1", None, body, "0" * 32)
    return Stored(1, "210100", 1, "*", b"", b"", 5, b"", entry)


def test_every_kind_of_the_core_is_told(teller: Teller) -> None:
    assert set(BODIES) == set(_TELL)
    for kind, bodies in BODIES.items():
        said = {teller.sentence(stored(kind, msgspec.to_builtins(body))) for body in bodies}
        assert len(said) == len(bodies), kind
        assert all(one and "%(" not in one for one in said), said
        assert teller.title(stored(kind, {})) != kind


def test_what_is_not_addressed_here_says_so(teller: Teller) -> None:
    hidden = Stored(1, "210102", 1, ("210100",), b"", b"", 5, None, None)
    assert teller.title(hidden)
    assert teller.sentence(hidden)


VALUES = st.one_of(st.none(), st.booleans(), st.integers(-(2**53) + 1, 2**53 - 1), st.text(max_size=8), st.just([]))


@given(
    kind=st.sampled_from(sorted(BODIES)),
    changed=st.dictionaries(
        st.sampled_from(sorted({f for bodies in BODIES.values() for f in bodies[0].__struct_fields__})), VALUES
    ),
    dropped=st.sets(st.sampled_from(["number", "code", "terminal", "peer", "step", "origin", "made_at", "grid"])),
    kind_v=st.sampled_from([1, 1, 1, 2]),
)
def test_no_body_breaks_the_page(
    teller: Teller, kind: str, changed: dict[str, object], dropped: set[str], kind_v: int
) -> None:
    body = {
        name: value
        for name, value in {**msgspec.to_builtins(BODIES[kind][0]), **changed}.items()
        if name not in dropped
    }
    entry = stored(kind, body, kind_v)
    assert isinstance(teller.sentence(entry), str)
    assert teller.title(entry)
