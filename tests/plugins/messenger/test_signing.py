"""Webhook secrets: the file, rotation, and signatures against the standard's own words."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from plugins.messenger.verifying import fits
from wanmi.clock import SECOND
from wanmi.errors import BadInput, NotFound
from wanmi.ids import SeededIds
from wanmi_messenger.signing import Secret, load_secrets, parse_secrets, rotate, signature_headers

NOW = 1_795_500_000_000_000
DAY = 86_400


def test_the_example_of_the_standard() -> None:
    """From the reference libraries' tests: id, timestamp, payload, secret and signature."""
    (secret,) = parse_secrets("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n", NOW)
    headers = signature_headers(
        [secret], "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330 * SECOND + 999_999, b'{"test": 2432232314}'
    )
    assert headers == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


def test_a_rotated_secret_signs_beside_the_old_one_for_a_while(tmp_path: Path) -> None:
    path, ids = tmp_path / "keys" / "hook", SeededIds(1)
    first = rotate(path, ids, NOW, DAY)
    second = rotate(path, ids, NOW, DAY)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    during, after = load_secrets(path, NOW + DAY * SECOND - 1), load_secrets(path, NOW + DAY * SECOND)
    assert [one.key for one in during] == [second.key, first.key]
    assert [one.key for one in after] == [second.key]
    headers = signature_headers(during, "msg_1", NOW, b"{}")
    assert fits(first.text, headers, b"{}", NOW)
    assert fits(second.text, headers, b"{}", NOW)
    assert not fits(first.text, signature_headers(after, "msg_1", NOW, b"{}"), b"{}", NOW)
    assert not fits(second.text, headers, b"{ }", NOW)


def test_without_overlap_the_old_secret_is_gone_at_once(tmp_path: Path) -> None:
    ids = SeededIds(2)
    rotate(tmp_path / "hook", ids, NOW, 0)
    new = rotate(tmp_path / "hook", ids, NOW, 0)
    assert load_secrets(tmp_path / "hook", NOW) == (Secret(new.key),)


def test_rotating_twice_does_not_lengthen_a_life(tmp_path: Path) -> None:
    ids, path = SeededIds(3), tmp_path / "hook"
    rotate(path, ids, NOW, DAY)
    rotate(path, ids, NOW, 10)
    rotate(path, ids, NOW, DAY)
    assert len(load_secrets(path, NOW + 9 * SECOND)) == 3
    assert len(load_secrets(path, NOW + 10 * SECOND)) == 2


def test_a_file_that_others_may_read_is_refused(tmp_path: Path) -> None:
    rotate(tmp_path / "hook", SeededIds(4), NOW, 0)
    (tmp_path / "hook").chmod(0o640)
    with pytest.raises(BadInput, match="chmod 600"):
        load_secrets(tmp_path / "hook", NOW)


@pytest.mark.parametrize("line", ["secret", "whsec_!!", "whsec_c2hvcnQ=", "whsec_" + "A" * 88, "whsec_QUFB until soon"])
def test_bad_lines_are_named_but_not_repeated(line: str) -> None:
    with pytest.raises(BadInput) as caught:
        parse_secrets(f"# a comment\n\n{line}\n", NOW)
    assert "line 3" in str(caught.value)
    assert line not in str(caught.value)


def test_no_secret_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="rotate"):
        load_secrets(tmp_path / "none", NOW)
