"""Who is who: a node's keys and small CA, enrolment of nodes; people, their posts, sessions and tokens."""

from wanmi.identity.ca import TlsFiles, ensure_tls
from wanmi.identity.enrolment import (
    Identity,
    NodeToken,
    ParentUrl,
    admit_node,
    founding,
    identity_of,
    make_token,
    read_token,
    revoke_node,
)
from wanmi.identity.keys import NodeKeys, fingerprint, z85_decode, z85_encode
from wanmi.identity.people import (
    POSTS,
    Person,
    PersonRow,
    Post,
    add_person,
    list_people,
    set_active,
    set_password,
    set_posts,
)
from wanmi.identity.sessions import SessionRow
from wanmi.identity.tokens import SCOPES, NewToken, Token, TokenRow, add_token, list_tokens, revoke_token

IDENTITY_ROWS = (PersonRow, SessionRow, TokenRow)
"""Local tables of people, sessions and tokens: the node registers them."""

__all__ = [
    "IDENTITY_ROWS",
    "POSTS",
    "SCOPES",
    "Identity",
    "NewToken",
    "NodeKeys",
    "NodeToken",
    "ParentUrl",
    "Person",
    "Post",
    "TlsFiles",
    "Token",
    "add_person",
    "add_token",
    "admit_node",
    "ensure_tls",
    "fingerprint",
    "founding",
    "identity_of",
    "list_people",
    "list_tokens",
    "make_token",
    "read_token",
    "revoke_node",
    "revoke_token",
    "set_active",
    "set_password",
    "set_posts",
    "z85_decode",
    "z85_encode",
]
