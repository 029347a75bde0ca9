"""Local tables of the core's web side on PostgreSQL: request keys, views, sessions and the rule for codes."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.postgres import new_database, postgresql
from wanmi.errors import BadInput, WanmiError
from wanmi.hookspecs import Actor
from wanmi.identity import add_person
from wanmi.identity.request_keys import KEPT, KeptAnswer, RequestKey, keep_answer, release_key, reserve_key
from wanmi.identity.rules import end_sessions_without_code
from wanmi.identity.sessions import find_session, list_sessions, start_session
from wanmi.identity.views import note_view
from wanmi.settings import IdentitySettings
from wanmi.testing import small_node

pytestmark = [pytest.mark.postgresql, pytest.mark.xdist_group("postgresql")]


def test_keys_views_and_sessions(tmp_path: Path) -> None:
    with postgresql() as base, small_node(
        tmp_path / "n", sections={"database": {"url": new_database(base, "web")}}
    ) as node:  # fmt: skip
        store, now, key = node.store, node.clock.now(), RequestKey("token:1", "k", "a" * 64)
        assert reserve_key(store, key, now) is None
        with pytest.raises(WanmiError, match="was not kept"):
            reserve_key(store, key, now)
        store.write(lambda tx: release_key(tx, key)).result()
        assert reserve_key(store, key, now) is None
        answer = KeptAnswer(200, "application/json", b'{"a":"\x00\xff"}')
        store.write(lambda tx: keep_answer(tx, key, answer)).result()
        store.write(lambda tx: release_key(tx, key)).result()
        assert reserve_key(store, key, now) == answer
        with pytest.raises(BadInput, match="another request"):
            reserve_key(store, RequestKey("token:1", "k", "b" * 64), now)
        assert reserve_key(store, key, now + KEPT + 1) is None, "forgotten, and reserved anew"
        actor = Actor("p-1", "operator", "Li")
        told = [note_view(node, actor, blobs=["b"], subject="call:1", why=why) for why in ("popup", "popup", "caller")]
        assert told == [True, False, True]
        person = add_person(node, login="li", name="Li", posts=["operator"], password="a long enough secret")
        token = start_session(node, person)
        assert find_session(node, token) is not None
        assert end_sessions_without_code(node, IdentitySettings(totp_posts=("operator",))) == 1
        assert (find_session(node, token), list_sessions(node)) == (None, [])
