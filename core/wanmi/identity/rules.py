"""What node.toml says about logging in: the section ``[identity]``, checked against the posts that there are."""

from __future__ import annotations

import json

from sqlalchemy import Connection, select

from wanmi.errors import SettingsError
from wanmi.identity.codes import CodeRow
from wanmi.identity.locks import LockRule
from wanmi.identity.login_steps import LoginRules
from wanmi.identity.people import POSTS, Desk, PersonRow
from wanmi.identity.sessions import end_sessions_of
from wanmi.models import table
from wanmi.settings import IdentitySettings


def login_rules(settings: IdentitySettings) -> LoginRules:
    """The rules of a node; SettingsError for a post that there is not."""
    unknown = sorted(set(settings.totp_posts) - POSTS.keys())
    if unknown:
        raise SettingsError(f"identity.totp_posts: no post {', '.join(unknown)}; there are {', '.join(POSTS)}")
    return LoginRules(frozenset(settings.totp_posts), LockRule(settings.lock_failures, settings.lock_minutes * 60))


def end_sessions_without_code(desk: Desk, settings: IdentitySettings) -> int:
    """End the sessions of people whose post needs a second factor that they do not have: they began before the rule.

    Called when a node starts, since rules change by a start; returns how many people were asked to log in again.
    """
    needing = login_rules(settings).code_posts

    def work(tx: Connection) -> int:
        codes, people = table(CodeRow), table(PersonRow)
        coded = select(codes.c.person).where(codes.c.confirmed_at > 0)
        rows = tx.execute(select(people.c.id, people.c.posts).where(people.c.id.not_in(coded))).all()
        late = [row.id for row in rows if needing.intersection(json.loads(row.posts))]
        for person in late:
            end_sessions_of(tx, person)
        return len(late)

    return desk.store.write(work).result() if needing else 0
