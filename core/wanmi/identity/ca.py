"""A node's small CA: DIR/tls/{ca.crt, ca.key, server.crt, server.key}, for HTTPS and MQTTS off loopback.

P-256, because browsers and mosquitto take it everywhere (Ed25519 certificates they do not). Certificates are
made again when their end is near or the node's names changed; the CA itself lives ten years.
"""

from __future__ import annotations

import ipaddress
import os
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from wanmi.errors import StoreError

CA_LIFE = timedelta(days=3650)
SERVER_LIFE = timedelta(days=397)
"""Chromium refuses leaf certificates that live longer than 398 days."""
RENEW_BEFORE = timedelta(days=30)
SLACK = timedelta(days=1)
"""Certificates begin this much earlier: an appliance's clock may be behind."""


@dataclass(frozen=True)
class TlsFiles:
    """Paths of PEM files; ``cert`` holds the server's certificate, ``ca`` is what clients are told to trust."""

    ca: Path
    cert: Path
    key: Path


def ensure_tls(dir: Path, code: str, names: Sequence[str], now: int) -> TlsFiles:
    """The node's CA and a server certificate for ``names`` (hosts, addresses), made or renewed as needed.

    ``now`` µs UTC. Raises StoreError when a file there cannot be read.
    """
    folder = dir / "tls"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    at = datetime.fromtimestamp(now / 1_000_000, UTC)
    files = TlsFiles(folder / "ca.crt", folder / "server.crt", folder / "server.key")
    ca_cert, ca_key = _ensure_ca(folder, code, at)
    if not _serves(files, ca_cert, names, at):
        cert, key = issue_server(ca_cert, ca_key, names, at)
        _write(files.key, _pem_key(key), 0o600)
        _write(files.cert, _pem(cert) + _pem(ca_cert), 0o644)
    return files


def certificate_names(host: str, more: Sequence[str] = ()) -> list[str]:
    """The names that a node's certificate is for: its host, its machine's name, loopback, and those of the settings."""
    own = [] if host in ("", "0.0.0.0", "::", "*") else [host]  # noqa: S104 - compared, not bound
    return list(dict.fromkeys([*own, *more, socket.gethostname(), "localhost", "127.0.0.1", "::1"]))


def issue_server(
    ca_cert: x509.Certificate, ca_key: ec.EllipticCurvePrivateKey, names: Sequence[str], at: datetime
) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    """A server certificate for ``names`` with a new key."""
    key = ec.generate_private_key(ec.SECP256R1())
    builder = (
        _builder(_name(names[0]), ca_cert.subject, key, at, min(at + SERVER_LIFE, ca_cert.not_valid_after_utc))
        .add_extension(x509.SubjectAlternativeName([_general_name(name) for name in names]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(_key_usage(signs_certificates=False), critical=True)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key()),
            critical=False,
        )
    )
    return builder.sign(ca_key, hashes.SHA256()), key


def _ensure_ca(folder: Path, code: str, at: datetime) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    cert_path, key_path = folder / "ca.crt", folder / "ca.key"
    if cert_path.exists() and key_path.exists():
        cert, key = _load_cert(cert_path), _load_key(key_path)
        if at + SERVER_LIFE < cert.not_valid_after_utc and cert.public_key() == key.public_key():
            return cert, key
    key = ec.generate_private_key(ec.SECP256R1())
    name = _name(f"Wanmi node {code}")
    builder = (
        _builder(name, name, key, at, at + CA_LIFE)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_key_usage(signs_certificates=True), critical=True)
    )
    cert = builder.sign(key, hashes.SHA256())
    _write(key_path, _pem_key(key), 0o600)
    _write(cert_path, _pem(cert), 0o644)
    return cert, key


def _serves(files: TlsFiles, ca_cert: x509.Certificate, names: Sequence[str], at: datetime) -> bool:
    """Whether the certificate there is this CA's, for these names, its key's, and far from its end."""
    if not (files.cert.exists() and files.key.exists()):
        return False
    cert = _load_cert(files.cert)
    alternatives = cert.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return (
        cert.issuer == ca_cert.subject
        and _signed_by(cert, ca_cert)
        and set(alternatives) == {_general_name(name) for name in names}
        and cert.not_valid_before_utc <= at < cert.not_valid_after_utc - RENEW_BEFORE
        and cert.public_key() == _load_key(files.key).public_key()
    )


def _signed_by(cert: x509.Certificate, ca_cert: x509.Certificate) -> bool:
    from cryptography.exceptions import InvalidSignature

    try:
        cert.verify_directly_issued_by(ca_cert)
    except (InvalidSignature, ValueError, TypeError):
        return False
    return True


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, at: datetime, end: datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(at - SLACK)
        .not_valid_after(end)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _key_usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common[:64])])


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name.strip("[]")))
    except ValueError:
        return x509.DNSName(name)


def _pem(cert: x509.Certificate) -> bytes:
    return cert.public_bytes(serialization.Encoding.PEM)


def _pem_key(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _load_cert(path: Path) -> x509.Certificate:
    try:
        return x509.load_pem_x509_certificate(path.read_bytes())
    except (ValueError, OSError) as error:
        raise StoreError(f"{path}: not a certificate: {error}; delete the folder tls to have new ones made") from error


def _load_key(path: Path) -> ec.EllipticCurvePrivateKey:
    try:
        key = serialization.load_pem_private_key(path.read_bytes(), None)
    except (ValueError, TypeError, OSError) as error:
        raise StoreError(f"{path}: not a private key: {error}; delete the folder tls to have new ones made") from error
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise StoreError(f"{path}: not a P-256 key; delete the folder tls to have new ones made")
    return key


def _write(path: Path, content: bytes, mode: int) -> None:
    """Replace a file as a whole: a server that reads it meanwhile gets the old or the new one."""
    temporary = path.with_name(path.name + ".new")
    temporary.unlink(missing_ok=True)
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
