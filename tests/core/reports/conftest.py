"""A terminal's key and a strategy for every report that the schema allows."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey


@pytest.fixture(scope="session")
def key() -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(bytes(range(32)))


@pytest.fixture(scope="session")
def public(key: Ed25519PrivateKey) -> bytes:
    return key.public_key().public_bytes_raw()
