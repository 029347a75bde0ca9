"""Enrolment: a token says who its maker is, once, for a week, for one parent; nothing of it can be changed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from wanmi.clock import SECOND, ManualClock
from wanmi.entries import canonical
from wanmi.errors import BadInput, Conflict, NotAllowed, NotFound, WanmiError
from wanmi.identity import Identity, NodeKeys, ParentUrl, admit_node, make_token, read_token, revoke_node
from wanmi.identity.enrolment import TOKEN_DOMAIN, TOKEN_LIFE, check_belongs
from wanmi.identity.terminals import admit_terminal, list_terminals, revoke_terminal
from wanmi.ids import SeededIds
from wanmi.node import Node, node_card
from wanmi.reports import make_card
from wanmi.reports.cards import broker_verifier
from wanmi.reports.envelope import from_b64, to_b64
from wanmi.testing import carry, small_city, small_node

NOW = ManualClock().now()
KEYS = NodeKeys.from_secrets({name: name.encode().ljust(32, b".") for name in ("sign", "curve", "seal", "local")})
OTHER = Ed25519PrivateKey.from_private_bytes(b"o" * 32)
DISTRICT = Identity("210102", "district", "和平区", "210102")


def token_of(
    who: Identity = DISTRICT, parent: str = "210100", now: int = NOW, keys: NodeKeys = KEYS, seed: int = 1
) -> str:
    return make_token(who, parent, keys, SeededIds(seed), now)


def changed(text: str, signer: Ed25519PrivateKey | None = None, **fields: object) -> str:
    """The token with other content, signed anew if ``signer`` is given, else with the old signature."""
    prefix, body, signature = text.split(".")
    raw = canonical({**json.loads(from_b64(body)), **fields})
    if signer is not None:
        signature = to_b64(signer.sign(TOKEN_DOMAIN + raw))
    return f"{prefix}.{to_b64(raw)}.{signature}"


@pytest.fixture
def city(tmp_path: Path) -> Iterator[Node]:
    with small_node(tmp_path / "city", role="city", code="210100") as node:
        yield node


def test_a_child_is_admitted_with_what_its_token_says(city: Node) -> None:
    admitted = admit_node(city, token_of())
    assert (admitted.code, admitted.parent, admitted.sign_key) == ("210102", "210100", KEYS.sign_public.hex())
    assert city.journal.key_of("210102") == KEYS.sign_public
    entry = city.journal.subject("node:210102")[-1].entry
    assert entry is not None
    assert (entry.kind, entry.audience, entry.origin) == ("node.admitted", "*", "210100")


@pytest.mark.parametrize(
    "fields",
    [
        {"code": "210103"},
        {"role": "edge"},
        {"name": "别的"},
        {"region": "210103"},
        {"parent": "210200"},
        {"sign": OTHER.public_key().public_bytes_raw().hex()},
        {"curve": "00" * 32},
        {"seal": "00" * 32},
        {"nonce": "00" * 16},
        {"expires": NOW + 10 * TOKEN_LIFE},
        {"extra": 1},
        {"v": 2},
    ],
)
def test_nothing_in_a_token_can_be_changed(city: Node, fields: dict[str, object]) -> None:
    with pytest.raises(BadInput):
        admit_node(city, changed(token_of(), **fields))
    assert city.journal.key_of("210102") is None


def test_somebody_elses_signature_does_not_do(city: Node) -> None:
    with pytest.raises(BadInput, match="the signature does not fit"):
        admit_node(city, changed(token_of(), signer=OTHER))


@given(st.data())
def test_any_other_character_is_seen(data: st.DataObject) -> None:
    text = token_of()
    at = data.draw(st.integers(0, len(text) - 1))
    letter = data.draw(st.sampled_from("Aa0-_.~").filter(lambda letter: letter != text[at]))
    with pytest.raises(BadInput):
        read_token(text[:at] + letter + text[at + 1 :])


@pytest.mark.parametrize(
    "text", ["", "x", "wanmi-card-1.e30.e30", "wanmi-node-1", "wanmi-node-1..", "wanmi-node-1.e30.e30"]
)
def test_what_is_no_token_is_refused(text: str) -> None:
    with pytest.raises(BadInput):
        read_token(text)


def test_a_token_expires(city: Node) -> None:
    clock = city.clock
    assert isinstance(clock, ManualClock)
    text = token_of()
    clock.advance(TOKEN_LIFE - SECOND)
    assert read_token(text).expires == NOW + TOKEN_LIFE
    clock.advance(SECOND)
    with pytest.raises(NotAllowed, match="has expired"):
        admit_node(city, text)


def test_a_token_is_for_one_parent(city: Node) -> None:
    with pytest.raises(NotAllowed, match="for parent 210200"):
        admit_node(city, token_of(parent="210200"))


def test_a_token_is_good_once(city: Node) -> None:
    admit_node(city, token_of())
    with pytest.raises(Conflict, match="was used before"):
        admit_node(city, token_of())
    with pytest.raises(Conflict, match="is admitted already"):
        admit_node(city, token_of(seed=2))
    revoke_node(city, "210102", "lost")
    with pytest.raises(Conflict, match="was used before"):
        admit_node(city, token_of())
    admit_node(city, token_of(seed=3))
    assert city.journal.key_of("210102") == KEYS.sign_public


def test_a_revoked_child_has_no_key(city: Node) -> None:
    admit_node(city, token_of())
    revoke_node(city, "210102", "stolen")
    assert city.journal.key_of("210102") is None
    for code in ("210102", "210103", "210100"):
        with pytest.raises(NotFound, match="is not admitted here"):
            revoke_node(city, code, "again")


@pytest.mark.parametrize(
    ("parent", "role", "code", "child"),
    [
        ("210100", "city", "210202", "district"),
        ("210100", "city", "210100", "district"),
        ("210100", "city", "21010201", "edge"),
        ("210100", "city", "210102", "city"),
        ("210102", "district", "21010301", "edge"),
        ("210102", "district", "210103", "district"),
        ("21010201", "edge", "21010202", "edge"),
    ],
)
def test_who_does_not_belong_is_not_admitted(parent: str, role: str, code: str, child: str) -> None:
    with pytest.raises(NotAllowed, match=code):
        check_belongs(parent, role, code, child)  # type: ignore[arg-type]


def test_who_belongs_is() -> None:
    check_belongs("210100", "city", "210181", "district")
    check_belongs("210102", "district", "21010299", "edge")


@given(port=st.integers(1, 65535), host=st.sampled_from(["127.0.0.1", "[::1]", "node.example"]))
def test_a_parents_url_comes_back(port: int, host: str) -> None:
    url = ParentUrl(f"tcp://{host}:{port}", "210100", KEYS.sign_public, KEYS.curve_public)
    assert ParentUrl.parse(str(url)) == url


@pytest.mark.parametrize(
    "text",
    [
        "", "tcp://h:1", "tcp://h:1/21", "http://h:1/210100", "tcp://h/210100", "tcp://h:x/210100", "tcp://h:1/210100",
        "tcp://h:1/210100?sign=00&curve=00", f"tcp://h:1/210100?sign={'0' * 64}", f"tcp://h:1/210100?curve={'0' * 64}",
        f"tcp://h:1/210100?sign={'0' * 64}&sign={'1' * 64}&curve={'0' * 64}",
    ],
)  # fmt: skip
def test_what_is_no_parents_url_is_refused(text: str) -> None:
    with pytest.raises(BadInput, match="parent URL"):
        ParentUrl.parse(text)


def test_a_whole_city_knows_its_keys(tmp_path: Path) -> None:
    with small_city(tmp_path) as town:
        assert town.district.journal.key_of("210100") == town.city.keys.sign_public, "pinned by the parent's URL"
        assert town.edge.journal.key_of("210102") == town.district.keys.sign_public
        assert ParentUrl.parse(node_card(town.district.dir)).curve == town.district.keys.curve_public
        carry(town.edge, town.district)
        carry(town.district, town.city)
        assert town.city.journal.key_of("21010201") == town.edge.keys.sign_public
        assert town.city.journal.cursor("21010201").seq == 1


def test_nobody_can_admit_in_anothers_name(tmp_path: Path) -> None:
    """A chain whose key is not known is not taken, whatever it says."""
    with small_city(tmp_path / "a") as town, small_node(tmp_path / "b") as stranger:
        with pytest.raises(WanmiError):
            carry(stranger, town.city)
        assert town.city.journal.cursor("210102").seq == 0


def card(terminal: str = "T210102-0001", seed: bytes = b"t") -> str:
    key = Ed25519PrivateKey.from_private_bytes(seed * 32)
    return make_card(terminal, key, broker_verifier("secret", bytes(12)))


def test_a_district_admits_and_revokes_its_terminals(tmp_path: Path) -> None:
    with small_node(tmp_path / "d") as node:
        admitted = admit_terminal(node, card(), "p-1")
        assert (admitted.terminal, admitted.holder) == ("T210102-0001", "p-1")
        assert [one.sign_key for one in list_terminals(node)] == [admitted.sign_key]
        with pytest.raises(Conflict, match="admitted already"):
            admit_terminal(node, card(seed=b"u"))
        revoke_terminal(node, "T210102-0001", "lost")
        assert list_terminals(node) == []
        with pytest.raises(NotFound):
            revoke_terminal(node, "T210102-0001", "again")
        assert admit_terminal(node, card(seed=b"u")).sign_key != admitted.sign_key


def test_only_districts_admit_terminals(tmp_path: Path) -> None:
    with small_city(tmp_path) as town:
        for node in (town.city, town.edge):
            with pytest.raises(NotAllowed, match="a district admits terminals"):
                admit_terminal(node, card())
        text = card()
        with pytest.raises(BadInput):
            admit_terminal(town.district, text[:-2] + ("AA" if text[-2:] != "AA" else "BB"))


def test_a_terminal_of_another_district_is_a_guest(tmp_path: Path) -> None:
    with small_city(tmp_path) as town:
        admit_terminal(town.district, card("T210103-0001"))
        assert [one.terminal for one in list_terminals(town.district)] == ["T210103-0001"]


def test_the_token_is_bound_to_canonical_bytes() -> None:
    prefix, body, _ = token_of().split(".")
    loose = json.dumps(json.loads(from_b64(body))).encode()
    signed = f"{prefix}.{to_b64(loose)}.{to_b64(KEYS.sign.sign(TOKEN_DOMAIN + loose))}"
    with pytest.raises(BadInput, match="canonical"):
        read_token(signed)
    assert msgspec.to_builtins(read_token(token_of()))["v"] == 1
