"""Enrolment: how a child and its parent come to know each other's keys, each by a line of text.

The parent's URL pins the parent's keys at the child; the child's one-time token carries the child's to the
parent, whose ``node.admitted`` entry binds them:

    tcp://HOST:PORT/210100?sign=<64 hex>&curve=<64 hex>
    wanmi-node-1.<base64url of canonical JSON>.<base64url of its Ed25519 signature>
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal
from urllib.parse import parse_qs, urlsplit

import msgspec
from cryptography.exceptions import InvalidSignature

from wanmi.clock import SECOND
from wanmi.entries import canonical, public_key
from wanmi.errors import BadInput, Conflict, NotAllowed, NotFound
from wanmi.identity.keys import NodeKeys, z85_decode, z85_encode
from wanmi.kinds import KeyReplaced, NodeAdmitted, NodeRevoked, Role
from wanmi.registry import Draft, Stored
from wanmi.reports.envelope import from_b64, to_b64

if TYPE_CHECKING:
    from wanmi.ids import Ids
    from wanmi.registry import NodeContext

PREFIX = "wanmi-node-1"
TOKEN_DOMAIN = b"wanmi/node-token/1\n"
TOKEN_LIFE = 7 * 24 * 3600 * SECOND
"""A token is good for a week (µs)."""

CHILD_ROLE: Mapping[Role, Role] = {"city": "district", "district": "edge"}

Hex32 = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}(?!\n)$")]


class NodeToken(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a child tells its parent about itself; keys are 64 hex digits, ``expires`` µs UTC."""

    v: Literal[1]
    code: Annotated[str, msgspec.Meta(pattern=r"^([0-9]{6}|[0-9]{8})(?!\n)$")]
    role: Role
    name: str
    region: str
    parent: str
    sign: Hex32
    curve: Hex32
    seal: Hex32
    nonce: Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{32}(?!\n)$")]
    expires: int


@dataclass(frozen=True)
class Identity:
    """What a node says of itself: its code, role, name and division."""

    code: str
    role: Role
    name: str
    region: str


@dataclass(frozen=True)
class ParentUrl:
    """A parent as its child pins it: endpoint, code, signing key (32 bytes), CURVE key (Z85, 40 bytes)."""

    endpoint: str
    code: str
    sign: bytes
    curve: bytes

    @classmethod
    def parse(cls, text: str) -> ParentUrl:
        """The parent in its URL; BadInput says which part is wrong."""
        parts = urlsplit(text)
        try:
            host, port = parts.hostname, parts.port
        except ValueError as error:
            raise BadInput(f"parent URL: {error}") from error
        code = parts.path.removeprefix("/")
        if parts.scheme != "tcp" or not host or port is None or not re.fullmatch(r"[0-9]{6}", code):
            raise BadInput(
                "parent URL: not of the form tcp://HOST:PORT/CODE?sign=…&curve=… (`wanmi node card` prints it)"
            )
        query = parse_qs(parts.query)
        address = f"[{host}]" if ":" in host else host
        return cls(f"tcp://{address}:{port}", code, _hex(query, "sign"), z85_encode(_hex(query, "curve")))

    def __str__(self) -> str:
        """The URL."""
        return f"{self.endpoint}/{self.code}?sign={self.sign.hex()}&curve={z85_decode(self.curve).hex()}"


def make_token(who: Identity, parent: str, keys: NodeKeys, ids: Ids, now: int, life: int = TOKEN_LIFE) -> str:
    """A new one-time token of a child, signed with its key; ``now`` and ``life`` in µs."""
    token = NodeToken(
        v=1,
        code=who.code,
        role=who.role,
        name=who.name,
        region=who.region,
        parent=parent,
        sign=keys.sign_public.hex(),
        curve=z85_decode(keys.curve_public).hex(),
        seal=keys.seal_public.hex(),
        nonce=ids.token(16).hex(),
        expires=now + life,
    )
    raw = canonical(msgspec.to_builtins(token))
    return f"{PREFIX}.{to_b64(raw)}.{to_b64(keys.sign.sign(TOKEN_DOMAIN + raw))}"


def read_token(text: str) -> NodeToken:
    """The token in a line of text, its signature checked; raises BadInput."""
    prefix, _, rest = text.strip().partition(".")
    body, _, signature = rest.partition(".")
    if prefix != PREFIX:
        raise BadInput(f"not a node's token: it begins with {PREFIX}. (the child's `wanmi init` or `wanmi node token`)")
    raw = from_b64(body)
    try:
        token = msgspec.json.decode(raw, type=NodeToken)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadInput(f"not a node's token: {error}") from error
    if canonical(msgspec.to_builtins(token)) != raw:
        raise BadInput(f"token of node {token.code}: not in canonical form")
    try:
        public_key(bytes.fromhex(token.sign)).verify(from_b64(signature), TOKEN_DOMAIN + raw)
    except (InvalidSignature, ValueError) as error:
        raise BadInput(
            f"token of node {token.code}: the signature does not fit its key; copy the whole line"
        ) from error
    return token


def token_digest(token: NodeToken) -> str:
    """What ``node.admitted`` keeps of a token: SHA-256 of its content, hex."""
    return hashlib.sha256(canonical(msgspec.to_builtins(token))).hexdigest()


