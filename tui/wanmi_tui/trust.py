"""Why a node's certificate is not trusted, in words: which certificate it is, and what to do."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from wanmi.errors import BadInput
from wanmi_tui.words import T, Text

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

PATIENCE = 5.0
"""Seconds for reading a certificate that was refused."""
EXPIRED, NOT_YET = 10, 9
"""OpenSSL's verify codes X509_V_ERR_CERT_HAS_EXPIRED and X509_V_ERR_CERT_NOT_YET_VALID."""
WRONG_NAME, WRONG_ADDRESS = 62, 64
"""X509_V_ERR_HOSTNAME_MISMATCH and X509_V_ERR_IP_ADDRESS_MISMATCH."""


def trust_of(url: str, ca: str) -> ssl.SSLContext | bool:
    """How certificates are checked: making a TLS context takes a while, so that plain HTTP goes without.

    BadInput for a file that is not there or holds no certificate.
    """
    if url.startswith("http://"):
        return False
    try:
        return ssl.create_default_context(cafile=ca or None)
    except ssl.SSLError as error:
        raise BadInput(f"--ca {ca}: holds no certificate (PEM); the node's own is DIR/tls/ca.crt") from error
    except OSError as error:
        raise BadInput(f"--ca {ca}: {error.strerror or error}; the node's own is DIR/tls/ca.crt") from error


def tls_fault(error: BaseException) -> ssl.SSLError | None:
    """The TLS library's error behind an HTTP client's, if there is one."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, ssl.SSLError):
            return seen
        seen = seen.__cause__ or seen.__context__
    return None


def why_untrusted(fault: ssl.SSLError, url: str, ca: str) -> tuple[Text, dict[str, str]]:
    """What is wrong, with its facts; reads the certificate that was refused (nothing is said to that peer)."""
    if fault.reason in {"WRONG_VERSION_NUMBER", "HTTP_REQUEST", "RECORD_LAYER_FAILURE"}:
        return T.speaks_plain, {}
    if not isinstance(fault, ssl.SSLCertVerificationError):
        return T.tls_failed, {"what": fault.reason or str(fault)}
    host = urlsplit(url).hostname or ""
    facts = {"cert": certificate_words(url), "host": host, "ca": Path(ca).name}
    if fault.verify_code in {EXPIRED, NOT_YET}:
        return T.certificate_expired, facts
    if fault.verify_code in {WRONG_NAME, WRONG_ADDRESS}:
        return T.certificate_of_another, facts
    return (T.not_signed_by if ca else T.not_signed), facts


def certificate_words(url: str) -> str:
    """Names, issuer, last day and fingerprint of the certificate at an address; "?" when it cannot be read."""
    from cryptography.x509 import load_pem_x509_certificate

    parts = urlsplit(url)
    try:
        pem = ssl.get_server_certificate((parts.hostname or "", parts.port or 443), timeout=PATIENCE)
        return _told(load_pem_x509_certificate(pem.encode()))
    except (OSError, ValueError):
        return "?"


def _told(certificate: Certificate) -> str:
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.x509 import ExtensionNotFound, SubjectAlternativeName

    try:
        found = certificate.extensions.get_extension_for_class(SubjectAlternativeName).value
        names = " ".join(str(one.value) for one in found)
    except ExtensionNotFound:
        names = certificate.subject.rfc4514_string()
    issuer = certificate.issuer.rfc4514_string().removeprefix("CN=")
    until = certificate.not_valid_after_utc.date().isoformat()
    print_ = certificate.fingerprint(SHA256()).hex()[:16]
    return f"{names}; {issuer}; {until}; {print_}"
