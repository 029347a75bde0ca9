"""Secrets of device settings: encrypted with the node's local key, never shown, never journaled."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection, select

from wanmi.errors import StoreError
from wanmi.models import table
from wanmi.registry import NodeContext
from wanmi.store import delete_keys, upsert_rows
from wanmi_edge.devices.rows import DeviceSecretRow

_NONCE = 12


def keep_secrets(node: NodeContext, tx: Connection, device: str, secrets: Mapping[str, str]) -> None:
    """Keep these secrets of a device instead of those it had."""
    drop_secrets(tx, device)
    rows = [(device, name, _seal(node, device, name, value)) for name, value in secrets.items()]
    upsert_rows(tx, DeviceSecretRow, rows)


def drop_secrets(tx: Connection, device: str) -> None:
    """Forget a device's secrets."""
    row = table(DeviceSecretRow)
    names = tx.execute(select(row.c.name).where(row.c.device == device)).scalars()
    delete_keys(tx, DeviceSecretRow, [(device, name) for name in names])


def read_secrets(node: NodeContext, device: str) -> dict[str, str]:
    """A device's secrets in plain; StoreError when the local key does not open them (another machine's backup)."""
    row = table(DeviceSecretRow)
    with node.store.reader() as tx:
        found = tx.execute(select(row.c.name, row.c.sealed).where(row.c.device == device)).all()
    return {name: _unseal(node, device, name, bytes(sealed)) for name, sealed in found}


def _seal(node: NodeContext, device: str, name: str, value: str) -> bytes:
    from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

    nonce = node.ids.token(_NONCE)
    return nonce + ChaCha20Poly1305(node.keys.local).encrypt(nonce, value.encode(), _bound_to(device, name))


def _unseal(node: NodeContext, device: str, name: str, sealed: bytes) -> str:
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

    box = ChaCha20Poly1305(node.keys.local)
    try:
        return box.decrypt(sealed[:_NONCE], sealed[_NONCE:], _bound_to(device, name)).decode()
    except InvalidTag:
        raise StoreError(
            f"device {device}: its secret {name} was sealed with another local key; set it again (wanmi device set)"
        ) from None


def _bound_to(device: str, name: str) -> bytes:
    """A secret opens for its own device and name only."""
    return f"wanmi device secret\0{device}\0{name}".encode()