def founding(who: Identity, keys: NodeKeys) -> Draft:
    """A node's founding entry: the first of its chain, it admits itself."""
    body = NodeAdmitted(
        code=who.code,
        role=who.role,
        name=who.name,
        region=who.region,
        parent=None,
        sign_key=keys.sign_public.hex(),
        curve_key=z85_decode(keys.curve_public).hex(),
        token="",
    )
    return Draft("node.admitted", _subject(who.code), body, expect=0)


def check_belongs(parent_code: str, parent_role: Role, code: str, role: Role) -> None:
    """Raise NotAllowed unless a node of this code and role stands under that parent.

    A district's first four digits are its city's; an edge's first six are its district's (GB/T 2260).
    """
    wanted = CHILD_ROLE.get(parent_role)
    if role != wanted:
        raise NotAllowed(f"node {code} is a {role}; a {parent_role} admits {f'a {wanted}' if wanted else 'no nodes'}")
    stem = parent_code[:4] if parent_role == "city" else parent_code
    if not code.startswith(stem) or code == parent_code:
        raise NotAllowed(
            f"node {code} does not belong under {parent_role} {parent_code}: its code must begin with {stem}"
        )


def admission(token: NodeToken, parent: Identity, now: int, earlier: list[Stored]) -> Draft:
    """The entry that admits a child, every check done; ``earlier`` are the parent's own entries about it.

    Raises NotAllowed (expired, another parent, code or role does not belong) and Conflict (used, admitted).
    """
    if token.parent != parent.code:
        raise NotAllowed(f"the token of node {token.code} is for parent {token.parent}, this is {parent.code}")
    if token.expires <= now:
        raise NotAllowed(f"the token of node {token.code} has expired; make a new one there with `wanmi node token`")
    check_belongs(parent.code, parent.role, token.code, token.role)
    _refuse_again(token, earlier)
    body = NodeAdmitted(
        code=token.code,
        role=token.role,
        name=token.name,
        region=token.region,
        parent=parent.code,
        sign_key=token.sign,
        curve_key=token.curve,
        token=token_digest(token),
    )
    return Draft("node.admitted", _subject(token.code), body, expect=len(earlier))


def admit_node(node: NodeContext, text: str) -> NodeAdmitted:
    """At the parent: admit the child whose token this is; returns what was journaled."""
    token = read_token(text)
    who = identity_of(node)
    earlier = _own_entries(node, token.code)
    draft = admission(token, who, node.clock.now(), earlier)
    admitted = draft.body
    assert isinstance(admitted, NodeAdmitted)  # noqa: S101 - admission makes no other
    replaced = _replaced(node, admitted, earlier)
    if replaced is not None:
        draft = msgspec.structs.replace(draft, expect=len(earlier) + 1)
    node.journal.append(*([draft] if replaced is None else [replaced, draft])).result()
    return admitted


def _replaced(node: NodeContext, admitted: NodeAdmitted, earlier: list[Stored]) -> Draft | None:
    """What says up to where the node's earlier key stands for its chain; None if it had no other key."""
    keys = node.journal.chain_keys(admitted.code) if earlier else None
    if keys is None or keys.present.hex() == admitted.sign_key:
        return None
    held = node.journal.cursor(admitted.code)
    body = KeyReplaced(admitted.code, held.seq, held.hash.hex(), admitted.sign_key)
    return Draft("key.replaced", _subject(admitted.code), body, expect=len(earlier))


def revoke_node(node: NodeContext, code: str, reason: str) -> None:
    """At the parent: speak no more with a child's keys; NotFound when this node did not admit it."""
    earlier = _own_entries(node, code)
    if not earlier or _kind(earlier[-1]) != "node.admitted" or code == node.code:
        raise NotFound(f"node {code} is not admitted here; `wanmi node list` shows who is")
    draft = Draft("node.revoked", _subject(code), NodeRevoked(code, reason), expect=len(earlier))
    node.journal.append(draft).result()


def identity_of(node: NodeContext) -> Identity:
    """What this node says of itself, from its settings."""
    own = node.settings.node
    return Identity(own.code, own.role, own.name or own.code, own.region or own.code[:6])


def _refuse_again(token: NodeToken, earlier: list[Stored]) -> None:
    digest = token_digest(token)
    used = [stored.entry for stored in earlier if stored.entry is not None]
    if any(entry.body.get("token") == digest for entry in used):
        raise Conflict(f"the token of node {token.code} was used before; make a new one there with `wanmi node token`")
    if used and used[-1].kind == "node.admitted":
        raise Conflict(f"node {token.code} is admitted already; `wanmi node revoke` it first if its keys have changed")


def _own_entries(node: NodeContext, code: str) -> list[Stored]:
    return [stored for stored in node.journal.subject(_subject(code)) if stored.origin == node.code]


def _kind(stored: Stored) -> str:
    return stored.entry.kind if stored.entry is not None else ""


def _subject(code: str) -> str:
    return f"node:{code}"


def _hex(query: Mapping[str, list[str]], name: str) -> bytes:
    values = query.get(name, [])
    if len(values) != 1 or not re.fullmatch(r"[0-9a-f]{64}", values[0]):
        raise BadInput(f"parent URL: {name}= must be 64 hex digits, once")
    return bytes.fromhex(values[0])
