"""Verifying: what is right is believed, every wrong byte is found."""

from __future__ import annotations

import asyncio
import base64
from typing import Any

import httpx
import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tui.scene import EDGE, entries, told
from wanmi.entries import sign_head
from wanmi_tui.client import NodeClient
from wanmi_tui.proof import Verdict, verify_chain

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))


def verify(chain: dict[str, Any], key: str = KEY.public_key().public_bytes_raw().hex()) -> Verdict:
    last = entries(0, 200)["entries"][-1]
    head = sign_head(KEY, EDGE, 200, bytes.fromhex(last["hash"]), 5)
    signed = {"origin": EDGE, "by": EDGE, "seq": 200, "hash": head.hash.hex(), "at": 5, "sig": head.sig.hex()}

    def answer(request: httpx.Request) -> httpx.Response:
        path = request.url.path.removeprefix("/api/v1")
        return told(
            {"/heads": {"heads": [signed]}, "/nodes": [{"code": EDGE, "sign_key": key}], "/entries": chain}[path]
        )

    client = NodeClient("http://node:1", "t", transport=httpx.MockTransport(answer))
    return asyncio.run(verify_chain(client, EDGE))


def test_a_sound_chain() -> None:
    verdict = verify(entries(0, 200))
    assert (verdict.entries, verdict.why, verdict.signed) == (200, None, True)
    assert verdict.to("en") == f"✓ chain {EDGE}: 200 entries fit, head signed, not countersigned yet"
    assert "头签名有效" in verdict.to("zh")


@pytest.mark.parametrize("what", ["raw", "hash", "digest", "audience", "gone"])
def test_one_wrong_thing_is_found_where_it_is(what: str) -> None:
    chain = msgspec.json.decode(msgspec.json.encode(entries(0, 200)))
    one = chain["entries"][99]
    if what == "raw":
        one["raw"] = base64.b64encode(b"{}").decode()
    elif what == "audience":
        one["audience"] = ["210102"]
    elif what == "gone":
        del chain["entries"][99]
    else:
        one[what] = "ab" * 32
    verdict = verify(chain)
    assert verdict.why is not None
    assert verdict.wrong_at == (101 if what == "gone" else 100)


def test_another_key_is_no_signature() -> None:
    verdict = verify(entries(0, 200), "00" * 32)
    assert verdict.why is not None
    assert "第 200 条" in verdict.to("zh")


def test_bytes_that_this_node_may_not_read_are_verified_by_their_digest() -> None:
    chain = msgspec.json.decode(msgspec.json.encode(entries(0, 200)))
    chain["entries"][50]["raw"] = None
    assert verify(chain).why is None
