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

__all__ = [
    "Identity",
    "NodeKeys",
    "NodeToken",
    "ParentUrl",
    "TlsFiles",
    "admit_node",
    "ensure_tls",
    "fingerprint",
    "founding",
    "identity_of",
    "make_token",
    "read_token",
    "revoke_node",
    "z85_decode",
    "z85_encode",
]
