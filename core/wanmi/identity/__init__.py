"""Who is who: a node's keys and small CA, enrolment of nodes; people, their posts, sessions and tokens."""

from wanmi.identity.codes import CodeRow, RecoveryRow
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
from wanmi.identity.locks import LockRow
from wanmi.identity.login_steps import TicketRow
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
from wanmi.identity.request_keys import RequestKeyRow
from wanmi.identity.sessions import SessionRow
from wanmi.identity.shifts import Shift, ShiftRow, add_shift, list_shifts, on_duty, remove_shift
from wanmi.identity.tokens import SCOPES, NewToken, Token, TokenRow, add_token, list_tokens, revoke_token
from wanmi.identity.units import MemberRow, Unit, UnitRow, add_unit, list_units, set_unit
from wanmi.identity.views import ViewRow

IDENTITY_ROWS = (
    PersonRow,
    RequestKeyRow,
    SessionRow,
    TokenRow,
    UnitRow,
    MemberRow,
    ShiftRow,
    LockRow,
    CodeRow,
    RecoveryRow,
    TicketRow,
    ViewRow,
)
"""Local tables of people, their units, shifts, locks, sessions and tokens: the node registers them."""

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
    "Shift",
    "Token",
    "Unit",
    "add_person",
    "add_shift",
    "add_token",
    "add_unit",
    "admit_node",
    "fingerprint",
    "founding",
    "identity_of",
    "list_people",
    "list_shifts",
    "list_tokens",
    "list_units",
    "make_token",
    "on_duty",
    "read_token",
    "remove_shift",
    "revoke_node",
    "revoke_token",
    "set_active",
    "set_password",
    "set_posts",
    "set_unit",
    "z85_decode",
    "z85_encode",
]
