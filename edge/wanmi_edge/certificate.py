"""The broker's certificate: issued by the node's own CA for the names under which terminals reach it."""

from __future__ import annotations

from datetime import UTC, datetime

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from wanmi.errors import StoreError
from wanmi.identity.ca import TlsFiles, certificate_names, ensure_tls, issue_server
from wanmi.registry import NodeContext
from wanmi_edge.broker import write_private


def broker_certificate(node: NodeContext, listen: str) -> TlsFiles:
    """A new certificate in DIR/broker for ``listen`` and the names in ``[web]``; terminals trust DIR/tls/ca.crt.

    It is another one than the web server's: the two may be reached by different names.
    """
    web = node.settings.web
    tls = ensure_tls(node.dir, node.code, certificate_names(web.host, web.names), node.clock.now())
    ca = x509.load_pem_x509_certificate(tls.ca.read_bytes())
    ca_key = load_pem_private_key(tls.ca.with_suffix(".key").read_bytes(), None)
    if not isinstance(ca_key, EllipticCurvePrivateKey):
        raise StoreError(f"{tls.ca.with_suffix('.key')}: not a P-256 key; delete the folder tls to have new ones made")
    at = datetime.fromtimestamp(node.clock.now() / 1_000_000, UTC)
    cert, key = issue_server(ca, ca_key, certificate_names(listen, web.names), at)
    files = TlsFiles(tls.ca, node.dir / "broker" / "server.crt", node.dir / "broker" / "server.key")
    pem_key = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    write_private(files.key, pem_key.decode())
    write_private(files.cert, (cert.public_bytes(Encoding.PEM) + ca.public_bytes(Encoding.PEM)).decode())
    return files
