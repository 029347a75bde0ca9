"""What node.toml says about logging in: the section ``[identity]``, checked against the posts that there are."""

from __future__ import annotations

from wanmi.errors import SettingsError
from wanmi.identity.locks import LockRule
from wanmi.identity.login_steps import LoginRules
from wanmi.identity.people import POSTS
from wanmi.settings import IdentitySettings


def login_rules(settings: IdentitySettings) -> LoginRules:
    """The rules of a node; SettingsError for a post that there is not."""
    unknown = sorted(set(settings.totp_posts) - POSTS.keys())
    if unknown:
        raise SettingsError(f"identity.totp_posts: no post {', '.join(unknown)}; there are {', '.join(POSTS)}")
    return LoginRules(frozenset(settings.totp_posts), LockRule(settings.lock_failures, settings.lock_minutes * 60))
