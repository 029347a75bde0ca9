"""Node keys: made once, readable by their owner alone, the same after loading; Z85 as ZeroMQ has it."""

from __future__ import annotations

from pathlib import Path

import pytest
import zmq
from hypothesis import given
from hypothesis import strategies as st
from zmq.utils import z85

from wanmi.errors import BadInput, Conflict, StoreError
from wanmi.identity import NodeKeys, fingerprint, z85_decode, z85_encode
from wanmi.ids import SeededIds

NAMES = ("sign", "curve", "seal", "local")


def test_keys_come_back_as_they_were_made(tmp_path: Path) -> None:
    made = NodeKeys.create(tmp_path, SeededIds(1))
    loaded = NodeKeys.load(tmp_path)
    assert made.sign_public == loaded.sign_public
    assert len(made.sign_public) == len(made.seal_public) == len(made.local) == 32
    assert (made.curve_secret, made.curve_public, made.seal_public, made.local) == (
        loaded.curve_secret, loaded.curve_public, loaded.seal_public, loaded.local,
    )  # fmt: skip
    assert NodeKeys.create(tmp_path / "other", SeededIds(2)).sign_public != made.sign_public


def test_the_link_key_is_one_of_zeromqs(tmp_path: Path) -> None:
    keys = NodeKeys.create(tmp_path, SeededIds(3))
    assert zmq.curve_public(keys.curve_secret) == keys.curve_public


def test_files_are_their_owners_alone(tmp_path: Path) -> None:
    NodeKeys.create(tmp_path, SeededIds(1))
    assert (tmp_path / "keys").stat().st_mode & 0o777 == 0o700
    for name in NAMES:
        assert (tmp_path / "keys" / f"{name}.key").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("name", NAMES)
def test_a_key_that_others_can_read_is_refused(tmp_path: Path, name: str) -> None:
    NodeKeys.create(tmp_path, SeededIds(1))
    (tmp_path / "keys" / f"{name}.key").chmod(0o640)
    with pytest.raises(StoreError, match=rf"{name}\.key: others can read"):
        NodeKeys.load(tmp_path)


def test_keys_are_not_made_twice(tmp_path: Path) -> None:
    before = NodeKeys.create(tmp_path, SeededIds(1)).sign_public
    with pytest.raises(Conflict, match=r"sign\.key is there already"):
        NodeKeys.create(tmp_path, SeededIds(2))
    assert NodeKeys.load(tmp_path).sign_public == before


def test_new_keys_leave_the_local_one(tmp_path: Path) -> None:
    before = NodeKeys.create(tmp_path, SeededIds(1))
    (tmp_path / "keys" / "sign.key.new").write_text("broke off here", encoding="ascii")
    after = NodeKeys.renew(tmp_path, SeededIds(2))
    assert after.local == before.local
    for name in ("sign_public", "curve_public", "seal_public"):
        assert getattr(after, name) != getattr(before, name)
    assert NodeKeys.load(tmp_path).sign_public == after.sign_public
    assert sorted(path.name for path in (tmp_path / "keys").iterdir()) == sorted(f"{name}.key" for name in NAMES)
    assert all(path.stat().st_mode & 0o777 == 0o600 for path in (tmp_path / "keys").iterdir())


def test_keys_that_are_all_lost_are_made_anew_credentials_are_not(tmp_path: Path) -> None:
    assert NodeKeys.renew(tmp_path, SeededIds(2)).local
    with pytest.raises(Conflict, match="come from there"):
        NodeKeys.renew(tmp_path, SeededIds(3), tmp_path / "keys")


@pytest.mark.parametrize("content", ["", "zz", "00" * 31, "00" * 33])
def test_damaged_and_missing_keys_are_named(tmp_path: Path, content: str) -> None:
    NodeKeys.create(tmp_path, SeededIds(1))
    path = tmp_path / "keys" / "seal.key"
    path.write_text(content)
    with pytest.raises(StoreError, match=r"seal\.key"):
        NodeKeys.load(tmp_path)
    path.unlink()
    with pytest.raises(StoreError, match=r"seal\.key: not there"):
        NodeKeys.load(tmp_path)


def test_systemd_credentials_go_before_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = NodeKeys.create(tmp_path / "node", SeededIds(1))
    other = NodeKeys.create(tmp_path / "other", SeededIds(2))
    credentials = tmp_path / "credentials"
    credentials.mkdir()
    (tmp_path / "other" / "keys" / "sign.key").rename(credentials / "sign.key")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(credentials))
    loaded = NodeKeys.load(tmp_path / "node")
    assert loaded.sign_public == other.sign_public
    assert loaded.seal_public == own.seal_public


def test_secrets_are_not_shown(tmp_path: Path) -> None:
    keys = NodeKeys.create(tmp_path, SeededIds(1))
    assert keys.local.hex() not in repr(keys)
    assert keys.curve_secret.decode() not in repr(keys)
    assert repr(keys.local) not in repr(keys)


@given(st.binary(max_size=64).filter(lambda raw: len(raw) % 4 == 0))
def test_z85_is_zeromqs(raw: bytes) -> None:
    assert z85_encode(raw) == z85.encode(raw)
    assert z85_decode(z85_encode(raw)) == raw


@pytest.mark.parametrize("text", [b"1234", b"12345\n", b"#####", b"\xff0000", b"1234 "])
def test_what_is_not_z85_is_refused(text: bytes) -> None:
    with pytest.raises(BadInput, match="Z85"):
        z85_decode(text)


def test_fingerprints_are_for_eyes() -> None:
    assert fingerprint(bytes(32)) == "6668 7aad f862 bd77 6c8f c18b 8e9f 8e20"
